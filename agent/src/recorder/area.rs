//! A thread's own area: the list of locks that it holds, and a counter of one byte for each object.
//!
//! This is the hot path. An acquire stores four words and a byte that no other thread writes; a release compares one
//! word. Everything that is rare is one call of a cold function: with more of it inline the compiler stops inlining the
//! guard's drop, and the unlock waits for the stores of that call.
use super::chunk::{self, emit, emit_within};
use super::free_list::FreeList;
use super::full;
use super::local::{LOCAL, draw, is_enough, watch_exit};
use super::memory::{self, Mapped, PAGES, RECORDING};
use super::site::{Site, intern};
use crate::clock::ticks;
use crate::platform;
use lockprof_trace::memory::{
    AREAS, COARSE_SHIFT, COUNT_BITS, HELD, HELD_ID, IDS, IDS_PER_PAGE, PAGE_BYTES, SAMPLED, UPGRADABLE, area,
    header, record, region,
};
use lockprof_trace::{Event, HoldSource, Loss, Operation, Outcome, Party};
use std::mem::offset_of;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64};

/// One lock that a thread holds. See `lockprof_trace::memory::area::HELD`.
#[repr(C)]
pub(crate) struct Held {
    pub(super) site: AtomicU64,
    pub(super) what: AtomicU64,
    pub(super) timed: AtomicU64,
    pub(super) by: AtomicU64,
}

const GROUPS: usize = IDS / IDS_PER_PAGE;
/// Entries that a thread keeps for its next waits and handles.
const FREE: usize = 32;
/// Guards of tasks that a thread remembers.
const GUARDS: usize = 8;
/// Holds that a thread times in one step of the coarse clock.
const SAMPLES: u32 = 8;
/// Nestings that a thread remembers to have told.
const NESTED: usize = 128;

/// What one thread writes alone: a page of shared memory, and behind it the counters, each page of them either shared
/// memory too or the blank.
#[repr(C, align(4096))]
pub(crate) struct Area {
    thread: AtomicU64,
    pub(super) party: AtomicU64,
    pub(super) held_len: AtomicU64,
    carrying: AtomicU64,
    before: AtomicU64,
    /// Its place in the directory, plus one.
    pub(super) number: AtomicU64,
    pub(super) base: AtomicU64,
    spare: [AtomicU64; 2],
    /// Guards on `guards`.
    pub(super) guards_len: AtomicU64,
    /// The system's number of the thread.
    os_id: AtomicU64,
    others: [AtomicU64; 5],
    pub(super) held: [Held; HELD],
    pub(super) pages: [AtomicU32; GROUPS],
    free_len: AtomicU32,
    free: [AtomicU32; FREE],
    unused: AtomicU32,
    pub(super) guards: [AtomicU64; GUARDS],
    pub(super) nested: [AtomicU64; NESTED],
    rest: [AtomicU8; PAGE_BYTES - 16 * 8 - HELD * 32 - GROUPS * 4 - (FREE + 2) * 4 - (GUARDS + NESTED) * 8],
    pub(super) counters: [AtomicU8; IDS],
}

const _: () = {
    assert!(offset_of!(Area, thread) == area::THREAD * 8);
    assert!(offset_of!(Area, party) == area::PARTY * 8);
    assert!(offset_of!(Area, held_len) == area::HELD_LEN * 8);
    assert!(offset_of!(Area, carrying) == area::CARRYING * 8);
    assert!(offset_of!(Area, before) == area::BEFORE * 8);
    assert!(offset_of!(Area, base) == area::BASE * 8);
    assert!(offset_of!(Area, held) == area::HELD * 8);
    assert!(offset_of!(Area, pages) == area::COUNTERS * 8);
    assert!(offset_of!(Area, counters) == PAGE_BYTES);
};

/// The coarse clock, in the upper half: alone on its cache line and on the one that is fetched with it.
#[repr(align(128))]
pub(crate) struct Coarse(pub(crate) AtomicU64);
pub(crate) static COARSE: Coarse = Coarse(AtomicU64::new(0));

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
pub(crate) fn party() -> Party {
    Party(area().party.load(Relaxed))
}

