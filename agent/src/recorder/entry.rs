//! Entries: what is open at this moment. A wait, a handle (guard or end of a channel) and a task each take one for as long
//! as they last, so that what never ends stands in shared memory when the process is gone.
use super::area::COARSE;
use super::areas::{area, party};
use super::chunk::{emit, emit_within};
use super::free_list::FreeList;
use super::local::LOCAL;
use super::memory::{self, ENTRIES, Mapped, RECORDING};
use super::object;
use super::site::{Site, intern, site_of};
use super::span;
use super::stack::stack_of;
use crate::clock::ticks;
use lockprof_trace::memory::{COARSE_SHIFT, DROPPED, entry, record};
use lockprof_trace::{Event, Kind, Loss, Operation, Party, Role, WaitEnd};
use std::num::NonZeroU32;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};

static FREE: FreeList = FreeList::new();
/// Whether a runtime has dropped tasks unfinished: from then on the ends of handles are told.
pub(crate) static ABANDONING: AtomicBool = AtomicBool::new(false);

fn next(memory: &Mapped, number: u32) -> &'static AtomicU64 {
    memory.entry(number, entry::NEXT)
}

/// A free entry, from this thread's stock or from the common one.
pub(crate) fn take(memory: &Mapped) -> Option<u32> {
    let taken = area().take_entry().or_else(|| FREE.pop(|number| next(memory, number)));
    let taken = taken.or_else(|| memory.take(ENTRIES, 1).map(|number| number as u32));
    if taken.is_none() {
        memory.lost(Loss::Entries);
    }
    taken
}

/// Frees an entry. Once the recording ends, what is open stays open: a runtime may be dropping its tasks meanwhile, and
/// what it drops after the last event was copied would be neither open nor ended.
pub(crate) fn free(memory: &Mapped, number: u32) {
    if !RECORDING.load(Relaxed) {
        return;
    }
    memory.entry(number, entry::HEAD).store(0, Release);
    if !area().keep_entry(number) {
        give_back(number);
    }
}

/// Puts a free entry into the common stock.
pub(crate) fn give_back(number: u32) {
    if let Some(memory) = memory::get() {
        FREE.push(number, |number| next(memory, number));
    }
}

/// Writes an entry, its head last.
pub(crate) fn write(memory: &Mapped, number: u32, words: [u64; 6], head: u64) {
    for (word, value) in words.into_iter().enumerate() {
        memory.entry(number, entry::PARTY + word).store(value, Relaxed);
    }
    memory.entry(number, entry::HEAD).store(head, Release);
}

fn head(kind: u64, detail: u8, object: u32) -> u64 {
    kind | u64::from(detail) << 8 | u64::from(object) << 32
}

/// A wait that is under way. Dropped without [`Wait::end`], it counts as cancelled.
///
/// All else stands in its entry, so that futures which may wait do not grow by it.
pub(crate) struct Wait {
    entry: NonZeroU32,
    /// The id that counts it: of a read lock's wait another than the object's own.
    counted: u32,
}

/// How many areas a waiter looks through for the holder itself, in one wait of eight; all others are left to the
/// background thread, so that a wait is not made longer by being looked at.
const LOOK: usize = 64;

/// Whether this wait of the thread's is the one of eight.
fn is_turn() -> bool {
    LOCAL.with(|local| local.waits.replace(local.waits.get().wrapping_add(1))).is_multiple_of(8)
}

/// While this lives, what waits on this thread does so for a limited time: nobody is stuck there for good.
pub(crate) struct Limited {
    before: bool,
}

impl Limited {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { before: LOCAL.with(|local| local.limited.replace(true)) }
    }
}

impl Drop for Limited {
    #[inline]
    fn drop(&mut self) {
        LOCAL.with(|local| local.limited.set(self.before));
    }
}

const fn is_acquire(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Lock
            | Operation::Read
            | Operation::Write
            | Operation::UpgradableRead
            | Operation::Upgrade
            | Operation::Acquire
    )
}

/// Whether it waits for somebody who holds the object, so that it is worth a look who that is.
const fn has_holder(operation: Operation) -> bool {
    is_acquire(operation) || matches!(operation, Operation::Init)
}

