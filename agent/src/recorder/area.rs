//! A thread's own area: the list of locks that it holds, and a counter of one byte for each object.
//!
//! This is the hot path. An acquire stores four words and a byte that no other thread writes; a release compares one
//! word. Everything that is rare is one call of a cold function: with more of it inline the compiler stops inlining the
//! guard's drop, and the unlock waits for the stores of that call.
use super::carry::Carry;
use super::contained::contained;
use super::full;
use super::handle::shelve;
use super::hold::{Ending, released_elsewhere, tell_hold};
use super::local::{LOCAL, draw, is_enough};
use super::memory::{self, Mapped, PAGES, RECORDING};
use super::site::Site;
use crate::clock::ticks;
use crate::platform::prefetch;
use lockprof_trace::memory::{
    COUNT_MASK, HELD, HELD_ID, IDS, IDS_PER_PAGE, PAGE_BYTES, SAMPLED, UNSURE, UPGRADABLE, area, record,
    region,
};
use lockprof_trace::{Loss, Operation, Party};
use std::cell::LazyCell;
use std::mem::offset_of;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

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
/// Handles that a thread remembers to have made.
const MADE: usize = 16;
/// Of so many locks, held one in another, a thread compares which they were last.
const COMPARED: usize = 4;
/// Holds that a thread times in one step of the coarse clock.
const SAMPLES: u32 = 16;
/// Nestings that a thread remembers to have told.
const NESTED: usize = 128;
/// Depths at which a thread remembers the last nesting, to be found at once.
pub(super) const NESTED_LAST: usize = 8;

/// What one thread writes alone: a page of shared memory, and behind it the counters, each page of them either shared
/// memory too or the blank.
#[repr(C, align(4096))]
pub(crate) struct Area {
    pub(super) thread: AtomicU64,
    pub(super) party: AtomicU64,
    pub(super) held_len: AtomicU64,
    pub(super) carrying: AtomicU64,
    /// Its place in the directory, plus one.
    pub(super) number: AtomicU64,
    pub(super) base: AtomicU64,
    pub(super) spare: [AtomicU64; 2],
    /// Guards on `guards`.
    pub(super) guards_len: AtomicU64,
    /// The system's number of the thread.
    pub(super) os_id: AtomicU64,
    others: [AtomicU64; 6],
    pub(super) held: [Held; HELD],
    pub(super) pages: [AtomicU32; GROUPS],
    free_len: AtomicU32,
    free: [AtomicU32; FREE],
    unused: AtomicU32,
    pub(super) guards: [AtomicU64; GUARDS],
    pub(super) nested: [AtomicU64; NESTED],
    pub(super) nested_last: [AtomicU64; NESTED_LAST],
    made: [AtomicU32; MADE],
    /// Handles made so far: of the last ones, those that may not be where others find them stand in `made`, 0 for the others.
    made_count: AtomicU32,
    /// Guards taken so far that are no locks of the thread's.
    pub(super) guards_count: AtomicU32,
    rest: [AtomicU8;
        PAGE_BYTES
            - 16 * 8
            - HELD * 32
            - GROUPS * 4
            - (FREE + 2) * 4
            - (GUARDS + NESTED + NESTED_LAST) * 8
            - (MADE + 2) * 4],
    pub(super) counters: [AtomicU8; IDS],
}

const _: () = {
    assert!(offset_of!(Area, thread) == area::THREAD * 8);
    assert!(offset_of!(Area, party) == area::PARTY * 8);
    assert!(offset_of!(Area, held_len) == area::HELD_LEN * 8);
    assert!(offset_of!(Area, carrying) == area::CARRYING * 8);
    assert!(offset_of!(Area, base) == area::BASE * 8);
    assert!(offset_of!(Area, held) == area::HELD * 8);
    assert!(offset_of!(Area, pages) == area::COUNTERS * 8);
    assert!(offset_of!(Area, counters) == PAGE_BYTES);
};

/// The coarse clock, in the upper half: alone on its cache line and on the one that is fetched with it.
#[repr(align(128))]
pub(crate) struct Coarse(pub(crate) AtomicU64);
pub(crate) static COARSE: Coarse = Coarse(AtomicU64::new(0));

