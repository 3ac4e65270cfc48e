//! `tokio::task`, with each task known by the line that spawned it.
#[cfg(tokio_unstable)]
mod builder;
mod join_handle;
#[cfg(not(tokio_unstable))]
mod join_set;
#[cfg(tokio_unstable)]
pub mod join_set;
mod local;
mod recorded;
mod waker;

pub use ::tokio::task::*;
#[cfg(tokio_unstable)]
pub use builder::Builder;
pub use join_handle::{AbortHandle, JoinHandle};
pub use join_set::JoinSet;
pub use local::{LocalSet, spawn_local};

pub(super) use recorded::{Job, Recorded};

use crate::recorder::{DRIVEN, Handle, here};
use ::tokio::task as original;
use lockprof_trace::Role;
use std::panic::Location;

/// Spawns a new asynchronous task, returning a [`JoinHandle`] for it. See [`tokio::task::spawn`](original::spawn).
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (task, spawned) = Recorded::new(future);
    spawned.handle(original::spawn(task))
}

/// Runs the provided blocking function on the current thread without blocking the executor. See
/// [`tokio::task::block_in_place`](original::block_in_place).
#[track_caller]
pub fn block_in_place<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    // Another thread does the worker's work meanwhile.
    let _aside = Handle::open(here() & !DRIVEN, Role::Driver, Location::caller(), 0);
    original::block_in_place(f)
}

/// Runs the provided closure on a thread where blocking is acceptable. See
/// [`tokio::task::spawn_blocking`](original::spawn_blocking).
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let (job, spawned) = Job::new(f);
    spawned.handle(original::spawn_blocking(move || job.run()))
}
