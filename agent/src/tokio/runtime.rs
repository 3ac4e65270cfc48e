//! `tokio::runtime`, with its tasks recorded like all others.
//!
//! The future of a `block_on` runs as the thread that blocks on it.
use super::task::{Job, JoinHandle, Recorded};
use crate::recorder::{self, DRIVEN, InRuntime, Site, unseen};
use ::tokio::runtime as original;
pub use ::tokio::runtime::*;
use lockprof_trace::{Kind, Role, Threads};
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::time::Duration;

/// Handle to the runtime. See [`tokio::runtime::Handle`](original::Handle).
#[derive(Clone, Debug)]
pub struct Handle(original::Handle, u32);

impl Handle {
    pub(super) fn original(&self) -> &original::Handle {
        &self.0
    }

    /// What is spawned as long as the result lives belongs to its runtime.
    pub(super) fn there(&self) -> InRuntime {
        InRuntime::enter(self.1)
    }

    /// Enters the runtime context. See [`tokio`](original::Handle::enter).
    pub fn enter(&self) -> EnterGuard<'_> {
        self.0.enter()
    }

    /// Returns a `Handle` view over the currently running `Runtime`. See [`tokio`](original::Handle::current).
    #[track_caller]
    pub fn current() -> Self {
        Self(original::Handle::current(), recorder::here())
    }

    /// Returns a `Handle` view over the currently running `Runtime`.
    ///
    /// # Errors
    /// No runtime has been started.
    pub fn try_current() -> Result<Self, TryCurrentError> {
        original::Handle::try_current().map(|handle| Self(handle, recorder::here()))
    }

    /// Spawns a future onto the runtime. See [`tokio`](original::Handle::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let _there = self.there();
        let (task, spawned) = Recorded::new(future);
        spawned.handle(self.0.spawn(task))
    }

    /// Runs the provided function on an executor dedicated to blocking operations. See
    /// [`tokio`](original::Handle::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let _there = self.there();
        let (job, spawned) = Job::new(func);
        spawned.handle(self.0.spawn_blocking(move || job.run()))
    }

    /// Runs a future to completion on this `Handle`'s associated `Runtime`. See [`tokio`](original::Handle::block_on).
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _there = self.there();
        self.0.block_on(future)
    }

    /// Returns the flavor of the current `Runtime`.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        self.0.runtime_flavor()
    }

    /// Returns the [`Id`] of the current `Runtime`.
    pub fn id(&self) -> Id {
        self.0.id()
    }

    /// Returns the name of the current `Runtime`.
    pub fn name(&self) -> Option<&str> {
        self.0.name()
    }

    /// Returns a view that lets you get information about how the runtime is performing.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.0.metrics()
    }
}

impl From<original::Handle> for Handle {
    fn from(handle: original::Handle) -> Self {
        Self(handle, 0)
    }
}

impl From<Handle> for original::Handle {
    fn from(handle: Handle) -> Self {
        handle.0
    }
}

impl UnwindSafe for Handle {}
impl RefUnwindSafe for Handle {}

/// Threads for blocking jobs that a runtime has at most, where nothing else is said.
const BLOCKING: usize = 512;

/// A runtime as the record knows it: the tasks that are spawned there are its own, so that it is known which ones wait for
/// a thread of its.
#[derive(Debug)]
struct Known {
    /// Its id, for who works for it: marked where that one drives it.
    here: u32,
    _tasks: unseen::Counted,
}

impl Known {
    fn new(handle: &original::Handle, blocking: usize, site: Site) -> Self {
        let threads = Threads { workers: handle.metrics().num_workers(), blocking };
        let id = recorder::new_object(Kind::Runtime, site, threads.as_capacity());
        let driven = id != 0 && handle.runtime_flavor() == RuntimeFlavor::CurrentThread;
        let metrics = handle.metrics();
        let tasks = unseen::Counted::new(move || metrics.num_alive_tasks());
        Self { here: if driven { id | DRIVEN } else { id }, _tasks: tasks }
    }

    /// The thread works for it as long as the result lives.
    fn works(&self, site: Site) -> (InRuntime, recorder::Handle) {
        let driven = if self.here & DRIVEN == 0 { 0 } else { self.here & !DRIVEN };
        (InRuntime::enter(self.here), recorder::Handle::open(driven, Role::Driver, site, 0))
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        recorder::drop_object(self.here & !DRIVEN);
    }
}

/// The Tokio runtime. See [`tokio::runtime::Runtime`](original::Runtime).
#[derive(Debug)]
pub struct Runtime {
    inner: original::Runtime,
    handle: Handle,
    known: Known,
}

impl Runtime {
    fn from_original(inner: original::Runtime, blocking: usize, site: Site) -> Self {
        let known = Known::new(inner.handle(), blocking, site);
        let handle = Handle(inner.handle().clone(), known.here);
        Self { inner, handle, known }
    }

