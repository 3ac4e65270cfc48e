//! A set of tasks that are awaited, and aborted, together.
#[cfg(tokio_unstable)]
mod builder;

#[cfg(tokio_unstable)]
pub use builder::Builder;

use super::recorded::{InSet, SetAborts};
use super::{AbortHandle, Job, LocalSet};
use crate::recorder::{InRuntime, RECORDING, is_abandoning};
use crate::tokio::runtime::Handle;
use crate::tokio::wait::{Op, Waits};
use ::tokio::task as original;
use ::tokio::task::{Id, JoinError};
use lockprof_trace::Operation;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

/// A collection of tasks spawned on a Tokio runtime. See [`tokio::task::JoinSet`](original::JoinSet).
pub struct JoinSet<T> {
    inner: original::JoinSet<T>,
    /// Made with the first recorded task; shared with all that can be aborted from here.
    aborts: SetAborts,
}

impl<T> JoinSet<T> {
    /// Create a new `JoinSet`.
    pub fn new() -> Self {
        Self { inner: original::JoinSet::new(), aborts: None }
    }

    /// Returns the number of tasks currently in the `JoinSet`.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Returns whether the `JoinSet` is empty.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// From here on, no task that is in the set now will be aborted by it. Where the set goes with a runtime's shutdown,
    /// so do its tasks.
    fn told_to_abort(&mut self) {
        if let Some(aborts) = self.aborts.take().filter(|_| !is_abandoning()) {
            aborts.store(true, Relaxed);
        }
    }
}

impl<T: 'static> JoinSet<T> {
    fn aborts(&mut self) -> SetAborts {
        if self.aborts.is_none() && RECORDING.load(Relaxed) {
            self.aborts = Some(Arc::default());
        }
        self.aborts.clone()
    }

    /// Spawn the provided task on the `JoinSet`. See [`tokio`](original::JoinSet::spawn).
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T>,
        F: Send + 'static,
        T: Send,
    {
        let (task, spawned) = InSet::new(self.aborts(), task);
        spawned.abort_handle(self.inner.spawn(task))
    }

    /// Spawn the provided task on the provided runtime. See [`tokio`](original::JoinSet::spawn_on).
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T>,
        F: Send + 'static,
        T: Send,
    {
        let _there = handle.there();
        let (task, spawned) = InSet::new(self.aborts(), task);
        spawned.abort_handle(self.inner.spawn_on(task, handle.original()))
    }

    /// Spawn the provided task on the current [`LocalSet`]. See [`tokio`](original::JoinSet::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T>,
        F: 'static,
    {
        let _unknown = InRuntime::enter(0);
        let (task, spawned) = InSet::new(self.aborts(), task);
        spawned.abort_handle(self.inner.spawn_local(task))
    }

    /// Spawn the provided task on the provided [`LocalSet`]. See [`tokio`](original::JoinSet::spawn_local_on).
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T>,
        F: 'static,
    {
        let _unknown = InRuntime::enter(0);
        let (task, spawned) = InSet::new(self.aborts(), task);
        spawned.abort_handle(self.inner.spawn_local_on(task, local_set.original()))
    }

    /// Spawn the blocking code on the blocking threadpool. See [`tokio`](original::JoinSet::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T,
        F: Send + 'static,
        T: Send,
    {
        let (job, spawned) = Job::new_in(self.aborts(), f);
        spawned.abort_handle(self.inner.spawn_blocking(move || job.run()))
    }

    /// Spawn the blocking code on the blocking threadpool of the provided runtime. See
    /// [`tokio`](original::JoinSet::spawn_blocking_on).
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T,
        F: Send + 'static,
        T: Send,
    {
        let _there = handle.there();
        let (job, spawned) = Job::new_in(self.aborts(), f);
        spawned.abort_handle(self.inner.spawn_blocking_on(move || job.run(), handle.original()))
    }

    /// Waits until one of the tasks in the set completes and returns its output. See
    /// [`tokio`](original::JoinSet::join_next).
    #[track_caller]
    pub fn join_next(&mut self) -> impl Future<Output = Option<Result<T, JoinError>>> {
        let op = Op::new(0, Operation::Join, Location::caller()).queueing();
        Waits::new(op, self.inner.join_next(), |out| out)
    }

    /// Waits until one of the tasks in the set completes and returns its output, along with its task ID. See
    /// [`tokio`](original::JoinSet::join_next_with_id).
    #[track_caller]
    pub fn join_next_with_id(&mut self) -> impl Future<Output = Option<Result<(Id, T), JoinError>>> {
        let op = Op::new(0, Operation::Join, Location::caller()).queueing();
        Waits::new(op, self.inner.join_next_with_id(), |out| out)
    }

    /// Tries to join one of the tasks in the set that has completed and return its output.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.inner.try_join_next()
    }

    /// Tries to join one of the tasks in the set that has completed and return its output, along with its task ID.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.inner.try_join_next_with_id()
    }

    /// Aborts all tasks and waits for them to finish shutting down. See [`tokio`](original::JoinSet::shutdown).
    #[track_caller]
    pub fn shutdown(&mut self) -> impl Future<Output = ()> {
        let op = Op::new(0, Operation::Join, Location::caller()).queueing();
        let mut told = false;
        let joined = poll_fn(move |cx| {
            if !std::mem::replace(&mut told, true) {
                self.abort_all();
            }
            while std::task::ready!(self.inner.poll_join_next(cx)).is_some() {}
            Poll::Ready(())
        });
        Waits::new(op, joined, |out| out)
    }

    /// Awaits the completion of all tasks in this `JoinSet`, returning a vector of their results. See
    /// [`tokio`](original::JoinSet::join_all).
    #[track_caller]
    pub fn join_all(mut self) -> impl Future<Output = Vec<T>> {
        let op = Op::new(0, Operation::Join, Location::caller()).queueing();
        let mut output = Vec::with_capacity(self.len());
        let joined = poll_fn(move |cx| {
            loop {
                match std::task::ready!(self.inner.poll_join_next(cx)) {
                    Some(Ok(value)) => output.push(value),
                    Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    Some(Err(error)) => panic!("{error}"),
                    None => return Poll::Ready(Some(std::mem::take(&mut output))),
                }
            }
        });
        Waits::new(op, joined, Option::unwrap_or_default)
    }

    /// Aborts all tasks on this `JoinSet`. See [`tokio`](original::JoinSet::abort_all).
    pub fn abort_all(&mut self) {
        self.told_to_abort();
        self.inner.abort_all();
    }

    /// Removes all tasks from this `JoinSet` without aborting them. See [`tokio`](original::JoinSet::detach_all).
    pub fn detach_all(&mut self) {
        self.aborts = None;
        self.inner.detach_all();
    }

    /// Polls for one of the tasks in the set to complete. See [`tokio`](original::JoinSet::poll_join_next).
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.inner.poll_join_next(cx)
    }

    /// Polls for one of the tasks in the set to complete. See [`tokio`](original::JoinSet::poll_join_next_with_id).
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.inner.poll_join_next_with_id(cx)
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.told_to_abort();
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T>,
    F: Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(iter: I) -> Self {
        let mut set = Self::new();
        set.extend(iter);
        set
    }
}

impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T>,
    F: Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn extend<I>(&mut self, iter: I)
    where
        I: IntoIterator<Item = F>,
    {
        for task in iter {
            self.spawn(task);
        }
    }
}