/// The same, for a signal handler: nobody where this thread has no area of its own.
#[cfg(all(feature = "cpu", target_os = "linux"))]
pub(super) fn party_if_known() -> Party {
    if is_nowhere() { Party::UNKNOWN } else { party() }
}

impl Area {
    /// Counts one use of an object, and samples it now and then.
    #[inline(always)]
    pub(crate) fn count(&self, id: u32) {
        let byte = &self.counters[id as usize % IDS];
        let (count, carries) = byte.load(Relaxed).overflowing_add(1);
        if carries {
            return self.carry(id);
        }
        byte.store(count, Relaxed);
    }

    /// The same; whether it is one of the uses whose hold shall be timed.
    #[inline(always)]
    pub(super) fn count_draw(&self, id: u32) -> bool {
        let carries = self.counters[id as usize % IDS].load(Relaxed) == u8::MAX;
        self.count(id);
        carries
    }

    /// Puts a lock on the held list; one that is held deeper than the list is long is not on it.
    #[inline(always)]
    pub(crate) fn push(&self, id: u32, site: Site) {
        let len = self.held_len.load(Relaxed);
        let Some(held) = self.held.get(len as usize) else { return self.push_full(id, site) };
        held.site.store(std::ptr::from_ref(site).addr() as u64, Relaxed);
        held.what.store(u64::from(id) | COARSE.0.load(Relaxed), Relaxed);
        self.held_len.store(len + 1, Release);
    }

    /// Takes a lock off: one compare, where it was taken last and no tick of the coarse clock fell into its hold.
    #[inline(always)]
    pub(crate) fn pop(&self, id: u32) {
        let top = self.held_len.load(Relaxed).wrapping_sub(1);
        let what = self.held.get(top as usize).map(|held| held.what.load(Relaxed));
        if what == Some(u64::from(id) | COARSE.0.load(Relaxed)) {
            self.held_len.store(top, Relaxed);
        } else {
            self.pop_slow(id);
        }
    }

    fn find(&self, id: u32) -> Option<usize> {
        let held = &self.held[..(self.held_len.load(Relaxed) as usize).min(HELD)];
        held.iter().rposition(|held| held.what.load(Relaxed) & HELD_ID == u64::from(id))
    }

    #[cold]
    #[inline(never)]
    fn pop_slow(&self, id: u32) {
        if full::is_on() && memory::get().is_some_and(|memory| self.pop_stamped(memory, id)) {
            return;
        }
        let Some(place) = self.find(id) else { return released_elsewhere(id) };
        self.tell_hold(id, place);
        self.held[place].what.store(0, Relaxed);
        self.compact();
    }

    /// There is no room on the list, unless some of what it says has been released by other threads.
    #[cold]
    #[inline(never)]
    fn push_full(&self, id: u32, site: Site) {
        if self.number.load(Relaxed) == 0 {
            return;
        }
        self.compact();
        if (self.held_len.load(Relaxed) as usize) < HELD {
            self.push(id, site);
        } else {
            memory::lost(Loss::Holds);
        }
    }

    /// Closes the gaps in the list.
    fn compact(&self) {
        let len = (self.held_len.load(Relaxed) as usize).min(HELD);
        let base = self.base.load(Relaxed) as usize;
        let (mut kept, mut kept_base) = (0, 0);
        for place in 0..len {
            let (to, from) = (&self.held[kept], &self.held[place]);
            if from.what.load(Relaxed) == 0 {
                continue;
            }
            if kept != place {
                let words = [
                    (&to.site, &from.site),
                    (&to.what, &from.what),
                    (&to.timed, &from.timed),
                    (&to.by, &from.by),
                ];
                words.into_iter().for_each(|(to, from)| to.store(from.load(Relaxed), Relaxed));
            }
            kept += 1;
            kept_base += u64::from(place < base);
        }
        // Areas without a number have a list that is always full, and empty.
        if self.number.load(Relaxed) != 0 {
            self.held_len.store(kept as u64, Release);
            self.base.store(kept_base, Relaxed);
        }
    }

