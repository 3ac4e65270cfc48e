//! What every recorded lock does beside its lock: put it on the held list, take it off, tell a wait.
//!
//! An uncontended operation tries first and never comes here but for [`Recorded::acquired`] and [`Recorded::releasing`],
//! which are a few stores each.
// Each family of wrappers uses a part of it.
#![cfg_attr(not(feature = "full"), allow(dead_code))]
use crate::recorder::{self, Acquire, Site, Tag, Wait};
use lockprof_trace::{Kind, Operation, WaitEnd};
use std::panic::Location;

/// How a lock is taken: it says what is counted, and under which id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Exclusive,
    Shared,
    Upgradable,
}

impl Access {
    /// What taking it so is called, of a lock of this kind.
    pub(crate) const fn operation(self, kind: Kind) -> Operation {
        match self {
            Access::Exclusive if kind.ids() == 1 => Operation::Lock,
            Access::Exclusive => Operation::Write,
            Access::Shared => Operation::Read,
            Access::Upgradable => Operation::UpgradableRead,
        }
    }

    /// Readers are counted by the id behind the lock's own.
    const fn offset(self) -> u32 {
        match self {
            Access::Exclusive => 0,
            Access::Shared | Access::Upgradable => 1,
        }
    }
}

/// A lock that is recorded: the original beside the word that identifies it.
pub struct Recorded<R>(Tag<R>);

// A raw lock guards no data of its own, however it is wrapped: a panic leaves nothing half done.
impl<R> std::panic::RefUnwindSafe for Recorded<R> {}

/// A lock that can be recorded, and what it is called.
pub trait Original {
    /// Its kind in the record.
    const KIND: Kind;
}

impl<R> Recorded<R> {
    /// One that is created at the caller's line.
    #[track_caller]
    pub(crate) const fn new(raw: R) -> Self {
        Self::at(Location::caller(), raw)
    }

    /// One that is created at this line.
    pub(crate) const fn at(site: Site, raw: R) -> Self {
        Self(Tag::beside(Some(site), raw))
    }

    /// One whose creation nobody saw: it was made by a constant of a trait.
    pub(crate) const fn unknown(raw: R) -> Self {
        Self(Tag::beside(None, raw))
    }

    /// The original.
    #[inline(always)]
    pub(crate) fn raw(&self) -> &R {
        self.0.raw()
    }
}

/// A lock that is being taken by a library, for a caller at `site`: told when it has been.
pub(crate) struct Taking {
    id: u32,
    site: Site,
}

impl Drop for Taking {
    #[inline(always)]
    fn drop(&mut self) {
        if self.id != 0 {
            recorder::taken_at(self.id, self.site);
        }
    }
}

impl<R: Original> Recorded<R> {
    /// Its id, given now if it has none and a recording runs; 0: nothing is recorded.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn id(&self) -> u32 {
        self.0.id(R::KIND)
    }

    /// The same, used at `site`.
    #[inline(always)]
    pub(crate) fn id_at(&self, site: Site) -> u32 {
        self.0.id_at(R::KIND, site)
    }

    /// A library is about to take the lock, for a caller who may have it already.
    #[inline(always)]
    pub(crate) fn taking(&self, site: Site, has_it: impl FnOnce() -> bool) -> Taking {
        let id = self.id_at(site);
        Taking { id: if id == 0 || has_it() { 0 } else { id }, site }
    }

    /// A try has failed: it may be by this thread itself that the lock is held.
    #[cold]
    #[inline(never)]
    pub(crate) fn refused(&self, access: Access, site: Site) {
        let id = self.0.known_id();
        if id != 0 {
            recorder::refused(id, R::KIND.ids(), access.operation(R::KIND), site);
        }
    }

    /// The lock has been taken.
    #[inline(always)]
    pub(crate) fn acquired(&self, access: Access, site: Site) {
        acquired(self.id_at(site), access, site);
    }

    /// The lock is about to be given back.
    #[inline(always)]
    pub(crate) fn releasing(&self, access: Access) {
        let id = self.0.known_id();
        if id != 0 {
            recorder::released(id + access.offset());
        }
    }

    /// Counts what is done under the lock, by the id at this offset from its own.
    #[inline(always)]
    pub(crate) fn count(&self, offset: u32) {
        let id = self.0.known_id();
        if id != 0 {
            recorder::count(id + offset);
        }
    }

    /// The lock is held in another way from now on.
    pub(crate) fn changed(&self, from: Access, to: Access, site: Site) {
        self.releasing(from);
        self.acquired(to, site);
    }

    /// Takes the lock as `attempt` does, else as `block` does: for who waits as long as it must. `id` is the lock's, not 0.
    #[inline(always)]
    pub(crate) fn take<G>(
        &self,
        id: u32,
        access: Access,
        site: Site,
        attempt: impl FnOnce() -> Option<G>,
        block: impl FnOnce() -> G,
    ) -> G {
        let (counted, operation) = (id + access.offset(), access.operation(R::KIND));
        let acquire = Acquire::of(counted);
        let guard = attempt().unwrap_or_else(|| acquired_slowly(counted, operation, site, block));
        acquire.taken(operation, site);
        if access == Access::Upgradable {
            recorder::upgradable(counted);
        }
        guard
    }

    /// The same for who does not wait for ever, or may have the lock already.
    #[inline(always)]
    pub(crate) fn take_or_wait<G>(
        &self,
        access: Access,
        site: Site,
        attempt: Option<G>,
        block: impl FnOnce() -> Option<G>,
    ) -> Option<G> {
        let got = attempt.or_else(|| self.wait(access, access.operation(R::KIND), site, block))?;
        self.acquired(access, site);
        Some(got)
    }

    /// Waits, told before and after. `block` blocks, and yields `None` where its time was up.
    #[cold]
    #[inline(never)]
    pub(crate) fn wait<G>(
        &self,
        access: Access,
        operation: Operation,
        site: Site,
        block: impl FnOnce() -> Option<G>,
    ) -> Option<G> {
        let id = self.id_at(site);
        let wait = (id != 0).then(|| Wait::begin(id + access.offset(), operation, site)).flatten();
        let got = block();
        if let Some(wait) = wait {
            wait.end(if got.is_some() { WaitEnd::Done } else { WaitEnd::TimedOut });
        }
        got
    }
}

/// The lock with this id, or with none, has been taken.
#[inline(always)]
fn acquired(id: u32, access: Access, site: Site) {
    if id != 0 {
        recorder::acquired(id + access.offset(), site);
        if access == Access::Upgradable {
            recorder::upgradable(id + 1);
        }
    }
}

/// Calls what blocks until it is done: a wait for what is counted by `id`, 0 where it is not recorded.
#[cold]
#[inline(never)]
pub(crate) fn waited<R>(id: u32, operation: Operation, site: Site, block: impl FnOnce() -> R) -> R {
    let wait = Wait::begin(id, operation, site);
    let result = block();
    if let Some(wait) = wait {
        wait.end(WaitEnd::Done);
    }
    result
}

/// The same of who acquires something: first it is told what it holds.
#[cold]
#[inline(never)]
pub(crate) fn acquired_slowly<R>(id: u32, operation: Operation, site: Site, block: impl FnOnce() -> R) -> R {
    if id != 0 {
        recorder::acquiring(id, operation, site);
    }
    waited(id, operation, site, block)
}