impl Wait {
    /// A wait begins: written before the caller blocks. `None` where nothing is recorded, or where the object has no id (0),
    /// since in a trace a wait without an object is one for the end of a task or thread.
    #[cold]
    #[inline(never)]
    pub(crate) fn begin(id: u32, operation: Operation, site: Site) -> Option<Self> {
        if id == 0 { None } else { Self::begin_for(id, operation, site, Party::UNKNOWN) }
    }

    /// The same, where it is known who can end it: `target` is the party whose end is waited for.
    #[cold]
    #[inline(never)]
    pub(crate) fn begin_for(id: u32, operation: Operation, site: Site, target: Party) -> Option<Self> {
        let memory = memory::get().filter(|_| RECORDING.load(Relaxed))?;
        // Who acquires has told already what it holds.
        if !is_acquire(operation) {
            super::acquiring(id, operation, site);
        }
        Self::begin_at(memory, id, operation, site_of(site), target)
    }

    /// The same of what tokio tells, of an object that is not waited for to be had, at a site by its address.
    #[cfg(all(tokio_unstable, feature = "tracing"))]
    pub(crate) fn begin_foreign(id: u32, operation: Operation, site: u64) -> Option<Self> {
        let memory = memory::get().filter(|_| id != 0 && RECORDING.load(Relaxed))?;
        Self::begin_at(memory, id, operation, site, Party::UNKNOWN)
    }

    #[inline(always)]
    fn begin_at(
        memory: &'static Mapped,
        id: u32,
        operation: Operation,
        site: u64,
        target: Party,
    ) -> Option<Self> {
        let party = party();
        area().shelve(memory, party);
        let number = NonZeroU32::new(take(memory)?)?;
        let object = object::own(memory, id);
        let (mut holder, mut holder_site) = (target, 0);
        if has_holder(operation) && is_turn() {
            super::areas::each_held(memory, LOOK, |held, by, at| {
                if object::own(memory, held) == object {
                    (holder, holder_site) = (by, at);
                }
            });
        }
        if operation.is_signal() {
            // What was given before this wait does not end it.
            (holder, holder_site) = object::last_signal(memory, object);
            intern(holder_site);
        }
        let (stack, since) = (stack_of(site), ticks());
        let limited = u64::from(LOCAL.with(|local| local.limited.get()));
        let count = stack | (limited | u64::from(span::current()) << 1) << 32;
        let words = [party.0, site, since, count, holder.0, holder_site];
        write(memory, number.get(), words, head(entry::WAIT, operation as u8, object));
        Some(Self { entry: number, counted: id })
    }

    /// It is over.
    pub(crate) fn end(self, end: WaitEnd) {
        std::mem::ManuallyDrop::new(self).finish(end);
    }

    /// It turns out that there was nothing to wait for.
    pub(crate) fn void(self) {
        let wait = std::mem::ManuallyDrop::new(self);
        if let Some(memory) = memory::get() {
            free(memory, wait.entry.get());
        }
    }

    #[cold]
    #[inline(never)]
    fn finish(&mut self, end: WaitEnd) {
        let Some(memory) = memory::get() else { return };
        let word = |which| memory.entry(self.entry.get(), which).load(Relaxed);
        let (party, holder) = (Party(word(entry::PARTY)), Party(word(entry::HOLDER)));
        let (site, holder_site) = (word(entry::SITE), word(entry::HOLDER_SITE));
        let (since, stack) = (word(entry::SINCE), word(entry::COUNT) & 0xFFFF_FFFF);
        let span = (word(entry::COUNT) >> 33) as u32;
        let operation = Operation::from_number(word(entry::HEAD) >> 8 & 0xFF).unwrap_or(Operation::Unknown);
        // Where a signal came, it does not matter which one was the last before.
        let was_signalled = operation.is_signal() && end != WaitEnd::Abandoned;
        let (holder, holder_site) = if was_signalled { (Party::UNKNOWN, 0) } else { (holder, holder_site) };
        free(memory, self.entry.get());
        let at = ticks();
        let ticks = at.saturating_sub(since);
        if self.counted != 0 {
            object::waited(memory, self.counted, ticks);
        }
        intern(holder_site);
        let object = object::own(memory, self.counted).into();
        let event =
            Event::Wait { at, ticks, party, object, operation, site, stack, end, holder, holder_site };
        emit_within(span, &event);
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.finish(if super::is_abandoning() { WaitEnd::Abandoned } else { WaitEnd::Cancelled });
    }
}

