//! Tasks of a set with a name for tokio's own tools.
use super::{InSet, JoinSet, SetAborts};
use crate::recorder::InRuntime;
use crate::tokio::runtime::Handle;
use crate::tokio::task::{AbortHandle, Job, LocalSet};
use ::tokio::task::join_set as original;
use std::fmt;
use std::future::Future;
use std::io;

/// A variant of [`task::Builder`](crate::tokio::task::Builder) that spawns tasks on a [`JoinSet`] rather than on the current
/// default runtime. See [`tokio::task::join_set::Builder`](original::Builder).
#[must_use = "builders do nothing unless used to spawn a task"]
pub struct Builder<'a, T> {
    inner: original::Builder<'a, T>,
    aborts: SetAborts,
}

impl<T: 'static> JoinSet<T> {
    /// Returns a [`Builder`] that can be used to configure a task prior to spawning it on this `JoinSet`. See
    /// [`tokio`](original::JoinSet::build_task).
    pub fn build_task(&mut self) -> Builder<'_, T> {
        Builder { aborts: self.aborts(), inner: self.inner.build_task() }
    }
}

impl<'a, T: 'static> Builder<'a, T> {
    /// Assigns a name to the task which will be spawned.
    pub fn name(self, name: &'a str) -> Self {
        Self { inner: self.inner.name(name), ..self }
    }

    /// Spawn the provided task with this builder's settings and store it in the [`JoinSet`].
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn).
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T>,
        F: Send + 'static,
        T: Send,
    {
        let (task, spawned) = InSet::new(self.aborts, future);
        Ok(spawned.abort_handle(self.inner.spawn(task)?))
    }

    /// Spawn the provided task on the provided runtime handle with this builder's settings.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn_on).
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: Future<Output = T>,
        F: Send + 'static,
        T: Send,
    {
        let _there = handle.there();
        let (task, spawned) = InSet::new(self.aborts, future);
        Ok(spawned.abort_handle(self.inner.spawn_on(task, handle.original())?))
    }

    /// Spawn the blocking code on the blocking threadpool with this builder's settings.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F>(self, f: F) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T,
        F: Send + 'static,
        T: Send,
    {
        let (job, spawned) = Job::new_in(self.aborts, f);
        Ok(spawned.abort_handle(self.inner.spawn_blocking(move || job.run())?))
    }

    /// Spawn the blocking code on the blocking threadpool of the provided runtime handle with this builder's settings.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn_blocking_on).
    #[track_caller]
    pub fn spawn_blocking_on<F>(self, f: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T,
        F: Send + 'static,
        T: Send,
    {
        let _there = handle.there();
        let (job, spawned) = Job::new_in(self.aborts, f);
        Ok(spawned.abort_handle(self.inner.spawn_blocking_on(move || job.run(), handle.original())?))
    }

    /// Spawn the provided task on the current [`LocalSet`] with this builder's settings.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T>,
        F: 'static,
    {
        // Who polls it is known by its first poll.
        let _unknown = InRuntime::enter(0);
        let (task, spawned) = InSet::new(self.aborts, future);
        Ok(spawned.abort_handle(self.inner.spawn_local(task)?))
    }

    /// Spawn the provided task on the provided [`LocalSet`] with this builder's settings.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn_local_on).
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> io::Result<AbortHandle>
    where
        F: Future<Output = T>,
        F: 'static,
    {
        let _unknown = InRuntime::enter(0);
        let (task, spawned) = InSet::new(self.aborts, future);
        Ok(spawned.abort_handle(self.inner.spawn_local_on(task, local_set.original())?))
    }
}

impl<T> fmt::Debug for Builder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
