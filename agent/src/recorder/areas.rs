//! The areas of all threads: each thread gets one at its first use, and leaves it to the next one; and what is seen by who
//! looks at all of them.
use super::area::Area;
use super::chunk;
use super::contained::contained;
use super::emit::emit;
use super::free_list::FreeList;
use super::local::{LOCAL, watch_exit};
use super::memory::{self, Mapped, PAGES, RECORDING};
use crate::clock::ticks;
use crate::platform;
use lockprof_trace::memory::{AREAS, HELD, HELD_ID, IDS, PAGE_BYTES, header, region};
use lockprof_trace::{Event, Loss, Outcome, Party};
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64};

/// The areas of this process, by their place in the directory.
static PLACES: [AtomicPtr<Area>; AREAS] = [const { AtomicPtr::new(null_mut()) }; AREAS];
/// Areas of threads that have ended, by their number plus one; the list's links lie in `carrying`, which is 0 for a
/// thread that lives or has folded.
static ENDED: FreeList = FreeList::new();
/// What a thread uses that cannot have an area: its list is full and its bytes are blank, so that nothing is written
/// there, and each count goes to the record.
static NOWHERE: AtomicPtr<Area> = AtomicPtr::new(null_mut());
/// Stands in where somebody asks for an area before any recording: nothing reads what is written there.
// SAFETY: atomics are valid when zero.
static BEFORE_ALL: Area = unsafe { std::mem::zeroed() };
static THREADS: AtomicU64 = AtomicU64::new(1);

/// This thread's area.
#[inline(always)]
pub(crate) fn area() -> &'static Area {
    let area = LOCAL.with(|local| local.area.get());
    if area.is_null() {
        return new_area();
    }
    // SAFETY: areas are never unmapped.
    unsafe { &*area }
}

/// Whether this thread has no area of its own: it has none yet, or not any more.
pub(crate) fn is_nowhere() -> bool {
    let area = LOCAL.with(|local| local.area.get());
    area.is_null() || std::ptr::eq(area, NOWHERE.load(Relaxed))
}

/// Who runs on this thread now.
#[inline]
pub(crate) fn party() -> Party {
    Party(area().party.load(Relaxed))
}

/// The same, for a signal handler: nobody where this thread has no area of its own.
#[cfg(all(feature = "cpu", target_os = "linux"))]
pub(super) fn party_if_known() -> Party {
    if is_nowhere() { Party::UNKNOWN } else { party() }
}

/// Prepares what threads share; called once, before recording begins. `false` where there is no memory for it.
pub(crate) fn prepare(memory: &Mapped) -> bool {
    let Some(area) = map(memory) else { return false };
    area.held_len.store(HELD as u64, Relaxed);
    NOWHERE.store(std::ptr::from_ref(area).cast_mut(), Release);
    true
}

/// An area with blank counters, which is in no directory yet.
fn map(memory: &Mapped) -> Option<&'static Area> {
    let page = memory.take(PAGES, 1)?;
    let place = platform::reserve_addresses(size_of::<Area>())?;
    let at = (region::PAGES_ + page * (PAGE_BYTES / 8)) * 8;
    // SAFETY: the addresses are new and ours. Atomics are valid when zero, and the blank is as long as the counters.
    let area = unsafe {
        let mapped = memory.shared.map_at(place, at, PAGE_BYTES, true)
            && memory.shared.map_at(place.add(PAGE_BYTES), region::BLANK * 8, IDS, false);
        if !mapped {
            return None;
        }
        &*place.cast::<Area>()
    };
    area.spare[0].store(page as u64, Relaxed);
    Some(area)
}

#[cold]
#[inline(never)]
extern "C" fn new_area() -> &'static Area {
    // SAFETY: null or an area that is never unmapped.
    let nowhere = unsafe { NOWHERE.load(Acquire).as_ref() };
    nowhere.map_or(&BEFORE_ALL, |nowhere| contained(nowhere, || give_area(nowhere)))
}

/// Gives this thread an area, or `nowhere` if there is none for it.
fn give_area(nowhere: &'static Area) -> &'static Area {
    // What happens in here, say in an allocator that is instrumented, must not come here again.
    LOCAL.with(|local| local.area.set(nowhere));
    let recording = RECORDING.load(Relaxed) && watch_exit();
    let Some(memory) = memory::get().filter(|_| recording) else { return nowhere };
    let Some(area) = reuse().or_else(|| first(memory)) else {
        memory.lost(Loss::Areas);
        return nowhere;
    };
    let (.., allotted) = LOCAL.with(|local| local.spawned.get());
    let thread = if allotted == Party::UNKNOWN { next_thread() } else { allotted };
    area.party.store(thread.0, Relaxed);
    area.thread.store(thread.0, Release);
    let stack = platform::stack_bounds();
    LOCAL.with(|local| {
        local.stack.set((stack.start, stack.end));
        local.area.set(area);
    });
    tell_thread(thread);
    area
}

/// A number that no thread had before.
pub(super) fn next_thread() -> Party {
    Party::thread(THREADS.fetch_add(1, Relaxed))
}

fn reuse() -> Option<&'static Area> {
    let number = ENDED.pop(link)?;
    let area = PLACES[number as usize - 1].load(Acquire);
    // SAFETY: an area that is never unmapped.
    let area = unsafe { &*area };
    area.carrying.store(0, Relaxed);
    area.forget_nested();
    Some(area)
}

