//! Pressure: polls that were long while others were ready, and messages in channels over time, as the recorder saw them from
//! outside; and for which keys of a map was waited.
use super::keys::KeyWaits;
use lockprof_trace::{Event, Party};
use std::collections::BTreeMap;

/// Long polls that are kept.
const KEPT: usize = 1 << 14;
/// Moments of one channel that are kept; of more, every other one is forgotten.
const MOMENTS: usize = 512;

/// A poll that was long while others were ready. Lengths in ticks.
#[derive(Clone, Copy, Debug)]
pub struct LongPoll {
    /// The task.
    pub task: Party,
    /// How long it was.
    pub ticks: u64,
    /// How many were ready meanwhile and not polled, at most.
    pub waiting: u64,
    /// One of them.
    pub waiter: Party,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Pressure {
    /// The first of the long polls.
    pub polls: Vec<LongPoll>,
    /// How many messages waited in a channel, and when, by object.
    backlogs: BTreeMap<u64, Vec<(u64, u64)>>,
    /// The waits for a shard by key, by object.
    pub keys: BTreeMap<u64, KeyWaits>,
}

impl Pressure {
    pub(super) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::LongPoll { ticks, task, waiting, waiter, .. } if self.polls.len() < KEPT => {
                let (ticks, task, waiting, waiter) = (*ticks, *task, *waiting, *waiter);
                self.polls.push(LongPoll { task, ticks, waiting, waiter });
            }
            Event::Backlog { at, object, waiting } => {
                let told = self.backlogs.entry(*object).or_default();
                told.push((*at, *waiting));
                if told.len() > MOMENTS {
                    *told = told.iter().copied().skip(1).step_by(2).collect();
                }
            }
            Event::KeyWait { ticks, object, key, .. } => {
                self.keys.entry(*object).or_default().add(*key, *ticks);
            }
            _ => {}
        }
    }

    /// The channels of which it was told how many messages wait.
    pub fn channels(&self) -> impl Iterator<Item = u64> {
        self.backlogs.keys().copied()
    }

    /// How many messages waited in a channel at `points` moments spread evenly from `begin` to `end`, as last told by then.
    pub fn backlog(&self, object: u64, begin: u64, end: u64, points: usize) -> Vec<u64> {
        let told = self.backlogs.get(&object).map(Vec::as_slice).unwrap_or_default();
        let moment = |point: usize| {
            let length = u128::from(end.saturating_sub(begin));
            begin + (length * point as u128 / (points.max(2) - 1) as u128) as u64
        };
        let level = |at: u64| told.iter().rev().find(|told| told.0 <= at).map_or(0, |told| told.1);
        (0..points).map(|point| level(moment(point))).collect()
    }
}
