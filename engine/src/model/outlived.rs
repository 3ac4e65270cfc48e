//! Waits that were there when a runtime shut down, and ended because of it: what the dropped tasks held came free. For who looks
//! at the moment before, they are open.
use super::OpenWait;
use lockprof_trace::{Event, WaitEnd};
use std::collections::VecDeque;

/// Waits that are kept.
const KEPT: usize = 1 << 12;
/// Steps of the coarse clock that a wait must have lasted: a shorter one was no matter yet.
const LEAST: u64 = 50;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Outlived(VecDeque<OpenWait>);

impl Outlived {
    /// Takes a wait that has ended, and was not given up.
    pub(super) fn add(&mut self, event: &Event<'_>, step: u64) {
        let Event::Wait { ticks, end, .. } = event else { return };
        if !matches!(end, WaitEnd::Done | WaitEnd::Disconnected) || *ticks < step.saturating_mul(LEAST) {
            return;
        }
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.extend(OpenWait::of(event, 0));
    }

    /// Those that were there when the first task was abandoned.
    pub(super) fn at(self, abandoned: Option<u64>) -> Vec<OpenWait> {
        let Some(abandoned) = abandoned else { return vec![] };
        self.0.into_iter().filter(|wait| wait.since < abandoned && wait.until >= Some(abandoned)).collect()
    }
}
