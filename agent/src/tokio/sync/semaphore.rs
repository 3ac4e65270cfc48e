//! `tokio::sync::Semaphore`: who waits for permits, and who has them since which line.
use crate::recorder::{Handle, Site, Tag};
use crate::tokio::wait::{Op, TryFirst};
use ::tokio::sync as original;
use ::tokio::sync::{AcquireError, TryAcquireError};
use lockprof_trace::{Kind, Operation, Role};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

/// Counting semaphore performing asynchronous permit acquisition. See [`tokio::sync::Semaphore`](original::Semaphore).
pub struct Semaphore {
    tag: Tag,
    /// One of the permits that were forgotten: they are still taken, and nobody is going to give them back.
    forgotten: OnceLock<Handle>,
    inner: original::Semaphore,
}

impl Semaphore {
    /// The maximum number of permits which a semaphore can hold.
    pub const MAX_PERMITS: usize = original::Semaphore::MAX_PERMITS;

    /// Creates a new semaphore with the initial number of permits, known by the caller's line.
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        let inner = original::Semaphore::new(permits);
        Self { tag: Tag::new(Location::caller()), forgotten: OnceLock::new(), inner }
    }

    /// Creates a new semaphore with the initial number of permits, known by the caller's line.
    #[track_caller]
    pub const fn const_new(permits: usize) -> Self {
        let inner = original::Semaphore::const_new(permits);
        Self { tag: Tag::new(Location::caller()), forgotten: OnceLock::new(), inner }
    }

    #[inline(always)]
    fn op(&self, site: Site) -> Op {
        Op::new(self.tag.id_at(Kind::TokioSemaphore, site), Operation::Acquire, site).queueing()
    }

    #[inline(always)]
    fn permit(&self, op: &Op, permits: usize) -> SemaphorePermit<'_> {
        SemaphorePermit { handle: taken(op, permits), sem: self, permits }
    }

    fn silent_permit(self: Arc<Self>, n: u32) -> OwnedSemaphorePermit {
        OwnedSemaphorePermit { handle: Handle::NONE, sem: self, permits: n as usize }
    }

    /// Returns the current number of available permits.
    pub fn available_permits(&self) -> usize {
        self.inner.available_permits()
    }

    /// Adds `n` new permits to the semaphore. See [`tokio`](original::Semaphore::add_permits).
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.inner.add_permits(n);
    }

    /// Decrease a semaphore's permits by a maximum of `n`. See [`tokio`](original::Semaphore::forget_permits).
    pub fn forget_permits(&self, n: usize) -> usize {
        self.inner.forget_permits(n)
    }

    /// Acquires a permit from the semaphore. See [`tokio`](original::Semaphore::acquire).
    #[track_caller]
    #[inline]
    pub fn acquire(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        let op = self.op(Location::caller());
        let attempt = |(): &mut ()| self.inner.try_acquire().ok().map(Ok);
        TryFirst::new(
            op,
            (),
            attempt,
            |()| self.inner.acquire(),
            move |permit| {
                permit?.forget();
                Ok(self.permit(&op, 1))
            },
        )
    }

    /// Acquires `n` permits from the semaphore. See [`tokio`](original::Semaphore::acquire_many).
    #[track_caller]
    #[inline]
    pub fn acquire_many(&self, n: u32) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        let op = self.op(Location::caller());
        let attempt = move |(): &mut ()| self.inner.try_acquire_many(n).ok().map(Ok);
        TryFirst::new(
            op,
            (),
            attempt,
            move |()| self.inner.acquire_many(n),
            move |permit| {
                permit?.forget();
                Ok(self.permit(&op, n as usize))
            },
        )
    }

    /// Tries to acquire a permit from the semaphore.
    ///
    /// # Errors
    /// It is closed, or there is none.
    #[track_caller]
    #[inline]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.inner.try_acquire()?.forget();
        Ok(self.permit(&self.op(Location::caller()), 1))
    }

    /// Tries to acquire `n` permits from the semaphore.
    ///
    /// # Errors
    /// It is closed, or there are not as many.
    #[track_caller]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.inner.try_acquire_many(n)?.forget();
        Ok(self.permit(&self.op(Location::caller()), n as usize))
    }

    /// Acquires a permit, blocking the thread. See [`tokio`](original::Semaphore::blocking_acquire).
    ///
    /// # Errors
    /// It is closed.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        let op = self.op(Location::caller());
        let wait = op.blocking(self.inner.available_permits() == 0);
        let permit = self.inner.blocking_acquire();
        wait.over(&permit);
        permit?.forget();
        Ok(self.permit(&op, 1))
    }

    /// Acquires `n` permits, blocking the thread. See [`tokio`](original::Semaphore::blocking_acquire_many).
    ///
    /// # Errors
    /// It is closed.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        let op = self.op(Location::caller());
        let wait = op.blocking(self.inner.available_permits() < n as usize);
        let permit = self.inner.blocking_acquire_many(n);
        wait.over(&permit);
        permit?.forget();
        Ok(self.permit(&op, n as usize))
    }

    /// Acquires a permit that owns the semaphore. See [`tokio`](original::Semaphore::acquire_owned).
    #[track_caller]
    pub fn acquire_owned(
        self: Arc<Self>,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        self.acquire_many_owned(1)
    }

    /// Acquires `n` permits that own the semaphore. See [`tokio`](original::Semaphore::acquire_many_owned).
    #[track_caller]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        let op = self.op(Location::caller());
        let attempt = move |sem: &mut Option<Arc<Self>>| {
            sem.as_ref()?.inner.try_acquire_many(n).ok()?.forget();
            Some(Ok(sem.take()?.silent_permit(n)))
        };
        let slow = async move |sem: Option<Arc<Self>>| {
            let sem = sem.expect("is taken once");
            sem.inner.acquire_many(n).await?.forget();
            Ok(sem.silent_permit(n))
        };
        TryFirst::new(op, Some(self), attempt, slow, move |permit: Result<OwnedSemaphorePermit, _>| {
            permit.map(|permit| permit.told(&op))
        })
    }

    /// Tries to acquire a permit that owns the semaphore.
    ///
    /// # Errors
    /// It is closed, or there is none.
    #[track_caller]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// Tries to acquire `n` permits that own the semaphore.
    ///
    /// # Errors
    /// It is closed, or there are not as many.
    #[track_caller]
    pub fn try_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.inner.try_acquire_many(n)?.forget();
        let op = self.op(Location::caller());
        Ok(self.silent_permit(n).told(&op))
    }

    /// Acquires a permit that owns the semaphore, blocking the thread. See
    /// [`tokio`](original::Semaphore::blocking_acquire_owned).
    ///
    /// # Errors
    /// It is closed.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.blocking_acquire_many_owned(1)
    }

    /// Acquires `n` permits that own the semaphore, blocking the thread. See
    /// [`tokio`](original::Semaphore::blocking_acquire_many_owned).
    ///
    /// # Errors
    /// It is closed.
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        let op = self.op(Location::caller());
        let wait = op.blocking(self.inner.available_permits() < n as usize);
        let permit = self.inner.blocking_acquire_many(n);
        wait.over(&permit);
        permit?.forget();
        Ok(self.silent_permit(n).told(&op))
    }

    /// Closes the semaphore. See [`tokio`](original::Semaphore::close).
    pub fn close(&self) {
        self.inner.close();
    }

    /// Returns true if the semaphore is closed.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Permits are forgotten. For the record one of them stands for all: they may be many, as where permits are
    /// messages, and each would take room.
    fn forget(&self, handle: &mut Handle) {
        handle.is_forgotten();
        let _ = self.forgotten.set(std::mem::replace(handle, Handle::NONE));
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[inline(always)]
fn taken(op: &Op, permits: usize) -> Handle {
    let permits = u32::try_from(permits).unwrap_or(u32::MAX);
    if op.id == 0 { Handle::NONE } else { Handle::guard((op.id, op.id), Role::Permit, op.site, permits) }
}

#[inline(always)]
fn handle(id: u32, site: Site, permits: usize) -> Handle {
    Handle::open(id, Role::Permit, site, u32::try_from(permits).unwrap_or(u32::MAX))
}

impl OwnedSemaphorePermit {
    /// It was taken as by `op`.
    fn told(mut self, op: &Op) -> Self {
        self.handle = taken(op, self.permits).travels();
        self
    }
}

/// The methods that both permits have.
macro_rules! permit {
    ([$($life:tt)*] $name:ident $semaphore:ty, |$this:ident| $same:expr, $clone:expr) => {
        impl $($life)* $name $($life)* {
            /// Forgets the permit **without** releasing it back to the semaphore.
            pub fn forget(mut self) {
                self.permits = 0;
                self.sem.forget(&mut self.handle);
            }

            /// Merge two permits together, consuming `other`.
            ///
            /// # Panics
            /// They are of different semaphores.
            #[track_caller]
            pub fn merge(&mut self, mut other: Self) {
                let $this = (&self.sem, &other.sem);
                assert!($same, "merging permits from different semaphore instances");
                self.permits = self.permits.checked_add(other.permits).expect("number of permits overflowed");
                other.permits = 0;
                self.set_count();
            }

            /// Splits `n` permits from `self`; `None` if there are not as many.
            #[track_caller]
            pub fn split(&mut self, n: usize) -> Option<Self> {
                if n > self.permits {
                    return None;
                }
                self.permits -= n;
                self.set_count();
                let handle = handle(self.sem.tag.known_id(), Location::caller(), n);
                Some(Self { handle, sem: $clone(&self.sem), permits: n })
            }

            /// Returns the semaphore from which this permit was acquired.
            pub fn semaphore(&self) -> &$semaphore {
                &self.sem
            }

            /// Returns the number of permits held by `self`.
            pub fn num_permits(&self) -> usize {
                self.permits
            }

            fn set_count(&self) {
                self.handle.set_count(u32::try_from(self.permits).unwrap_or(u32::MAX));
            }
        }

        impl $($life)* Drop for $name $($life)* {
            fn drop(&mut self) {
                // First in the record: once they are free, the next one has them.
                drop(std::mem::replace(&mut self.handle, Handle::NONE));
                self.sem.inner.add_permits(self.permits);
            }
        }

        impl $($life)* fmt::Debug for $name $($life)* {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("sem", &self.sem).field("permits", &self.permits).finish()
            }
        }
    };
}

/// A permit from the semaphore. See [`tokio::sync::SemaphorePermit`](original::SemaphorePermit).
#[must_use]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a> {
    handle: Handle,
    sem: &'a Semaphore,
    permits: usize,
}

permit!([<'a>] SemaphorePermit Semaphore, |sems| std::ptr::eq(*sems.0, *sems.1), |sem: &&'a Semaphore| *sem);

/// An owned permit from the semaphore. See [`tokio::sync::OwnedSemaphorePermit`](original::OwnedSemaphorePermit).
#[must_use]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit {
    handle: Handle,
    sem: Arc<Semaphore>,
    permits: usize,
}

permit!([] OwnedSemaphorePermit Arc<Semaphore>, |sems| Arc::ptr_eq(sems.0, sems.1), Arc::clone);