    /// Who took the lock at this place of the list.
    fn holder(&self, place: usize) -> Party {
        let before = place < self.base.load(Relaxed) as usize;
        Party(if before { &self.held[place].by } else { &self.party }.load(Relaxed))
    }

    /// Records a hold that ends, where it is timed or a tick fell into it.
    fn tell_hold(&self, id: u32, place: usize) {
        let held = &self.held[place];
        let what = held.what.load(Relaxed);
        let timed = if what & SAMPLED != 0 { held.timed.load(Relaxed) } else { 0 };
        let party = self.holder(place);
        let site = held.site.load(Relaxed);
        tell_hold(Ending { id, began: (what >> 32) as u32, timed, party, site });
    }

    /// The byte is full, or nothing was counted there yet: the record is brought up to date, and the hold is timed.
    ///
    /// The mark stands while byte and record are out of step.
    #[cold]
    #[inline(never)]
    fn carry(&self, id: u32) {
        let Some(memory) = memory::get() else { return };
        if full::is_on() && self.count_here(memory, id) {
            return self.stamp(id);
        }
        let count = memory.record(id, record::COUNT);
        let group = id as usize % IDS / IDS_PER_PAGE;
        if self.pages[group].load(Relaxed) == 0 && !self.add_page(memory, group) {
            count.fetch_add(1, Relaxed);
            return self.sample(id);
        }
        // A lock that is taken twenty times must be sampled, and a program's period must not beat with ours.
        let distance = match count.load(Relaxed) & ((1 << COUNT_BITS) - 1) {
            0..8 => 4 + draw(8),
            8..64 => 24 + draw(32),
            _ => 160 + draw(95),
        };
        let start = 255 - distance as u8;
        self.change(memory, id, start, 1 + u64::from(distance));
        self.sample(id);
    }

    /// Sets a byte and adds to its record, so that a reader of a dead process can tell how far it came.
    fn change(&self, memory: &Mapped, id: u32, byte: u8, add: u64) {
        let count = memory.record(id, record::COUNT);
        let tag = self.number.load(Relaxed) << COUNT_BITS;
        self.carrying.store(1 << 63 | u64::from(byte) << 32 | u64::from(id), Release);
        let mut before = count.load(Relaxed);
        loop {
            self.before.store(before, Release);
            let after = before.wrapping_add(add) & ((1 << COUNT_BITS) - 1) | tag;
            match count.compare_exchange_weak(before, after, AcqRel, Relaxed) {
                Ok(_) => break,
                Err(now) => before = now,
            }
        }
        self.byte(memory, id).store(byte, Release);
        self.carrying.store(0, Release);
    }

    /// Gives a group of ids a page of counters. In full mode it is not mapped: so each use comes to `carry` and is timed.
    fn add_page(&self, memory: &Mapped, group: usize) -> bool {
        if self.number.load(Relaxed) == 0 || !RECORDING.load(Relaxed) {
            return false;
        }
        let Some(page) = memory.take(PAGES, 1) else {
            memory.lost(Loss::Areas);
            return false;
        };
        let place = region::PAGES_ + page * (PAGE_BYTES / 8);
        (0..PAGE_BYTES / 8).for_each(|word| memory.word(place + word).store(u64::MAX, Relaxed));
        let target = (&raw const self.counters[group * IDS_PER_PAGE]).cast_mut().cast::<u8>();
        // SAFETY: the addresses behind this area are its own, and only its thread changes what is mapped there.
        if !full::is_on() && !unsafe { memory.shared.map_at(target, place * 8, PAGE_BYTES, true) } {
            memory.lost(Loss::Areas);
            return false;
        }
        self.pages[group].store(page as u32 + 1, Release);
        true
    }

