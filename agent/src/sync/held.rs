//! What all locks of this module share: a hold that ends with its guard, and a wait around a call that blocks.
use crate::recorder::{self, Acquire, Site};
use lockprof_trace::Operation;
use std::sync::{LockResult, PoisonError};

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

/// Makes another guard of a guard, poisoned or not.
#[inline(always)]
pub(super) fn wrap<G, H>(locked: LockResult<G>, guard: impl FnOnce(G) -> H) -> LockResult<H> {
    match locked {
        Ok(inner) => Ok(guard(inner)),
        Err(poisoned) => Err(PoisonError::new(guard(poisoned.into_inner()))),
    }
}