fn link(number: u32) -> &'static AtomicU64 {
    // SAFETY: only areas that are in their place come on the list, and they are never unmapped.
    unsafe { &(*PLACES[number as usize - 1].load(Acquire)).spare[1] }
}

fn first(memory: &Mapped) -> Option<&'static Area> {
    // What is mapped stays: not for a thread that would not get it.
    if memory.word(header::AREAS).load(Relaxed) as usize >= AREAS {
        return None;
    }
    let area = map(memory)?;
    let number = memory.word(header::AREAS).fetch_add(1, AcqRel) as usize;
    if number >= AREAS {
        memory.word(header::AREAS).store(AREAS as u64, Relaxed);
        return None;
    }
    area.number.store(number as u64 + 1, Relaxed);
    PLACES[number].store(std::ptr::from_ref(area).cast_mut(), Release);
    let page = area.spare[0].load(Relaxed) + 1;
    memory.word(region::DIRECTORY + number / 2).fetch_or(page << (number % 2 * 32), Release);
    Some(area)
}

fn tell_thread(thread: Party) {
    let mut buffer = [0; 16];
    let (class, parent, _) = LOCAL.with(|local| local.spawned.get());
    // The system cuts names short. The whole one is at hand where std has made the thread.
    let current = (class != 0).then(std::thread::current);
    let name = current.as_ref().and_then(std::thread::Thread::name);
    let name = name.unwrap_or_else(|| platform::thread_name(&mut buffer));
    // One that was spawned is there since then, however late it gets a core.
    let at = if class != 0 { LOCAL.with(|local| local.spawned_at.get()) } else { ticks() };
    let (class, os_id) = (class.into(), platform::thread_id());
    area().os_id.store(os_id, Relaxed);
    emit(&Event::Thread { at, thread, parent, class, os_id, name: name.into() });
}

/// This thread ends: its bytes go to the records, its area to the next thread.
pub(crate) fn thread_ends() {
    super::unseen::leave();
    let area = LOCAL.with(|local| local.area.get());
    // SAFETY: null or an area that is never unmapped.
    let (Some(area), Some(memory)) = (unsafe { area.as_ref() }, memory::get()) else { return };
    // The end of the main thread is the end of the process: until then it holds what it holds.
    if memory.pid != std::process::id() || platform::is_main_thread() {
        return;
    }
    let number = area.number.load(Relaxed) as u32;
    if number == 0 {
        return chunk::give_up();
    }
    let thread = Party(area.thread.load(Relaxed));
    let panicked = std::thread::panicking() || LOCAL.with(|local| local.panicked.get());
    let outcome = if panicked { Outcome::Panicked } else { Outcome::Finished };
    emit(&Event::ThreadEnd { at: ticks(), thread, outcome });
    // Destructors that run after this one still lock: they count in the records.
    let nowhere = NOWHERE.load(Relaxed);
    LOCAL.with(|local| local.area.set(nowhere));
    area.fold(memory);
    super::object::give_back_ids();
    while let Some(entry) = area.take_entry() {
        super::entry::give_back(entry);
    }
    chunk::give_up();
    // A lock that it still holds nobody will ever release: that stays to be seen, and with it the area.
    area.compact();
    if area.held_len.load(Relaxed) == 0 {
        area.thread.store(0, Release);
        ENDED.push(number, link);
    }
}

/// After a fork, in the child: this thread writes no more into what the parent reads.
///
/// # Safety
/// Only one thread runs, as in the child of a fork.
pub(crate) unsafe fn detach() {
    let area = LOCAL.with(|local| local.area.get());
    for place in [area, NOWHERE.load(Relaxed).cast_const()].into_iter().filter(|place| !place.is_null()) {
        // SAFETY: an area's addresses are one mapping of ours, and zeros are valid there.
        unsafe { platform::private_at(place.cast_mut().cast(), size_of::<Area>()) };
    }
    LOCAL.with(|local| {
        local.chunk.set(0);
        local.ended.set(0);
    });
}

/// The locks held now by any thread, for who looks for a holder: id, party, site.
pub(crate) fn each_held(memory: &Mapped, limit: usize, mut found: impl FnMut(u32, Party, u64)) {
    for area in areas(memory, limit) {
        let len = (area.held_len.load(Acquire) as usize).min(HELD);
        for (place, held) in area.held[..len].iter().enumerate() {
            let id = (held.what.load(Relaxed) & HELD_ID) as u32;
            if id == 0 {
                continue;
            }
            found(id, area.holder(place), held.site.load(Relaxed));
        }
    }
}

/// The first `limit` areas, whether their threads live or not.
pub(super) fn areas(memory: &Mapped, limit: usize) -> impl Iterator<Item = &'static Area> {
    let areas = (memory.word(header::AREAS).load(Relaxed) as usize).min(AREAS).min(limit);
    // SAFETY: null or an area that is never unmapped.
    PLACES[..areas].iter().filter_map(|place| unsafe { place.load(Acquire).as_ref() })
}

/// The system's number of the thread that works for a party now; `None` where there is none, or no number.
pub(crate) fn system_thread(memory: &Mapped, party: Party) -> Option<u64> {
    let area = areas(memory, usize::MAX).find(|area| area.party.load(Relaxed) == party.0)?;
    Some(area.os_id.load(Relaxed)).filter(|os_id| *os_id != 0)
}