    /// Times the hold that has just begun, unless enough were timed in this step of the coarse clock.
    fn sample(&self, id: u32) {
        let step = (COARSE.0.load(Relaxed) >> 32) as u32;
        let enough = LOCAL.with(|local| is_enough(&local.sampled, step, SAMPLES));
        if full::is_on() || !enough {
            self.stamp(id);
        }
    }

    /// Times the hold that has just begun, where the use of this object is one.
    #[inline(always)]
    fn stamp(&self, id: u32) {
        let top = self.held_len.load(Relaxed).wrapping_sub(1) as usize;
        let Some(held) = self.held.get(top) else { return };
        let what = held.what.load(Relaxed);
        // What is counted is not always a hold.
        if what & HELD_ID == u64::from(id) {
            held.timed.store(ticks(), Relaxed);
            held.what.store(what | SAMPLED, Relaxed);
        }
    }

    /// Marks the hold that was taken last as one by an upgradable guard.
    pub(crate) fn set_upgradable(&self, id: u32) {
        if let Some(place) = self.find(id) {
            let what = &self.held[place].what;
            what.store(what.load(Relaxed) | UPGRADABLE, Relaxed);
        }
    }

    /// Who runs on this thread from now on; returns who did.
    #[inline(always)]
    pub(crate) fn switch(&self, to: Party) -> Party {
        let before = Party(self.party.load(Relaxed));
        let (len, base) = (self.held_len.load(Relaxed), self.base.load(Relaxed));
        if len != base {
            self.sign(len, base, before, to);
        }
        // Areas that several threads use have no number, and belong to nobody.
        if self.number.load(Relaxed) != 0 {
            self.party.store(to.0, Relaxed);
        }
        before
    }

    /// Notes who took the locks that are held while another begins to run.
    #[cold]
    fn sign(&self, len: u64, base: u64, party: Party, to: Party) {
        if party.is_task() && to.is_thread() {
            self.nested(0, Operation::Await, None);
        }
        let len = (len as usize).min(HELD);
        for held in &self.held[(base as usize).min(len)..len] {
            held.by.store(party.0, Relaxed);
        }
        self.base.store(len as u64, Relaxed);
    }

    /// A free entry from this thread's stock.
    pub(crate) fn take_entry(&self) -> Option<u32> {
        let last = self.free_len.load(Relaxed).checked_sub(1)?;
        self.free_len.store(last, Relaxed);
        Some(self.free[last as usize % FREE].load(Relaxed))
    }

    /// Puts a free entry into the stock; `false` where it is full.
    pub(crate) fn keep_entry(&self, number: u32) -> bool {
        let len = self.free_len.load(Relaxed);
        if self.number.load(Relaxed) == 0 || len as usize >= FREE {
            return false;
        }
        self.free[len as usize].store(number, Relaxed);
        self.free_len.store(len + 1, Relaxed);
        true
    }

    /// Adds what the bytes say to the records: the thread ends.
    fn fold(&self, memory: &Mapped) {
        for group in (0..GROUPS).filter(|group| self.pages[*group].load(Relaxed) != 0) {
            for id in group * IDS_PER_PAGE..(group + 1) * IDS_PER_PAGE {
                let byte = self.byte(memory, id as u32).load(Relaxed);
                if byte != 255 {
                    self.change(memory, id as u32, 255, u64::from(byte).wrapping_sub(255));
                }
            }
        }
    }
}

/// What is known of a hold that ends.
pub(crate) struct Ending {
    pub(crate) id: u32,
    /// The coarse clock when it began.
    pub(crate) began: u32,
    /// Ticks when it began; 0 where it is not timed.
    pub(crate) timed: u64,
    pub(crate) party: Party,
    pub(crate) site: u64,
}

