//! What all locks of this module share: a hold that ends with its guard, and a wait around a call that blocks.
use crate::recorder::{self, Acquire, Site};
use lockprof_trace::Operation;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// A lock is held, by this thread. Dropped, it is off the held list: so it stands before the original's guard in each
/// guard, and the record never shows two holders.
pub(crate) struct Held {
    /// The id under which it is held; 0: it is not recorded.
    id: u32,
}

impl Held {
    /// It has been acquired, at `site`. `id` is 0 where it is not recorded.
    #[inline(always)]
    pub(crate) fn new(id: u32, site: Site) -> Self {
        if id != 0 {
            recorder::acquired(id, site);
        }
        Self { id }
    }

    /// The same, of who would have waited for it as long as it must.
    #[inline(always)]
    pub(super) fn taken(acquire: Option<Acquire>, operation: Operation, site: Site) -> Self {
        if let Some(acquire) = acquire {
            acquire.taken(operation, site);
        }
        Self { id: acquire.map_or(0, Acquire::id) }
    }

    /// The id under which it is held, or 0.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }
}

impl Drop for Held {
    #[inline(always)]
    fn drop(&mut self) {
        if self.id != 0 {
            recorder::released(self.id);
        }
    }
}

/// A try has failed on a lock with this many ids from `id` on, which is 0 where it is not recorded.
#[cold]
#[inline(never)]
pub(super) fn refused(id: u32, ids: u32, operation: Operation, site: Site) {
    if id != 0 {
        recorder::refused(id, ids, operation, site);
    }
}

/// What a try has got, else what `wait` gets, and whether it is poisoned: which is asked for apart from the guard, so that both stay
/// in registers. A result of a call would not, and the lock would be given back through memory: 7 % on some machines.
#[inline(always)]
pub(super) fn at_once_or<G>(
    attempt: TryLockResult<G>,
    wait: impl FnOnce() -> G,
    is_poisoned: impl FnOnce() -> bool,
) -> (G, bool) {
    match attempt {
        Ok(guard) => (guard, false),
        Err(TryLockError::Poisoned(poisoned)) => (poisoned.into_inner(), true),
        Err(TryLockError::WouldBlock) => (wait(), is_poisoned()),
    }
}

/// The guard, poisoned or not.
#[inline(always)]
pub(super) fn result<G>(guard: G, poisoned: bool) -> LockResult<G> {
    if poisoned { Err(PoisonError::new(guard)) } else { Ok(guard) }
}

/// The guard, whether it is poisoned or not.
pub(super) fn into_guard<G>(locked: LockResult<G>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}

/// Makes another guard of a guard, poisoned or not.
#[inline(always)]
pub(super) fn wrap<G, H>(locked: LockResult<G>, guard: impl FnOnce(G) -> H) -> LockResult<H> {
    match locked {
        Ok(inner) => Ok(guard(inner)),
        Err(poisoned) => Err(PoisonError::new(guard(poisoned.into_inner()))),
    }
}
