//! What is done while something is held: the order in which locks are taken, and waits under a lock.
//!
//! Each nesting is told once by each thread: a small table remembers what was told, so that a second lock costs one compare
//! more than the first. Nestings are many only where objects are; then they are told at a bounded rate.
use super::area::{Area, COARSE, NESTED_LAST};
use super::areas::area;
use super::contained::contained;
use super::emit::emit;
use super::local::{LOCAL, is_enough};
use super::memory::{self, Mapped, RECORDING};
use super::site::{Site, intern, site_of};
use crate::clock::ticks;
use lockprof_trace::memory::{HELD, HELD_ID, entry};
use lockprof_trace::{Event, Operation, Party, Role};
use std::sync::atomic::Ordering::Relaxed;

/// What is told of a nesting, at most: the innermost.
const DEEPEST: usize = 16;
/// Nestings that a thread tells in one step of the coarse clock.
const RATE: u32 = 8;

/// This thread is about to acquire what is counted by `id`, and will wait as long as it must.
#[inline(always)]
pub(crate) fn acquiring(id: u32, operation: Operation, site: Site) {
    area().acquiring(id, operation, site);
}

/// A try has failed on what is counted by the `ids` ids from `id` on: it may be this thread itself that holds it.
#[cold]
#[inline(never)]
pub(crate) fn refused(id: u32, ids: u32, operation: Operation, site: Site) {
    let area = area();
    let mut holding = Holding::default();
    holding.fill(area);
    let ours = u64::from(id)..u64::from(id + ids);
    if holding.pairs().any(|held| ours.contains(&held.0)) {
        area.nested(id, operation, Some(site));
    }
}

/// What a party holds: ids that count it, and where each was taken.
#[derive(Default)]
struct Holding {
    len: usize,
    words: [u64; DEEPEST * 2],
}

impl Holding {
    fn pairs(&self) -> impl Iterator<Item = (u64, u64)> {
        self.words[..self.len].chunks_exact(2).map(|pair| (pair[0], pair[1]))
    }

    fn add(&mut self, id: u64, site: u64) {
        if self.len == self.words.len() {
            self.words.rotate_left(2);
            self.len -= 2;
        }
        self.words[self.len] = id;
        self.words[self.len + 1] = site;
        self.len += 2;
    }

    /// With what this thread holds for who runs on it: locks on its list, and guards of a task that were taken here.
    fn fill(&mut self, area: &Area) {
        if area.number.load(Relaxed) == 0 {
            return;
        }
        let party = Party(area.party.load(Relaxed));
        if let Some(memory) = memory::get() {
            for guard in area.guards() {
                if let Some((id, site)) = guard_of(memory, guard.load(Relaxed), party) {
                    self.add(id, site);
                }
            }
        }
        let (len, base) = (area.held_len.load(Relaxed) as usize, area.base.load(Relaxed) as usize);
        for (place, held) in area.held[..len.min(HELD)].iter().enumerate() {
            // What a parked task holds is not held by who runs now; what the thread below it holds, is.
            let ours = place >= base || Party(held.by.load(Relaxed)).is_thread();
            let id = held.what.load(Relaxed) & HELD_ID;
            if ours && id != 0 {
                self.add(id, held.site.load(Relaxed));
            }
        }
    }
}

/// A guard on a thread's list, if it is there still and the party's: its object and where it was taken.
fn guard_of(memory: &Mapped, word: u64, party: Party) -> Option<(u64, u64)> {
    let number = word as u32;
    let words = memory.entry(number);
    let head = words[entry::HEAD].load(Relaxed);
    let holds = head & 0xFF == entry::HANDLE && words[entry::PARTY].load(Relaxed) == party.0;
    let role = Role::from_number(head >> 8 & 0xFF).filter(|_| number != 0 && holds)?;
    let id = super::handle::counted(memory, (head >> 32) as u32, role);
    Some((id.into(), words[entry::SITE].load(Relaxed)))
}

impl Area {
    fn guards(&self) -> &[std::sync::atomic::AtomicU64] {
        let len = self.guards_len.load(Relaxed) as usize;
        &self.guards[..len.min(self.guards.len())]
    }

    /// Another thread has this area from now on.
    pub(super) fn forget_nested(&self) {
        self.guards_len.store(0, Relaxed);
        self.nested.iter().chain(&self.nested_last).for_each(|told| told.store(0, Relaxed));
    }

    /// See [`acquiring`]. How many locks are held.
    #[inline(always)]
    pub(super) fn acquiring(&self, id: u32, operation: Operation, site: Site) -> u64 {
        let (len, guards) = (self.held_len.load(Relaxed), self.guards_len.load(Relaxed));
        if len | guards != 0 {
            self.nested_in(len, guards, id, operation, Some(site));
        }
        len
    }

    /// Something begins while this thread holds something: `id` is 0 where it has no object.
    #[inline(always)]
    pub(super) fn nested(&self, id: u32, operation: Operation, site: Option<Site>) {
        self.nested_in(self.held_len.load(Relaxed), self.guards_len.load(Relaxed), id, operation, site);
    }

