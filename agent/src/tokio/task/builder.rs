//! Tasks with a name for tokio's own tools: with `--cfg tokio_unstable`.
use super::{Job, JoinHandle, LocalSet, Recorded};
use crate::recorder::InRuntime;
use crate::tokio::runtime::Handle;
use ::tokio::task as original;
use std::future::Future;
use std::io;

/// Factory which is used to configure the properties of a new task. See [`tokio::task::Builder`](original::Builder).
#[derive(Default, Debug)]
pub struct Builder<'a>(original::Builder<'a>);

impl<'a> Builder<'a> {
    /// Creates a new task builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Assigns a name to the task which will be spawned.
    pub fn name(&self, name: &'a str) -> Self {
        Self(self.0.name(name))
    }

    /// Spawns a task with this builder's settings on the current runtime.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn).
    #[track_caller]
    pub fn spawn<Fut>(self, future: Fut) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let (task, spawned) = Recorded::new(future);
        Ok(spawned.handle(self.0.spawn(task)?))
    }

    /// Spawns a task with this builder's settings on the provided runtime.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn_on).
    #[track_caller]
    pub fn spawn_on<Fut>(self, future: Fut, handle: &Handle) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let _there = handle.there();
        let (task, spawned) = Recorded::new(future);
        Ok(spawned.handle(self.0.spawn_on(task, handle.original())?))
    }

    /// Spawns a `!Send` task on the current [`LocalSet`] with this builder's settings.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn_local).
    #[track_caller]
    pub fn spawn_local<Fut>(self, future: Fut) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + 'static,
        Fut::Output: 'static,
    {
        // Who polls it is known by its first poll.
        let _unknown = InRuntime::enter(0);
        let (task, spawned) = Recorded::new(future);
        Ok(spawned.handle(self.0.spawn_local(task)?))
    }

    /// Spawns a `!Send` task on the provided [`LocalSet`] with this builder's settings.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn_local_on).
    #[track_caller]
    pub fn spawn_local_on<Fut>(self, future: Fut, local_set: &LocalSet) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + 'static,
        Fut::Output: 'static,
    {
        let _unknown = InRuntime::enter(0);
        let (task, spawned) = Recorded::new(future);
        Ok(spawned.handle(self.0.spawn_local_on(task, local_set.original())?))
    }

    /// Spawns blocking code on the blocking threadpool.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<Function, Output>(self, function: Function) -> io::Result<JoinHandle<Output>>
    where
        Function: FnOnce() -> Output + Send + 'static,
        Output: Send + 'static,
    {
        let (job, spawned) = Job::new(function);
        Ok(spawned.handle(self.0.spawn_blocking(move || job.run())?))
    }

    /// Spawns blocking code on the provided runtime's blocking threadpool.
    ///
    /// # Errors
    /// As [`tokio`](original::Builder::spawn_blocking_on).
    #[track_caller]
    pub fn spawn_blocking_on<Function, Output>(
        self,
        function: Function,
        handle: &Handle,
    ) -> io::Result<JoinHandle<Output>>
    where
        Function: FnOnce() -> Output + Send + 'static,
        Output: Send + 'static,
    {
        let _there = handle.there();
        let (job, spawned) = Job::new(function);
        Ok(spawned.handle(self.0.spawn_blocking_on(move || job.run(), handle.original())?))
    }
}
