//! Entries: what is open at this moment. A wait, a handle (guard or end of a channel) and a task each take one for as long
//! as they last, so that what never ends stands in shared memory when the process is gone.
use super::area::Area;
use super::areas::area;
use super::contained::contained;
use super::free_list::FreeList;
use super::memory::{self, ENTRIES, Mapped, RECORDING};
use lockprof_trace::Loss;
use lockprof_trace::memory::entry;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};

static FREE: FreeList = FreeList::new();
/// Whether a runtime has dropped tasks unfinished: from then on the ends of handles are told.
pub(crate) static ABANDONING: AtomicBool = AtomicBool::new(false);

fn next(memory: &Mapped, number: u32) -> &'static AtomicU64 {
    &memory.entry(number)[entry::NEXT]
}

/// A free entry, from this thread's stock or from the common one.
pub(crate) fn take(memory: &Mapped) -> Option<u32> {
    take_from(area(), memory)
}

/// The same by the thread that has this area.
#[inline(always)]
pub(super) fn take_from(area: &Area, memory: &Mapped) -> Option<u32> {
    area.take_entry().or_else(|| take_common(memory))
}

/// The same from the common stock.
#[cold]
#[inline(never)]
fn take_common(memory: &Mapped) -> Option<u32> {
    contained(None, || {
        let taken = FREE.pop(|number| next(memory, number));
        let taken = taken.or_else(|| memory.take(ENTRIES, 1).map(|number| number as u32));
        if taken.is_none() {
            memory.lost(Loss::Entries);
        }
        taken
    })
}

/// Frees an entry. Once the recording ends, what is open stays open: a runtime may be dropping its tasks meanwhile, and
/// what it drops after the last event was copied would be neither open nor ended.
pub(crate) fn free(memory: &Mapped, number: u32) {
    free_from(area(), memory, number);
}

/// The same by the thread that has this area.
#[inline(always)]
pub(super) fn free_from(area: &Area, memory: &Mapped, number: u32) {
    if !RECORDING.load(Relaxed) {
        return;
    }
    memory.entry(number)[entry::HEAD].store(0, Release);
    if !area.keep_entry(number) {
        give_back(number);
    }
}

/// Puts a free entry into the common stock.
#[cold]
pub(crate) fn give_back(number: u32) {
    contained((), || {
        if let Some(memory) = memory::get() {
            FREE.push(number, |number| next(memory, number));
        }
    });
}

/// Writes an entry, its head last.
pub(crate) fn write(memory: &Mapped, number: u32, words: [u64; 6], head: u64) {
    let entry = memory.entry(number);
    for (to, value) in entry[entry::PARTY..].iter().zip(words) {
        to.store(value, Relaxed);
    }
    entry[entry::HEAD].store(head, Release);
}

pub(super) fn head(kind: u64, detail: u8, object: u32) -> u64 {
    kind | u64::from(detail) << 8 | u64::from(object) << 32
}

/// The site of an entry that is in use; else 0.
pub(crate) fn site(memory: &Mapped, number: u32) -> u64 {
    let words = memory.entry(number);
    if words[entry::HEAD].load(Relaxed) != 0 { words[entry::SITE].load(Relaxed) } else { 0 }
}