/// A live guard that may travel between threads, or an end of a channel: the number of its entry, marked. 0 inside: not
/// recorded.
#[derive(Debug)]
pub(crate) struct Handle(u32);

/// Above the number in a handle, so that it is known where it lies among other bytes: see `moved`.
pub(super) const MARK: u32 = 0x2B64 << 18;
const _: () = assert!(lockprof_trace::memory::ENTRIES == 1 << 18);

impl Handle {
    /// One that is not recorded.
    pub(crate) const NONE: Self = Self(0);

    /// The number of its entry; 0: there is none.
    #[inline(always)]
    fn number(&self) -> u32 {
        self.0 & !MARK
    }

    /// A guard is taken, or an end is made: `count` permits, at `site`, by who runs on this thread.
    #[inline]
    pub(crate) fn open(object: u32, role: Role, site: Site, count: u32) -> Self {
        if object == 0 || !RECORDING.load(Relaxed) {
            Self::NONE
        } else {
            Self::open_slow(object, role, site, count)
        }
    }

    #[inline(never)]
    fn open_slow(object: u32, role: Role, site: Site, count: u32) -> Self {
        let opened = Self::open_since(ticks(), object, role, site, count);
        if matches!(role, Role::Sender | Role::Receiver) {
            opened.may_be_shelved();
        }
        opened
    }

    /// It is noted what this thread has locked last: if it locks more, the handle may be left there for others to find.
    fn may_be_shelved(&self) {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            let area = area();
            memory.entry(self.number(), entry::HOLDER_SITE).store(area.locked_last(), Relaxed);
            area.made(self.number());
        }
    }

    /// A guard of `object` is taken that may travel between threads, and counted by `counted`, which is not 0: `count`
    /// permits, at `site`.
    ///
    /// As for locks that a thread holds, most holds are known by the coarse clock: only some of them read the other.
    #[inline(never)]
    pub(crate) fn guard((object, counted): (u32, u32), role: Role, site: Site, count: u32) -> Self {
        let timed = area().count_draw(counted);
        if !RECORDING.load(Relaxed) {
            return Self::NONE;
        }
        let since = if timed { ticks() | 1 } else { COARSE.0.load(Relaxed) >> 32 << COARSE_SHIFT };
        let guard = Self::open_since(since, object, role, site, count);
        if guard.0 != 0 {
            area().guard_opened(guard.number());
        }
        guard
    }

    #[inline(always)]
    fn open_since(since: u64, object: u32, role: Role, site: Site, count: u32) -> Self {
        let Some(memory) = memory::get() else { return Self::NONE };
        let Some(number) = take(memory) else { return Self::NONE };
        let site = std::ptr::from_ref(site).addr() as u64;
        let words = [party().0, site, since, u64::from(count) << 32, 0, 0];
        write(memory, number, words, head(entry::HANDLE, role as u8, object));
        Self(MARK | number)
    }

    /// It is used by who runs on this thread: so that one is its owner.
    #[inline]
    pub(crate) fn used(&self) {
        self.user().used();
    }

    /// Whoever uses it from now on is not seen to.
    #[cfg(feature = "crossbeam-channel")]
    pub(crate) fn used_unseen(&self) {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            memory.entry(self.number(), entry::PARTY).store(Party::UNKNOWN.0, Relaxed);
        }
    }

    /// What is needed to tell that it is used, by who borrows what it belongs to.
    #[inline]
    pub(crate) fn user(&self) -> User {
        User(self.number())
    }

    /// What it belongs to owns its lock, and may be taken along by what is spawned.
    #[inline]
    pub(crate) fn travels(self) -> Self {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            memory.entry(self.number(), entry::HOLDER).store(entry::TRAVELS, Relaxed);
        }
        self.may_be_shelved();
        self
    }

    /// It stands for this many permits from now on.
    pub(crate) fn set_count(&self, count: u32) {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            memory.entry(self.number(), entry::COUNT).store(u64::from(count) << 32, Relaxed);
        }
    }

    /// Another role from now on: a lock is downgraded.
    pub(crate) fn set_role(&self, role: Role) {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            let word = memory.entry(self.number(), entry::HEAD);
            word.store(word.load(Relaxed) & !0xFF00 | (role as u64) << 8, Relaxed);
        }
    }

    /// Leaves the entry open for ever: the guard is forgotten, its lock stays taken.
    pub(crate) fn forget(self) {
        std::mem::forget(self);
    }

    /// It is gone. Of a guard the hold is told, where a tick of the coarse clock fell into it.
    #[inline(never)]
    fn close(&self) {
        let Some(memory) = memory::get() else { return };
        let word = |which| memory.entry(self.number(), which).load(Relaxed);
        let (head, party, site) = (word(entry::HEAD), Party(word(entry::PARTY)), word(entry::SITE));
        let (since, count) = (word(entry::SINCE), word(entry::COUNT) >> 32);
        let moved = entry::moved(head, word(entry::HOLDER));
        let (role, object) = (Role::from_number(head >> 8 & 0xFF), (head >> 32) as u32);
        free(memory, self.number());
        area().guard_closed(self.number());
        let Some(role) = role else { return };
        if !RECORDING.load(Relaxed) {
            return;
        }
        if role.is_guard() {
            held(memory, object, role, party, site, since);
        }
        let abandoning = ABANDONING.load(Relaxed);
        if let (Role::Sender | Role::Receiver, false) = (role, abandoning) {
            let counted = object + u32::from(role == Role::Receiver);
            let now = COARSE.0.load(Relaxed) >> 32;
            memory.record(counted, record::HOLD).store(now | DROPPED, Relaxed);
        }
        if abandoning {
            intern(site);
            let by = LOCAL.with(|local| local.abandoned.get());
            let object = object.into();
            emit(&Event::HandleEnd { at: ticks(), object, role, party, site, since, count, by, moved });
        }
    }
}