/// Records a hold that ends, where it is timed or a tick fell into it.
pub(crate) fn tell_hold(Ending { id, began, timed, party, site }: Ending) {
    let Some(memory) = memory::get().filter(|_| RECORDING.load(Relaxed)) else { return };
    let steps = ((COARSE.0.load(Relaxed) >> 32) as u32).wrapping_sub(began);
    let (at, coarse) = (ticks(), u64::from(steps) << COARSE_SHIFT);
    let exact = at.saturating_sub(timed);
    let object = super::object::own(memory, id).into();
    let span = super::span::current();
    intern(site);
    if coarse != 0 {
        memory.record(id, record::HOLD).fetch_add(coarse, Relaxed);
        let source = HoldSource::Coarse;
        let ticks = if timed != 0 { exact } else { coarse };
        emit_within(span, &Event::Hold { at, ticks, party, object, site, source });
    }
    if timed != 0 {
        let source = if full::is_on() { HoldSource::Full } else { HoldSource::Sampled };
        emit_within(span, &Event::Hold { at, ticks: exact, party, object, site, source });
    }
    super::object::longest(memory, id, 32, if timed != 0 { exact } else { coarse });
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
fn new_area() -> &'static Area {
    // SAFETY: null or an area that is never unmapped.
    let nowhere = unsafe { NOWHERE.load(Acquire).as_ref() };
    let Some(nowhere) = nowhere else { return &BEFORE_ALL };
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
    let area = LOCAL.with(|local| local.area.get());
    // SAFETY: null or an area that is never unmapped.
    let (Some(area), Some(memory)) = (unsafe { area.as_ref() }, memory::get()) else { return };
    let number = area.number.load(Relaxed) as u32;
    // The end of the main thread is the end of the process: until then it holds what it holds.
    if number == 0 || memory.pid != std::process::id() || platform::is_main_thread() {
        return;
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
    LOCAL.with(|local| local.chunk.set(0));
}

/// A lock is released that this thread does not hold by its list: it was taken before recording began, or too deep; or on
/// another thread, where guards may travel. There it becomes a gap, so that nobody is told as a holder who is none.
fn released_elsewhere(id: u32) {
    let Some(memory) = memory::get() else { return };
    let areas = (memory.word(header::AREAS).load(Relaxed) as usize).min(AREAS);
    for place in &PLACES[..areas] {
        // SAFETY: null or an area that is never unmapped.
        let Some(area) = (unsafe { place.load(Acquire).as_ref() }) else { continue };
        let Some(place) = area.find(id) else { continue };
        let held = &area.held[place];
        let what = held.what.load(Relaxed);
        area.tell_hold(id, place);
        // The owner may have moved it meanwhile: then what stands here is another lock, and stays.
        if what & HELD_ID == u64::from(id) && held.what.compare_exchange(what, 0, Relaxed, Relaxed).is_ok() {
            return;
        }
    }
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
fn areas(memory: &Mapped, limit: usize) -> impl Iterator<Item = &'static Area> {
    let areas = (memory.word(header::AREAS).load(Relaxed) as usize).min(AREAS).min(limit);
    // SAFETY: null or an area that is never unmapped.
    PLACES[..areas].iter().filter_map(|place| unsafe { place.load(Acquire).as_ref() })
}

/// The system's number of the thread that works for a party now; `None` where there is none, or no number.
pub(crate) fn system_thread(memory: &Mapped, party: Party) -> Option<u64> {
    let area = areas(memory, usize::MAX).find(|area| area.party.load(Relaxed) == party.0)?;
    Some(area.os_id.load(Relaxed)).filter(|os_id| *os_id != 0)
}

/// What an id has counted so far, to what threads count at this moment.
pub(crate) fn counted(memory: &Mapped, id: u32) -> u64 {
    let place = id as usize % IDS;
    let of_thread = |area: &Area| match area.pages[place / IDS_PER_PAGE].load(Relaxed) {
        0 => 0,
        // A byte that is blank has 255.
        _ => u64::from(area.counters[place].load(Relaxed)).wrapping_sub(255),
    };
    let carried = memory.record(id, record::COUNT).load(Relaxed);
    let all = areas(memory, usize::MAX).map(of_thread).fold(carried, u64::wrapping_add);
    all & ((1 << COUNT_BITS) - 1)
}