impl Area {
    /// One use of an object will be counted.
    #[inline(always)]
    pub(super) fn prefetch(&self, id: u32) {
        prefetch(&raw const self.counters[id as usize % IDS]);
    }

    /// Counts one use of an object, and samples it now and then.
    ///
    /// Whether it is one of the uses whose hold shall be timed.
    #[inline(always)]
    pub(crate) fn count(&self, id: u32) -> bool {
        let byte = &self.counters[id as usize % IDS];
        let (count, carries) = byte.load(Relaxed).overflowing_add(1);
        if carries {
            self.carry(id);
        } else {
            byte.store(count, Relaxed);
        }
        carries
    }

    /// Puts a lock on the held list; one that is held deeper than the list is long is not on it.
    #[inline(always)]
    pub(crate) fn push(&self, id: u32, site: Site) {
        self.push_on(self.held_len.load(Relaxed), id, site);
    }

    /// The same, where there are so many on it.
    #[inline(always)]
    pub(super) fn push_on(&self, len: u64, id: u32, site: Site) {
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

    pub(super) fn find(&self, id: u32) -> Option<usize> {
        let held = &self.held[..(self.held_len.load(Relaxed) as usize).min(HELD)];
        held.iter().rposition(|held| held.what.load(Relaxed) & HELD_ID == u64::from(id))
    }

    #[cold]
    #[inline(never)]
    extern "C" fn pop_slow(&self, id: u32) {
        contained((), || self.take_off(id));
    }

    /// Takes a lock off the list, wherever it stands there, and tells its hold.
    fn take_off(&self, id: u32) {
        if full::is_on() && memory::get().is_some_and(|memory| self.pop_stamped(memory, id)) {
            return;
        }
        // First of all: what is done from here on is no part of the hold.
        let at = ticks();
        let Some(place) = self.find(id) else { return released_elsewhere(id, at) };
        tell_hold(self.ending(place, at));
        self.held[place].what.store(0, Relaxed);
        self.compact();
    }

    /// There is no room on the list, unless some of what it says has been released by other threads.
    #[cold]
    #[inline(never)]
    extern "C" fn push_full(&self, id: u32, site: Site) {
        contained((), || {
            if self.number.load(Relaxed) == 0 {
                return;
            }
            self.compact();
            if (self.held_len.load(Relaxed) as usize) < HELD {
                self.push(id, site);
            } else {
                memory::lost(Loss::Holds);
            }
        });
    }

    /// Closes the gaps in the list.
    pub(super) fn compact(&self) {
        let len = (self.held_len.load(Relaxed) as usize).min(HELD);
        let base = self.base.load(Relaxed) as usize;
        let (mut kept, mut kept_base) = (0, 0);
        for place in 0..len {
            let (to, from) = (&self.held[kept], &self.held[place]);
            if from.what.load(Relaxed) == 0 {
                continue;
            }
            if kept != place {
                let words = [(&to.site, &from.site), (&to.timed, &from.timed), (&to.by, &from.by)];
                words.into_iter().for_each(|(to, from)| to.store(from.load(Relaxed), Relaxed));
                // Another thread that releases it now finds it here or there, and not twice.
                to.what.store(from.what.swap(0, Relaxed), Relaxed);
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
    pub(super) fn holder(&self, place: usize) -> Party {
        let held = &self.held[place];
        if held.what.load(Relaxed) & UNSURE != 0 {
            return Party::UNKNOWN;
        }
        let before = place < self.base.load(Relaxed) as usize;
        Party(if before { &held.by } else { &self.party }.load(Relaxed))
    }

    /// What is known of the hold at this place of the list, which ends.
    pub(super) fn ending(&self, place: usize, at: u64) -> Ending {
        let held = &self.held[place];
        let what = held.what.load(Relaxed);
        let timed = if what & SAMPLED != 0 { held.timed.load(Relaxed) } else { 0 };
        let (id, began) = ((what & HELD_ID) as u32, (what >> 32) as u32);
        Ending { id, at, began, timed, party: self.holder(place), site: held.site.load(Relaxed) }
    }

    /// The byte is full, or nothing was counted there yet: the record is brought up to date, and the hold is timed. In full
    /// mode every use comes here; what it does has no room for a panic, and needs few registers.
    #[cold]
    #[inline(never)]
    extern "C" fn carry(&self, id: u32) {
        if full::is_on() && memory::get().is_some_and(|memory| self.count_here(memory, id)) {
            self.stamp(id);
        } else {
            self.bring_up_to_date(id);
        }
    }

    #[cold]
    #[inline(never)]
    extern "C" fn bring_up_to_date(&self, id: u32) {
        contained((), || self.carry_to_record(id));
    }

    fn carry_to_record(&self, id: u32) {
        let Some(memory) = memory::get() else { return };
        let count = memory.record(id, record::COUNT);
        let group = id as usize % IDS / IDS_PER_PAGE;
        // Of a lock that is taken twenty times most holds must be timed, and a program's period must not beat with ours.
        let distance = match count.load(Relaxed) & COUNT_MASK {
            0..16 => 0,
            16..64 => 24 + draw(32),
            _ => 160 + draw(95),
        };
        let has_page = self.pages[group].load(Relaxed) != 0 || self.add_page(memory, group);
        if !has_page || !self.change(memory, id, 255 - distance as u8, 1 + u64::from(distance)) {
            count.fetch_add(1, Relaxed);
        }
        self.sample(id);
    }

    /// Sets a byte and adds to its record; `false`, and nothing is done, while another thread does so there.
    fn change(&self, memory: &Mapped, id: u32, byte: u8, add: u64) -> bool {
        let (mark, count) = (&self.carrying, memory.record(id, record::COUNT));
        let carry = Carry { id, number: self.number.load(Relaxed), mark, count };
        carry.to(byte, add, |next| self.byte(memory, id).store(next, Release))
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

    /// What this thread has locked last: another number once it has locked anything since. What is left on the list of locks
    /// when they are released tells it.
    pub(super) fn locked_last(&self) -> u64 {
        self.held[..COMPARED].iter().fold(self.guards_count.load(Relaxed).into(), |hash: u64, held| {
            let word = held.site.load(Relaxed) ^ held.what.load(Relaxed).rotate_left(20);
            let mixed = (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            mixed ^ mixed >> 32
        })
    }

    /// A handle is made that may be left where others find it.
    pub(super) fn made(&self, number: u32) {
        let count = self.made_count.load(Relaxed);
        let place = |wanted: u32| self.made.iter().position(|known| known.load(Relaxed) == wanted);
        // Entries are used again and again: one look at each is enough.
        let place = place(number).or_else(|| place(0)).unwrap_or(count as usize % MADE);
        self.made[place].store(number, Relaxed);
        self.made_count.store(count.wrapping_add(1), Relaxed);
    }

    /// `party`, which runs on this thread, begins to wait: of the handles that it has made here it is noted which ones may be
    /// where others find them.
    pub(super) fn shelve(&self, memory: &Mapped, party: Party) {
        let made = self.made_count.load(Relaxed) as usize;
        if made == 0 {
            return;
        }
        let locked = LazyCell::new(|| self.locked_last());
        for number in &self.made[..made.min(MADE)] {
            let known = number.load(Relaxed);
            if known != 0 && !shelve(memory, known, party, &locked) {
                number.store(0, Relaxed);
            }
        }
    }

    /// The lock with this id, if it is on the list, was taken at `site`.
    pub(crate) fn set_site(&self, id: u32, site: Site) {
        if let Some(place) = self.find(id) {
            self.held[place].site.store(std::ptr::from_ref(site).addr() as u64, Relaxed);
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
    #[inline(never)]
    extern "C" fn sign(&self, len: u64, base: u64, party: Party, to: Party) {
        contained((), || {
            if party.is_task() && to.is_thread() {
                self.nested(0, Operation::Await, None);
            }
            let len = (len as usize).min(HELD);
            for held in &self.held[(base as usize).min(len)..len] {
                held.by.store(party.0, Relaxed);
            }
            self.base.store(len as u64, Relaxed);
        });
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

    /// Adds what the bytes say to the records: the thread ends. Where another is just adding, the byte keeps what it says.
    pub(super) fn fold(&self, memory: &Mapped) {
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