/// Tells the uses of a handle that is there as long as this is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User(u32);

impl User {
    /// Of a handle that is not recorded.
    pub(crate) const NONE: Self = Self(0);

    /// It is used by who runs on this thread.
    #[inline]
    pub(crate) fn used(self) {
        if self.0 == 0 {
            return;
        }
        if let Some(memory) = memory::get() {
            memory.entry(self.0, entry::PARTY).store(party().0, Relaxed);
            // One owner at a time writes; where two share an end, a lost use does no harm.
            let count = memory.entry(self.0, entry::COUNT);
            count.store(count.load(Relaxed).wrapping_add(1 << 32), Relaxed);
        }
    }
}

impl Drop for Handle {
    #[inline(always)]
    fn drop(&mut self) {
        if self.0 != 0 {
            self.close();
        }
    }
}

/// The hold of a guard whose holder stands in its entry ends. It is told where a tick of the coarse clock fell into it, or
/// where it was timed: then its begin is not on a tick.
fn held(memory: &Mapped, object: u32, role: Role, party: Party, site: u64, since: u64) {
    let now = (COARSE.0.load(Relaxed) >> 32) as u32;
    let began = (since >> COARSE_SHIFT) as u32;
    let timed = if since & ((1 << COARSE_SHIFT) - 1) == 0 { 0 } else { since };
    if timed == 0 && began == now {
        return;
    }
    // The clock stands still between its ticks, so that a timed hold may have begun after what it shows.
    let began = if now.wrapping_sub(began).cast_signed() < 0 { now } else { began };
    super::area::tell_hold(super::area::Ending {
        id: counted(memory, object, role),
        at: ticks(),
        began,
        timed,
        party,
        site,
    });
}

/// The id that counts the holds of an object by guards of this role: the one behind a lock's own counts its readers.
pub(super) fn counted(memory: &Mapped, object: u32, role: Role) -> u32 {
    let kind = Kind::from_number(memory.record(object, record::META).load(Relaxed) & 0xFF);
    object + u32::from(role == Role::Shared && kind.is_some_and(|kind| kind.ids() == 2))
}

