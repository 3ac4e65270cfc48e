//! Holds of locks as they end: what is told of them, and those that another thread ends than the one that began them.
use super::area::COARSE;
use super::areas::areas;
use super::emit::emit_fixed;
use super::full;
use super::memory::{self, RECORDING};
use super::site::intern;
use super::sums::longest;
use lockprof_trace::memory::{COARSE_SHIFT, HELD, HELD_ID, UNSURE, record};
use lockprof_trace::{Event, HoldSource, Party};
use std::sync::atomic::Ordering::Relaxed;

/// What is known of a hold that ends.
pub(super) struct Ending {
    pub(super) id: u32,
    /// When, in ticks.
    pub(super) at: u64,
    /// The coarse clock when it began.
    pub(super) began: u32,
    /// Ticks when it began; 0 where it is not timed.
    pub(super) timed: u64,
    pub(super) party: Party,
    pub(super) site: u64,
}

/// Records a hold that ends, where it is timed or a tick fell into it.
pub(super) fn tell_hold(Ending { id, at, began, timed, party, site }: Ending) {
    let Some(memory) = memory::get().filter(|_| RECORDING.load(Relaxed)) else { return };
    let steps = ((COARSE.0.load(Relaxed) >> 32) as u32).wrapping_sub(began);
    let coarse = u64::from(steps) << COARSE_SHIFT;
    let exact = at.saturating_sub(timed);
    let object = super::object::own(memory, id).into();
    let span = super::span::current();
    intern(site);
    if coarse != 0 {
        memory.record(id, record::HOLD).fetch_add(coarse, Relaxed);
        let source = HoldSource::Coarse;
        let ticks = if timed != 0 { exact } else { coarse };
        emit_fixed::<7>(span, Event::Hold { at, ticks, party, object, site, source });
    }
    if timed != 0 {
        let source = if full::is_on() { HoldSource::Full } else { HoldSource::Sampled };
        emit_fixed::<7>(span, Event::Hold { at, ticks: exact, party, object, site, source });
    }
    longest(memory, id, 32, if timed != 0 { exact } else { coarse });
}

/// How often a lock that another thread moves on its list meanwhile is looked for.
const LOOKS: usize = 4;

/// A lock is released that this thread does not hold by its list: it was taken before recording began, or too deep; or on
/// another thread, where guards may travel. There it becomes a gap, so that nobody is told as a holder who is none. Where
/// several threads read, whose guard it was is not known: who else is told to have one may have none.
pub(super) fn released_elsewhere(id: u32, at: u64) {
    let Some(memory) = memory::get() else { return };
    let id = u64::from(id);
    let holds = || {
        areas(memory, usize::MAX).flat_map(|area| {
            let len = (area.held_len.load(Relaxed) as usize).min(HELD);
            let whats = (0..len).map(move |place| (area, place, area.held[place].what.load(Relaxed)));
            whats.filter(|(.., what)| what & HELD_ID == id)
        })
    };
    for _ in 0..LOOKS {
        let unsure = holds().find(|(.., what)| what & UNSURE != 0);
        let Some((area, place, what)) = unsure.or_else(|| holds().next()) else { continue };
        let ending = area.ending(place, at);
        // The owner may have moved it meanwhile: then what stands here is another lock, and stays.
        if area.held[place].what.compare_exchange(what, 0, Relaxed, Relaxed).is_ok() {
            tell_hold(ending);
            for (area, place, what) in holds() {
                let what = (what, what | UNSURE);
                let _ = area.held[place].what.compare_exchange(what.0, what.1, Relaxed, Relaxed);
            }
            return;
        }
    }
}
