//! Permits of a lock's semaphore that a guard holds: tokio's locks are a semaphore and a cell, and so are these.
//!
//! They stand on tokio's own [`Semaphore`], which queues, wakes and spends the budget. That a guard owns an `Arc` of the
//! recorded lock is why tokio's own guards will not do.
use crate::recorder::Handle;
use crate::tokio::wait::{Ended, Op};
use ::tokio::sync::{Mutex, Semaphore, SemaphorePermit, TryLockError};
use lockprof_trace::{Role, WaitEnd};

/// What a guard keeps of its lock.
pub(super) trait Lock {
    /// Whether the guard may outlive the borrow of its lock.
    const OWNED: bool = true;

    fn semaphore(&self) -> &Semaphore;
}

impl Lock for &Semaphore {
    const OWNED: bool = false;

    #[inline(always)]
    fn semaphore(&self) -> &Semaphore {
        self
    }
}

/// Permits held.
pub(super) struct Held<L: Lock> {
    handle: Handle,
    permits: u32,
    lock: L,
}

impl<L: Lock> Held<L> {
    /// The permits were taken, as by `op`.
    #[inline(always)]
    pub(super) fn new(op: &Op, role: Role, permits: u32, lock: L) -> Self {
        Self { handle: taken::<L>(op, role), permits, lock }
    }

    /// The permits of `lock`, if nobody is in the way; not told yet.
    pub(super) fn try_first(lock: &mut Option<L>, permits: u32) -> Option<Self> {
        lock.as_ref()?.semaphore().try_acquire_many(permits).ok()?.forget();
        Some(Self { handle: Handle::NONE, permits, lock: lock.take()? })
    }

    /// Waits for the permits of `lock`, which is there; not told yet.
    pub(super) async fn wait(lock: Option<L>, permits: u32) -> Self {
        let lock = lock.expect("is taken once");
        keep(lock.semaphore().acquire_many(permits).await);
        Self { handle: Handle::NONE, permits, lock }
    }

    /// What was taken, as by `op`, is told.
    #[inline(always)]
    pub(super) fn tell(&mut self, op: &Op, role: Role) {
        self.handle = taken::<L>(op, role);
    }

    /// The lock that is held.
    #[inline(always)]
    pub(super) fn lock(&self) -> &L {
        &self.lock
    }

    /// Gives back all but one: readers may come in.
    pub(super) fn downgrade(mut self) -> Self {
        self.handle.set_role(Role::Shared);
        let others = self.permits - 1;
        self.permits = 1;
        self.lock.semaphore().add_permits(others as usize);
        self
    }
}

#[inline(always)]
fn taken<L: Lock>(op: &Op, role: Role) -> Handle {
    if op.id == 0 {
        return Handle::NONE;
    }
    // The id behind a lock's own counts its readers.
    let object = if role == Role::Shared { op.id - 1 } else { op.id };
    let handle = Handle::guard((object, op.id), role, op.site, 1);
    if L::OWNED { handle.travels() } else { handle }
}

impl<L: Lock> Ended for Held<L> {
    fn ended(&self) -> WaitEnd {
        WaitEnd::Done
    }
}

impl<L: Lock> Drop for Held<L> {
    #[inline(always)]
    fn drop(&mut self) {
        // First in the record: once it is free, the next one has it.
        drop(std::mem::replace(&mut self.handle, Handle::NONE));
        self.lock.semaphore().add_permits(self.permits as usize);
    }
}

/// The permits are a guard's from now on.
#[inline(always)]
pub(super) fn keep<E>(permit: Result<SemaphorePermit<'_>, E>) {
    // A lock's semaphore is never closed.
    if let Ok(permit) = permit {
        permit.forget();
    }
}

/// The error that only tokio can make.
#[cold]
pub(super) fn would_block() -> TryLockError {
    let mutex = Mutex::const_new(());
    let _guard = mutex.try_lock();
    match mutex.try_lock() {
        Err(error) => error,
        Ok(_) => unreachable!("its guard is alive"),
    }
}