    pub(super) fn original(&self) -> &original::Runtime {
        &self.inner
    }

    /// The thread blocks on it as long as the result lives.
    pub(super) fn works(&self, site: Site) -> (InRuntime, recorder::Handle) {
        self.known.works(site)
    }

    /// Creates a new runtime instance with default configuration values. See [`tokio`](original::Runtime::new).
    ///
    /// # Errors
    /// The system refuses a thread or its event queue.
    #[track_caller]
    pub fn new() -> io::Result<Runtime> {
        let site = Location::caller();
        Builder::new_multi_thread().enable_all().build_at(site)
    }

    /// Returns a handle to the runtime's spawner.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Spawns a future onto the runtime. See [`tokio`](original::Runtime::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Runs the provided function on an executor dedicated to blocking operations. See
    /// [`tokio`](original::Runtime::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(func)
    }

    /// Runs a future to completion on the runtime. See [`tokio`](original::Runtime::block_on).
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _works = self.known.works(Location::caller());
        self.inner.block_on(future)
    }

    /// Enters the runtime context. See [`tokio`](original::Runtime::enter).
    pub fn enter(&self) -> EnterGuard<'_> {
        self.inner.enter()
    }

    /// Shuts down the runtime, waiting for at most `duration` for all spawned work to stop. See
    /// [`tokio`](original::Runtime::shutdown_timeout).
    pub fn shutdown_timeout(self, duration: Duration) {
        self.inner.shutdown_timeout(duration);
    }

    /// Shuts down the runtime, without waiting for any spawned work to stop. See
    /// [`tokio`](original::Runtime::shutdown_background).
    pub fn shutdown_background(self) {
        self.inner.shutdown_background();
    }

    /// Returns a view that lets you get information about how the runtime is performing.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.inner.metrics()
    }
}

impl UnwindSafe for Runtime {}
impl RefUnwindSafe for Runtime {}

/// A runtime whose tasks need not be `Send`. See [`tokio::runtime::LocalRuntime`](original::LocalRuntime).
#[derive(Debug)]
pub struct LocalRuntime {
    inner: original::LocalRuntime,
    handle: Handle,
    known: Known,
}

impl LocalRuntime {
    fn from_original(inner: original::LocalRuntime, blocking: usize, site: Site) -> Self {
        let known = Known::new(inner.handle(), blocking, site);
        let handle = Handle(inner.handle().clone(), known.here);
        Self { inner, handle, known }
    }

    /// Creates a new local runtime instance with default configuration values.
    ///
    /// # Errors
    /// The system refuses its event queue.
    #[track_caller]
    pub fn new() -> io::Result<LocalRuntime> {
        let site = Location::caller();
        Builder::new_current_thread().enable_all().build_local_at(LocalOptions::default(), site)
    }

    /// Returns a handle to the runtime's spawner.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Spawns a task on the `LocalRuntime`. See [`tokio`](original::LocalRuntime::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let _there = InRuntime::enter(self.known.here);
        let (task, spawned) = Recorded::new(future);
        spawned.handle(self.inner.spawn_local(task))
    }

    /// Runs the provided function on a thread from a dedicated blocking thread pool. See
    /// [`tokio`](original::LocalRuntime::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(func)
    }

    /// Runs a future to completion on the runtime. See [`tokio`](original::LocalRuntime::block_on).
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _works = self.known.works(Location::caller());
        self.inner.block_on(future)
    }

    /// Enters the runtime context. See [`tokio`](original::LocalRuntime::enter).
    pub fn enter(&self) -> EnterGuard<'_> {
        self.inner.enter()
    }

    /// Shuts down the runtime, waiting for at most `duration` for all spawned work to stop.
    pub fn shutdown_timeout(self, duration: Duration) {
        self.inner.shutdown_timeout(duration);
    }

    /// Shuts down the runtime, without waiting for any spawned work to stop.
    pub fn shutdown_background(self) {
        self.inner.shutdown_background();
    }

    /// Returns a view that lets you get information about how the runtime is performing.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.inner.metrics()
    }
}

impl UnwindSafe for LocalRuntime {}
impl RefUnwindSafe for LocalRuntime {}

/// Builds Tokio Runtime with custom configuration values. See [`tokio::runtime::Builder`](original::Builder).
pub struct Builder {
    inner: original::Builder,
    /// Threads for blocking jobs, at most.
    blocking: usize,
}