    /// The same, in so many locks and guards.
    #[inline(always)]
    fn nested_in(&self, len: u64, guards: u64, id: u32, operation: Operation, site: Option<Site>) {
        let outer = self.held.get(len.wrapping_sub(1) as usize).map_or(0, |held| held.what.load(Relaxed));
        if outer == 0 || guards != 0 {
            return self.nested_guards(id, operation, site);
        }
        let key = key(id, outer & HELD_ID, operation, len);
        if self.nested_last[len as usize % NESTED_LAST].load(Relaxed) != key {
            self.nested_newly(key, id, operation, site);
        }
    }

    /// The same where guards of tasks are held, here or by others who ran on this thread.
    #[cold]
    #[inline(never)]
    extern "C" fn nested_guards(&self, id: u32, operation: Operation, site: Option<Site>) {
        contained((), || self.nested_in_guards(id, operation, site));
    }

    fn nested_in_guards(&self, id: u32, operation: Operation, site: Option<Site>) {
        let mut holding = Holding::default();
        holding.fill(self);
        let Some((outer, _)) = holding.pairs().last() else { return };
        let key = key(id, outer, operation, holding.len as u64);
        if self.nested[slot(key)].load(Relaxed) != key {
            self.tell_nested(key, id, operation, site);
        }
    }

    #[cold]
    #[inline(never)]
    extern "C" fn nested_newly(&self, key: u64, id: u32, operation: Operation, site: Option<Site>) {
        contained((), || {
            let is_told = || self.nested[slot(key)].load(Relaxed) == key;
            if !is_told() {
                self.tell_nested(key, id, operation, site);
            }
            if is_told() {
                let depth = (key >> DEPTH_SHIFT) as usize;
                self.nested_last[depth % NESTED_LAST].store(key, Relaxed);
            }
        });
    }

    fn tell_nested(&self, key: u64, id: u32, operation: Operation, site: Option<Site>) {
        let step = (COARSE.0.load(Relaxed) >> 32) as u32;
        let enough = LOCAL.with(|local| is_enough(&local.nested, step, RATE));
        let mut holding = Holding::default();
        if enough || !RECORDING.load(Relaxed) {
            return;
        }
        holding.fill(self);
        if holding.len == 0 {
            return;
        }
        self.nested[slot(key)].store(key, Relaxed);
        holding.pairs().for_each(|(_, site)| intern(site));
        emit(&Event::Nested {
            at: ticks(),
            party: Party(self.party.load(Relaxed)),
            object: id.into(),
            operation,
            site: site.map_or(0, site_of),
            held: (&holding.words[..holding.len]).into(),
        });
    }

    /// A guard was taken by who runs on this thread; its entry tells the rest.
    #[inline(always)]
    pub(super) fn guard_opened(&self, number: u32) {
        self.guards_count.store(self.guards_count.load(Relaxed).wrapping_add(1), Relaxed);
        let len = self.guards_len.load(Relaxed);
        match self.guards.get(len as usize) {
            Some(guard) if self.number.load(Relaxed) != 0 => {
                guard.store(u64::from(number), Relaxed);
                self.guards_len.store(len + 1, Relaxed);
            }
            _ => self.sweep_guards(number),
        }
    }

    /// A guard is gone; where it was not the one taken last here, it is swept away later.
    #[inline(always)]
    pub(super) fn guard_closed(&self, number: u32) {
        let top = self.guards_len.load(Relaxed).wrapping_sub(1);
        if self.guards.get(top as usize).is_some_and(|guard| guard.load(Relaxed) == u64::from(number)) {
            self.guards_len.store(top, Relaxed);
        }
    }

    #[cold]
    #[inline(never)]
    extern "C" fn sweep_guards(&self, number: u32) {
        contained((), || self.make_room(number));
    }

    /// Makes room on the list, of guards that are gone, else of the oldest, and puts another one there.
    fn make_room(&self, number: u32) {
        let Some(memory) = memory::get().filter(|_| self.number.load(Relaxed) != 0) else { return };
        let is_guard =
            |number: u64| memory.entry(number as u32)[entry::HEAD].load(Relaxed) & 0xFF == entry::HANDLE;
        let mut kept = 0;
        for place in 0..self.guards.len() {
            let guard = self.guards[place].load(Relaxed);
            if is_guard(guard) {
                self.guards[kept].store(guard, Relaxed);
                kept += 1;
            }
        }
        if kept == self.guards.len() {
            for place in 1..kept {
                self.guards[place - 1].store(self.guards[place].load(Relaxed), Relaxed);
            }
            kept -= 1;
        }
        self.guards[kept].store(u64::from(number), Relaxed);
        self.guards_len.store(kept as u64 + 1, Relaxed);
    }
}

/// Where in such a word it stands how many are held.
const DEPTH_SHIFT: u32 = 54;

/// A nesting in one word: never 0, since what is held has an id.
#[inline(always)]
fn key(id: u32, outer: u64, operation: Operation, depth: u64) -> u64 {
    u64::from(id) | outer << 24 | (operation as u64) << 48 | depth << DEPTH_SHIFT
}

/// Where a thread remembers it.
#[inline(always)]
fn slot(key: u64) -> usize {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 57) as usize
}
