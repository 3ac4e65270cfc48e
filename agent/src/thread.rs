//! [`std::thread`], recorded: who spawned whom and where, how threads end, and who waits for that.
mod children;

use crate::recorder::{NewThread, Site, Wait, moved};
use lockprof_trace::{Operation, Party, WaitEnd};
use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::thread as original;

pub use std::thread::*;

/// [`std::thread::Builder`], recorded.
#[must_use = "must eventually spawn the thread"]
pub struct Builder {
    inner: original::Builder,
}

/// [`std::thread::JoinHandle`], recorded.
pub struct JoinHandle<T> {
    inner: original::JoinHandle<T>,
    child: Party,
}

/// [`std::thread::Scope`], recorded.
#[repr(transparent)]
pub struct Scope<'scope, 'env: 'scope> {
    inner: original::Scope<'scope, 'env>,
}

/// [`std::thread::ScopedJoinHandle`], recorded.
pub struct ScopedJoinHandle<'scope, T> {
    inner: original::ScopedJoinHandle<'scope, T>,
    child: Party,
}

/// A thread that is about to be spawned, as long as it lives.
type Child = Option<Arc<NewThread>>;

fn party(child: &Child) -> Party {
    child.as_ref().map_or(Party::UNKNOWN, |child| child.party())
}

/// What the child runs.
fn recorded<T>(child: Child, f: impl FnOnce() -> T) -> impl FnOnce() -> T {
    moved(&f, party(&child));
    move || {
        if let Some(child) = &child {
            child.begin();
        }
        let result = f();
        drop(child);
        result
    }
}

/// Waits for the end of `child`.
fn joined<R>(child: Party, site: Site, join: impl FnOnce() -> R) -> R {
    let wait = Wait::begin_for(0, Operation::Join, site, child);
    let result = join();
    if let Some(wait) = wait {
        wait.end(WaitEnd::Done);
    }
    result
}

/// As [`std::thread::spawn`].
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T,
    F: Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}

/// As [`std::thread::scope`]. Where threads are left to its end, it waits for them in the record too.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let end = children::End::new(Location::caller());
    original::scope(|inner| {
        // SAFETY: `Scope` is the original in a transparent wrapper, so a reference to one is a reference to the other.
        let scope = unsafe { &*std::ptr::from_ref(inner).cast::<Scope<'_, '_>>() };
        let _leaving = end.leaving(scope.address());
        f(scope)
    })
}

impl Builder {
    /// As [`std::thread::Builder::new`].
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { inner: original::Builder::new() }
    }

    /// As [`std::thread::Builder::name`]. The trace has it in full.
    pub fn name(self, name: String) -> Self {
        Self { inner: self.inner.name(name) }
    }

    /// As [`std::thread::Builder::stack_size`].
    pub fn stack_size(self, size: usize) -> Self {
        Self { inner: self.inner.stack_size(size) }
    }

    /// As [`std::thread::Builder::spawn`].
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T,
        F: Send + 'static,
        T: Send + 'static,
    {
        let child = NewThread::spawn(Location::caller()).map(Arc::new);
        Ok(JoinHandle { child: party(&child), inner: self.inner.spawn(recorded(child, f))? })
    }

    /// As [`std::thread::Builder::spawn_unchecked`].
    ///
    /// # Safety
    /// As there: the thread must end before what it borrows.
    #[track_caller]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T,
        F: Send,
        T: Send,
    {
        let child = NewThread::spawn(Location::caller()).map(Arc::new);
        let party = party(&child);
        // SAFETY: the caller's promise holds for what surrounds `f` too, which borrows nothing.
        let inner = unsafe { self.inner.spawn_unchecked(recorded(child, f))? };
        Ok(JoinHandle { inner, child: party })
    }

    /// As [`std::thread::Builder::spawn_scoped`].
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let child = NewThread::spawn(Location::caller()).map(Arc::new);
        children::add(scope.address(), &child);
        let party = party(&child);
        let inner = self.inner.spawn_scoped(&scope.inner, recorded(child, f))?;
        Ok(ScopedJoinHandle { inner, child: party })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<'scope> Scope<'scope, '_> {
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// As [`std::thread::Scope::spawn`].
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Builder::new().spawn_scoped(self, f).expect("failed to spawn thread")
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> JoinHandle<T> {
    /// As [`std::thread::JoinHandle::thread`].
    #[must_use]
    pub fn thread(&self) -> &Thread {
        self.inner.thread()
    }

    /// As [`std::thread::JoinHandle::join`].
    #[track_caller]
    pub fn join(self) -> Result<T> {
        joined(self.child, Location::caller(), || self.inner.join())
    }

    /// As [`std::thread::JoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> ScopedJoinHandle<'_, T> {
    /// As [`std::thread::ScopedJoinHandle::thread`].
    #[must_use]
    pub fn thread(&self) -> &Thread {
        self.inner.thread()
    }

    /// As [`std::thread::ScopedJoinHandle::join`].
    #[track_caller]
    pub fn join(self) -> Result<T> {
        joined(self.child, Location::caller(), || self.inner.join())
    }

    /// As [`std::thread::ScopedJoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[cfg(unix)]
impl<T> std::os::unix::thread::JoinHandleExt for JoinHandle<T> {
    fn as_pthread_t(&self) -> std::os::unix::thread::RawPthread {
        self.inner.as_pthread_t()
    }

    fn into_pthread_t(self) -> std::os::unix::thread::RawPthread {
        self.inner.into_pthread_t()
    }
}

#[cfg(windows)]
mod windows {
    use super::JoinHandle;
    use std::os::windows::io::{
        AsHandle, AsRawHandle, BorrowedHandle, IntoRawHandle, OwnedHandle, RawHandle,
    };

    impl<T> AsRawHandle for JoinHandle<T> {
        fn as_raw_handle(&self) -> RawHandle {
            self.inner.as_raw_handle()
        }
    }

    impl<T> IntoRawHandle for JoinHandle<T> {
        fn into_raw_handle(self) -> RawHandle {
            self.inner.into_raw_handle()
        }
    }

    impl<T> AsHandle for JoinHandle<T> {
        fn as_handle(&self) -> BorrowedHandle<'_> {
            self.inner.as_handle()
        }
    }

    impl<T> From<JoinHandle<T>> for OwnedHandle {
        fn from(handle: JoinHandle<T>) -> Self {
            handle.inner.into()
        }
    }
}