/// The original's settings, each passed on.
macro_rules! settings {
    ($($(#[$attribute:meta])* $name:ident $(<$f:ident: $bound:path>)? ($($argument:ident: $type:ty)?);)*) => {
        impl Builder {
            $(
                #[doc = concat!("See [`tokio`](original::Builder::", stringify!($name), ").")]
                $(#[$attribute])*
                #[track_caller]
                pub fn $name $(<$f: $bound + Send + Sync + 'static>)? (&mut self $(, $argument: $type)?) -> &mut Self {
                    self.inner.$name($($argument)?);
                    self
                }
            )*
        }
    };
}

settings! {
    enable_all();
    enable_io();
    enable_time();
    worker_threads(val: usize);
    thread_name(val: impl Into<String>);
    name(val: impl Into<String>);
    thread_name_fn<F: Fn() -> String>(f: F);
    thread_stack_size(val: usize);
    on_thread_park<F: Fn()>(f: F);
    on_thread_unpark<F: Fn()>(f: F);
    thread_keep_alive(duration: Duration);
    global_queue_interval(val: u32);
    event_interval(val: u32);
    max_io_events_per_tick(capacity: usize);
    max_io_events_per_busy_tick(capacity: usize);
    start_paused(start_paused: bool);
    #[cfg(tokio_unstable)]
    enable_alt_timer();
    #[cfg(tokio_unstable)]
    enable_eager_driver_handoff();
    #[cfg(tokio_unstable)]
    enable_sharded_blocking_queue();
    #[cfg(tokio_unstable)]
    unhandled_panic(behavior: UnhandledPanic);
    #[cfg(tokio_unstable)]
    disable_lifo_slot();
    #[cfg(tokio_unstable)]
    rng_seed(seed: RngSeed);
    #[cfg(tokio_unstable)]
    #[allow(deprecated)]
    enable_metrics_poll_count_histogram();
    #[cfg(tokio_unstable)]
    enable_metrics_poll_time_histogram();
    #[cfg(tokio_unstable)]
    metrics_poll_time_histogram_configuration(configuration: HistogramConfiguration);
    #[cfg(tokio_unstable)]
    #[allow(deprecated)]
    metrics_poll_count_histogram_scale(histogram_scale: HistogramScale);
    #[cfg(tokio_unstable)]
    #[allow(deprecated)]
    metrics_poll_count_histogram_resolution(resolution: Duration);
    #[cfg(tokio_unstable)]
    #[allow(deprecated)]
    metrics_poll_count_histogram_buckets(buckets: usize);
    #[cfg(tokio_unstable)]
    on_task_spawn<F: Fn(&TaskMeta<'_>)>(f: F);
    #[cfg(tokio_unstable)]
    on_before_task_poll<F: Fn(&TaskMeta<'_>)>(f: F);
    #[cfg(tokio_unstable)]
    on_after_task_poll<F: Fn(&TaskMeta<'_>)>(f: F);
    #[cfg(tokio_unstable)]
    on_task_terminate<F: Fn(&TaskMeta<'_>)>(f: F);
}

impl Builder {
    /// Returns a new builder with the current thread scheduler selected.
    pub fn new_current_thread() -> Builder {
        Self::from_original(original::Builder::new_current_thread())
    }

    /// Returns a new builder with the multi thread scheduler selected.
    pub fn new_multi_thread() -> Builder {
        Self::from_original(original::Builder::new_multi_thread())
    }

    /// What its threads do is seen.
    fn from_original(mut inner: original::Builder) -> Self {
        inner.on_thread_start(unseen::enter).on_thread_stop(unseen::leave);
        Self { inner, blocking: BLOCKING }
    }

    /// See [`tokio`](original::Builder::on_thread_start).
    pub fn on_thread_start<F: Fn() + Send + Sync + 'static>(&mut self, f: F) -> &mut Self {
        self.inner.on_thread_start(move || {
            unseen::enter();
            f();
        });
        self
    }

    /// See [`tokio`](original::Builder::on_thread_stop).
    pub fn on_thread_stop<F: Fn() + Send + Sync + 'static>(&mut self, f: F) -> &mut Self {
        self.inner.on_thread_stop(move || {
            f();
            unseen::leave();
        });
        self
    }

    /// See [`tokio`](original::Builder::max_blocking_threads).
    #[track_caller]
    pub fn max_blocking_threads(&mut self, val: usize) -> &mut Self {
        self.inner.max_blocking_threads(val);
        self.blocking = val;
        self
    }

    /// Creates the configured `Runtime`.
    ///
    /// # Errors
    /// The system refuses a thread or its event queue.
    #[track_caller]
    pub fn build(&mut self) -> io::Result<Runtime> {
        self.build_at(Location::caller())
    }

    fn build_at(&mut self, site: Site) -> io::Result<Runtime> {
        self.inner.build().map(|inner| Runtime::from_original(inner, self.blocking, site))
    }

    /// Creates the configured [`LocalRuntime`].
    ///
    /// # Errors
    /// The system refuses its event queue.
    #[track_caller]
    pub fn build_local(&mut self, options: LocalOptions) -> io::Result<LocalRuntime> {
        self.build_local_at(options, Location::caller())
    }

    fn build_local_at(&mut self, options: LocalOptions, site: Site) -> io::Result<LocalRuntime> {
        self.inner.build_local(options).map(|inner| LocalRuntime::from_original(inner, self.blocking, site))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
