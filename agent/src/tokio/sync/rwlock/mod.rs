//! `tokio::sync::RwLock`: who waits for it, and who reads or writes since which line.
mod guards;
mod owned;

pub use guards::{RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard};
pub use owned::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

use super::held::{Held, Lock, keep, would_block};
use crate::recorder::{Site, Tag};
use crate::tokio::wait::{Op, TryFirst};
use ::tokio::sync::{Semaphore, TryLockError};
use lockprof_trace::{Kind, Operation, Role};
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

/// As many as tokio's.
const MAX_READS: u32 = u32::MAX >> 3;

/// An asynchronous reader-writer lock. See [`tokio::sync::RwLock`](::tokio::sync::RwLock).
pub struct RwLock<T: ?Sized> {
    tag: Tag,
    /// Permits that a writer takes: all.
    max_reads: u32,
    semaphore: Semaphore,
    data: UnsafeCell<T>,
}

// SAFETY: the data is reached by guards, one that writes or many that read.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T: ?Sized> RwLock<T> {
    /// Creates a new instance of an `RwLock<T>` which is unlocked, known by the caller's line.
    #[track_caller]
    pub fn new(value: T) -> RwLock<T>
    where
        T: Sized,
    {
        Self::const_new(value)
    }

    /// Creates a new instance of an `RwLock<T>` which is unlocked and allows a maximum of `max_reads` concurrent readers.
    ///
    /// # Panics
    /// `max_reads` is 0, or more than `u32::MAX >> 3`.
    #[track_caller]
    pub fn with_max_readers(value: T, max_reads: u32) -> RwLock<T>
    where
        T: Sized,
    {
        assert_ne!(max_reads, 0, "a RwLock may not be created with 0 readers");
        assert!(max_reads <= MAX_READS, "a RwLock may not be created with more than {MAX_READS} readers");
        Self::const_with_max_readers(value, max_reads)
    }

    /// Creates a new instance of an `RwLock<T>` which is unlocked, known by the caller's line.
    #[track_caller]
    pub const fn const_new(value: T) -> RwLock<T>
    where
        T: Sized,
    {
        Self::const_with_max_readers(value, MAX_READS)
    }

    /// Creates a new instance of an `RwLock<T>` which is unlocked and allows a maximum of `max_reads` concurrent readers.
    ///
    /// # Panics
    /// `max_reads` is 0, or more than `u32::MAX >> 3`.
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> RwLock<T>
    where
        T: Sized,
    {
        assert!(max_reads != 0, "a RwLock may not be created with 0 readers");
        assert!(max_reads <= MAX_READS);
        let tag = Tag::new(Location::caller());
        let semaphore = Semaphore::const_new(max_reads as usize);
        Self { tag, max_reads, semaphore, data: UnsafeCell::new(value) }
    }

    #[inline(always)]
    fn reading(&self, site: Site) -> Op {
        let id = self.tag.id_at(Kind::TokioRwLock, site);
        // The id behind the lock's own counts its readers.
        Op::new(if id == 0 { 0 } else { id + 1 }, Operation::Read, site).queueing()
    }

    #[inline(always)]
    fn writing(&self, site: Site) -> Op {
        Op::new(self.tag.id_at(Kind::TokioRwLock, site), Operation::Write, site).queueing()
    }

    #[inline(always)]
    fn read_guard(&self, op: &Op) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard::new(Held::new(op, Role::Shared, 1, &self.semaphore), self.data.get())
    }

    #[inline(always)]
    fn write_guard(&self, op: &Op) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard::new(
            Held::new(op, Role::Exclusive, self.max_reads, &self.semaphore),
            self.data.get(),
        )
    }

    /// Locks this `RwLock` with shared read access. See [`tokio`](::tokio::sync::RwLock::read).
    #[track_caller]
    #[inline]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        let op = self.reading(Location::caller());
        let attempt = |(): &mut ()| self.semaphore.try_acquire().ok().map(Ok);
        TryFirst::new(
            op,
            (),
            attempt,
            |()| self.semaphore.acquire(),
            move |permit| {
                keep(permit);
                self.read_guard(&op)
            },
        )
    }

    /// Blockingly locks this `RwLock` with shared read access. See [`tokio`](::tokio::sync::RwLock::blocking_read).
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        let op = self.reading(Location::caller());
        let wait = op.blocking(self.semaphore.available_permits() == 0);
        let permit = self.semaphore.blocking_acquire();
        wait.over(&permit);
        keep(permit);
        self.read_guard(&op)
    }

    /// Locks this `RwLock` with shared read access, which the guard owns. See [`tokio`](::tokio::sync::RwLock::read_owned).
    #[track_caller]
    pub fn read_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockReadGuard<T>> {
        let op = self.reading(Location::caller());
        acquire_owned(op, self, 1, Role::Shared, OwnedRwLockReadGuard::new)
    }

    /// Attempts to acquire this `RwLock` with shared read access.
    ///
    /// # Errors
    /// It is locked for writing, or a writer waits.
    #[track_caller]
    #[inline]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        self.try_acquire(1)?;
        Ok(self.read_guard(&self.reading(Location::caller())))
    }

    /// Attempts to acquire this `RwLock` with shared read access, which the guard owns.
    ///
    /// # Errors
    /// It is locked for writing, or a writer waits.
    #[track_caller]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        self.try_acquire(1)?;
        let op = self.reading(Location::caller());
        Ok(OwnedRwLockReadGuard::new(Held::new(&op, Role::Shared, 1, self)))
    }

    /// Locks this `RwLock` with exclusive write access. See [`tokio`](::tokio::sync::RwLock::write).
    #[track_caller]
    #[inline]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        let op = self.writing(Location::caller());
        let attempt = |(): &mut ()| self.semaphore.try_acquire_many(self.max_reads).ok().map(Ok);
        TryFirst::new(
            op,
            (),
            attempt,
            |()| self.semaphore.acquire_many(self.max_reads),
            move |permit| {
                keep(permit);
                self.write_guard(&op)
            },
        )
    }

    /// Blockingly locks this `RwLock` with exclusive write access. See [`tokio`](::tokio::sync::RwLock::blocking_write).
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        let op = self.writing(Location::caller());
        let wait = op.blocking(self.semaphore.available_permits() < self.max_reads as usize);
        let permit = self.semaphore.blocking_acquire_many(self.max_reads);
        wait.over(&permit);
        keep(permit);
        self.write_guard(&op)
    }

    /// Locks this `RwLock` with exclusive write access, which the guard owns. See
    /// [`tokio`](::tokio::sync::RwLock::write_owned).
    #[track_caller]
    pub fn write_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockWriteGuard<T>> {
        let (op, permits) = (self.writing(Location::caller()), self.max_reads);
        acquire_owned(op, self, permits, Role::Exclusive, OwnedRwLockWriteGuard::new)
    }

    /// Attempts to acquire this `RwLock` with exclusive write access.
    ///
    /// # Errors
    /// It is locked.
    #[track_caller]
    #[inline]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        self.try_acquire(self.max_reads)?;
        Ok(self.write_guard(&self.writing(Location::caller())))
    }

    /// Attempts to acquire this `RwLock` with exclusive write access, which the guard owns.
    ///
    /// # Errors
    /// It is locked.
    #[track_caller]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        self.try_acquire(self.max_reads)?;
        let (op, permits) = (self.writing(Location::caller()), self.max_reads);
        Ok(OwnedRwLockWriteGuard::new(Held::new(&op, Role::Exclusive, permits, self)))
    }

    #[inline(always)]
    fn try_acquire(&self, permits: u32) -> Result<(), TryLockError> {
        let permit = self.semaphore.try_acquire_many(permits);
        if permit.is_err() {
            return Err(would_block());
        }
        keep(permit);
        Ok(())
    }

    /// Returns a mutable reference to the underlying data.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Consumes the lock, returning the underlying data.
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.data.into_inner()
    }
}

fn acquire_owned<T: ?Sized, G>(
    op: Op,
    lock: Arc<RwLock<T>>,
    permits: u32,
    role: Role,
    mut guard: impl FnMut(Held<Arc<RwLock<T>>>) -> G,
) -> impl Future<Output = G> {
    let attempt = move |lock: &mut Option<_>| Held::try_first(lock, permits);
    let slow = move |lock| Held::wait(lock, permits);
    TryFirst::new(op, Some(lock), attempt, slow, move |mut held| {
        held.tell(&op, role);
        guard(held)
    })
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(s: T) -> Self {
        Self::new(s)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("RwLock");
        match self.semaphore.try_acquire() {
            // SAFETY: the permit is held while the data is looked at.
            Ok(_permit) => d.field("data", &unsafe { &*self.data.get() }),
            Err(_) => d.field("data", &format_args!("<locked>")),
        };
        d.finish()
    }
}

impl<T: ?Sized> Lock for Arc<RwLock<T>> {
    #[inline(always)]
    fn semaphore(&self) -> &Semaphore {
        &self.semaphore
    }
}
