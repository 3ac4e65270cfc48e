//! Full mode: every hold is timed and written.
//!
//! There no thread's counters are mapped, so that each use comes to the cold path as if its byte were full; the bytes
//! are kept all the same, in the thread's own pages of shared memory. Floor of the cost: two readings of the clock. All
//! else here is kept so small that it fits beside them.
use super::area::{Area, COARSE};
use super::emit::emit_held;
use super::memory::Mapped;
use super::site::intern;
use super::span;
use crate::clock::ticks;
use lockprof_trace::memory::{IDS, IDS_PER_PAGE, PAGE_BYTES, PAGES, SAMPLED, region};
use lockprof_trace::{Party, words};
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU8};

static FULL: AtomicBool = AtomicBool::new(false);

/// Whether every hold is timed.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    FULL.load(Relaxed)
}

pub(super) fn set(on: bool) {
    FULL.store(on, Relaxed);
}

impl Area {
    /// The byte that counts an id in this thread's page of shared memory; `None` where it has no such page.
    #[inline(always)]
    fn own_byte(&self, memory: &Mapped, id: u32) -> Option<&'static AtomicU8> {
        let id = id as usize % IDS;
        let page = self.pages[id / IDS_PER_PAGE].load(Relaxed).checked_sub(1)? as usize % PAGES;
        let word = memory.word(region::PAGES_ + page * (PAGE_BYTES / 8) + id % IDS_PER_PAGE / 8);
        // SAFETY: the byte lies in the word, which is never unmapped. Nobody accesses the word as one while the thread runs
        // but who reads it to look on.
        Some(unsafe { AtomicU8::from_ptr(word.as_ptr().cast::<u8>().add(id % 8)) })
    }

    /// The byte in which this thread counts an id, in whichever mode.
    pub(super) fn byte(&self, memory: &Mapped, id: u32) -> &AtomicU8 {
        let own = if is_on() { self.own_byte(memory, id) } else { None };
        own.unwrap_or(&self.counters[id as usize % IDS])
    }

    /// Counts one use of an object; `false` where it must be carried to the record first.
    #[inline(always)]
    pub(super) fn count_here(&self, memory: &Mapped, id: u32) -> bool {
        let Some(byte) = self.own_byte(memory, id) else { return false };
        let count = byte.load(Relaxed);
        if count == u8::MAX {
            return false;
        }
        byte.store(count + 1, Relaxed);
        true
    }

    /// Ends the hold that was begun last, if it is this one, and no tick of the coarse clock fell into it.
    #[inline(always)]
    pub(super) fn pop_stamped(&self, memory: &Mapped, id: u32) -> bool {
        let top = self.held_len.load(Relaxed).wrapping_sub(1);
        let Some(held) = self.held.get(top as usize) else { return false };
        // The short form has no room for a span.
        if held.what.load(Relaxed) != u64::from(id) | SAMPLED | COARSE.0.load(Relaxed) || span::current() != 0
        {
            return false;
        }
        let at = ticks();
        let (party, site) = (Party(self.party.load(Relaxed)), held.site.load(Relaxed));
        let party = if top < self.base.load(Relaxed) { Party(held.by.load(Relaxed)) } else { party };
        let Some(hold) = words::held(at, at.saturating_sub(held.timed.load(Relaxed)), party, id, site) else {
            return false;
        };
        intern(site);
        emit_held(memory, hold);
        self.held_len.store(top, Release);
        true
    }
}
