//! Waits: written into an entry before the caller blocks, so that what never ends is still in the trace, and told as an event
//! when they end.
use super::areas::{self, area};
use super::ended;
use super::entry::{free, head, take_from, write};
use super::local::LOCAL;
use super::memory::{self, Mapped, RECORDING};
use super::object;
use super::site::{Site, intern, site_of};
use super::span;
use super::stack::stack_of;
use crate::clock::ticks;
use lockprof_trace::memory::{ENTRIES, entry, header, used};
use lockprof_trace::{Operation, Party, Role, WaitEnd};
use std::num::NonZeroU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

/// A wait that is under way. Dropped without [`Wait::end`], it counts as cancelled.
///
/// All else stands in its entry, so that futures which may wait do not grow by it.
pub(crate) struct Wait {
    entry: NonZeroU32,
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
        ended::tell_noted(memory);
        let area = area();
        let party = Party(area.party.load(Relaxed));
        area.shelve(memory, party);
        let number = NonZeroU32::new(take_from(area, memory)?)?;
        let object = object::own(memory, id);
        let (mut holder, mut holder_site) = (target, 0);
        if has_holder(operation) && is_turn() {
            areas::each_held(memory, LOOK, |held, by, at| {
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
        // The id that counts it is, of a read lock's wait, another than the object's own.
        let counted = u64::from(id - object) << 16;
        write(memory, number.get(), words, head(entry::WAIT, operation as u8, object) | counted);
        Some(Self { entry: number })
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
        let (number, at) = (self.entry.get(), ticks());
        let words = memory.entry(number);
        let word = |which: usize| words[which].load(Relaxed);
        let operation = Operation::from_number(word(entry::HEAD) >> 8 & 0xFF).unwrap_or(Operation::Unknown);
        if operation.is_signal() && end != WaitEnd::Abandoned {
            // Where a signal came, it does not matter which one was the last before.
            words[entry::HOLDER].store(0, Relaxed);
            words[entry::HOLDER_SITE].store(0, Relaxed);
        }
        intern(word(entry::HOLDER_SITE));
        let holds = end == WaitEnd::Done && (is_acquire(operation) || operation == Operation::CondvarWait);
        // A thread that tells nothing any more would never come to it.
        if holds && !areas::is_nowhere() {
            ended::note(memory, number, at);
        } else {
            ended::tell(memory, number, at, end);
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.finish(if super::is_abandoning() { WaitEnd::Abandoned } else { WaitEnd::Cancelled });
    }
}

/// Looks for the holders of what is waited for, for all waits that none is known of. For the background thread.
pub(crate) fn find_holders(memory: &Mapped) {
    let count = used(memory, header::ENTRIES, ENTRIES) as u32;
    let blind = |number: &u32| {
        let head = memory.entry(*number)[entry::HEAD].load(Relaxed);
        head & 0xFF == entry::WAIT
            && Operation::from_number(head >> 8 & 0xFF).is_some_and(has_holder)
            && memory.entry(*number)[entry::HOLDER].load(Relaxed) == 0
    };
    let waits: Vec<u32> = (1..count).filter(blind).collect();
    if waits.is_empty() {
        return;
    }
    let mut holders = std::collections::HashMap::new();
    areas::each_held(memory, usize::MAX, |id, party, site| {
        holders.insert(object::own(memory, id), (party, site));
    });
    for number in 1..count {
        let words = memory.entry(number);
        let word = |which: usize| words[which].load(Relaxed);
        let head = word(entry::HEAD);
        let role = Role::from_number(head >> 8 & 0xFF);
        if head & 0xFF == entry::HANDLE && role.is_some_and(Role::is_guard) {
            holders.insert((head >> 32) as u32, (Party(word(entry::PARTY)), word(entry::SITE)));
        }
    }
    for number in waits {
        let words = memory.entry(number);
        let head = words[entry::HEAD].load(Acquire);
        let holder = holders.get(&((head >> 32) as u32)).filter(|_| head & 0xFF == entry::WAIT);
        let Some((party, site)) = holder else { continue };
        let told = [(entry::HOLDER_SITE, *site), (entry::HOLDER, party.0)];
        // The entry may become another's at any moment: then nothing of this stays there.
        let tell =
            |(word, value): (usize, u64)| words[word].compare_exchange(0, value, Relaxed, Relaxed).is_ok();
        let told = told.map(|what| (what, tell(what)));
        if words[entry::HEAD].load(Acquire) != head {
            for ((word, value), _) in told.into_iter().filter(|(_, told)| *told) {
                let _ = words[word].compare_exchange(value, 0, Relaxed, Relaxed);
            }
        }
    }
}