/// What `from` owned by this entry is `to`'s from now on: it goes along with its spawn, `how` tells as what.
pub(super) fn hand_over(memory: &Mapped, number: u32, from: Party, to: Party, how: u64) {
    let owned = memory.entry(number, entry::HEAD).load(Relaxed) & 0xFF == entry::HANDLE
        && memory.entry(number, entry::PARTY).load(Relaxed) == from.0;
    if owned {
        memory.entry(number, entry::PARTY).store(to.0, Relaxed);
        memory.entry(number, entry::HOLDER).store(how, Relaxed);
    }
}

/// The channel of which this entry is an end that `maker` has made, and that nobody has used: whoever uses one is known by that.
pub(super) fn own_end(memory: &Mapped, number: u32, maker: Party) -> Option<u32> {
    let word = |which| memory.entry(number, which).load(Relaxed);
    let head = word(entry::HEAD);
    let is_end = matches!(Role::from_number(head >> 8 & 0xFF), Some(Role::Sender | Role::Receiver));
    let is_own = word(entry::PARTY) == maker.0 && word(entry::COUNT) >> 32 == 0;
    (head & 0xFF == entry::HANDLE && is_end && is_own).then_some((head >> 32) as u32)
}

/// The handle with this number may be where others find it, if `party` has it and its thread has locked anything but what it
/// had locked as the handle was made.
pub(super) fn shelve(memory: &Mapped, number: u32, party: Party, locked: u64) {
    let word = |which| memory.entry(number, which).load(Relaxed);
    let head = word(entry::HEAD);
    let is_own = head & 0xFF == entry::HANDLE && word(entry::PARTY) == party.0;
    if is_own && word(entry::HOLDER_SITE) != locked {
        // Another thread may drop it now, and use the entry for something else.
        let marked = head | entry::SHELVED;
        let _ = memory.entry(number, entry::HEAD).compare_exchange(head, marked, Relaxed, Relaxed);
    }
}

/// Looks for the holders of what is waited for, for all waits that none is known of. For the background thread.
pub(crate) fn find_holders(memory: &Mapped) {
    let count = (memory.word(lockprof_trace::memory::header::ENTRIES).load(Relaxed) as u32)
        .min(lockprof_trace::memory::ENTRIES as u32);
    let blind = |number: &u32| {
        let head = memory.entry(*number, entry::HEAD).load(Relaxed);
        head & 0xFF == entry::WAIT
            && Operation::from_number(head >> 8 & 0xFF).is_some_and(has_holder)
            && memory.entry(*number, entry::HOLDER).load(Relaxed) == 0
    };
    let waits: Vec<u32> = (1..count).filter(blind).collect();
    if waits.is_empty() {
        return;
    }
    let mut holders = std::collections::HashMap::new();
    super::areas::each_held(memory, usize::MAX, |id, party, site| {
        holders.insert(object::own(memory, id), (party, site));
    });
    for number in 1..count {
        let head = memory.entry(number, entry::HEAD).load(Relaxed);
        let role = Role::from_number(head >> 8 & 0xFF);
        if head & 0xFF == entry::HANDLE && role.is_some_and(Role::is_guard) {
            let word = |which| memory.entry(number, which).load(Relaxed);
            holders.insert((head >> 32) as u32, (Party(word(entry::PARTY)), word(entry::SITE)));
        }
    }
    for number in waits {
        let head = memory.entry(number, entry::HEAD).load(Relaxed);
        if let Some((party, site)) =
            holders.get(&((head >> 32) as u32)).filter(|_| head & 0xFF == entry::WAIT)
        {
            memory.entry(number, entry::HOLDER_SITE).store(*site, Relaxed);
            memory.entry(number, entry::HOLDER).store(party.0, Relaxed);
        }
    }
}

/// The site of an entry that is in use; else 0.
pub(crate) fn site(memory: &Mapped, number: u32) -> u64 {
    let in_use = memory.entry(number, entry::HEAD).load(Relaxed) != 0;
    if in_use { memory.entry(number, entry::SITE).load(Relaxed) } else { 0 }
}
