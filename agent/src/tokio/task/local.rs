//! Tasks that stay on one thread.
use super::{JoinHandle, Recorded};
use crate::recorder::InRuntime;
use crate::tokio::runtime::Runtime;
use ::tokio::runtime::Id;
use ::tokio::task as original;
use ::tokio::task::LocalEnterGuard;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Spawns a `!Send` future on the current [`LocalSet`] or local runtime. See
/// [`tokio::task::spawn_local`](original::spawn_local).
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    // Who polls it is known by its first poll.
    let _unknown = InRuntime::enter(0);
    let (task, spawned) = Recorded::new(future);
    spawned.handle(original::spawn_local(task))
}

/// A set of tasks which are executed on the same thread. See [`tokio::task::LocalSet`](original::LocalSet).
#[derive(Default)]
pub struct LocalSet(original::LocalSet);

impl LocalSet {
    /// Returns a new local task set.
    pub fn new() -> LocalSet {
        Self(original::LocalSet::new())
    }

    pub(super) fn original(&self) -> &original::LocalSet {
        &self.0
    }

    /// Enters the context of this `LocalSet`. See [`tokio`](original::LocalSet::enter).
    pub fn enter(&self) -> LocalEnterGuard {
        self.0.enter()
    }

    /// Spawns a `!Send` task onto the local task set. See [`tokio`](original::LocalSet::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        // Who polls it is known by its first poll.
        let _unknown = InRuntime::enter(0);
        let (task, spawned) = Recorded::new(future);
        spawned.handle(self.0.spawn_local(task))
    }

    /// Runs a future to completion on the provided runtime, driving any local futures spawned on this task set. See
    /// [`tokio`](original::LocalSet::block_on).
    #[track_caller]
    pub fn block_on<F>(&self, rt: &Runtime, future: F) -> F::Output
    where
        F: Future,
    {
        let _works = rt.works(Location::caller());
        self.0.block_on(rt.original(), future)
    }

    /// Runs a future to completion on the local set, returning its output. See
    /// [`tokio`](original::LocalSet::run_until).
    pub fn run_until<F>(&self, future: F) -> impl Future<Output = F::Output>
    where
        F: Future,
    {
        self.0.run_until(future)
    }

    /// Returns the [`Id`] of the current `LocalSet` runtime.
    pub fn id(&self) -> Id {
        self.0.id()
    }

    /// Configure how the `LocalSet` responds to an unhandled panic on a spawned task. See
    /// [`tokio`](original::LocalSet::unhandled_panic).
    #[cfg(tokio_unstable)]
    pub fn unhandled_panic(&mut self, behavior: ::tokio::runtime::UnhandledPanic) -> &mut Self {
        self.0.unhandled_panic(behavior);
        self
    }
}

impl Future for LocalSet {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
