//! The right to wait for a task's end, and the right to ask for it.
use crate::recorder::{Site, TaskRef};
use crate::tokio::wait::{Op, Waiting};
use ::tokio::task as original;
use ::tokio::task::{Id, JoinError};
use lockprof_trace::Operation;
use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};

/// An owned permission to join on a task. See [`tokio::task::JoinHandle`](original::JoinHandle).
///
/// Waiting for it is recorded as a wait at the line that spawned the task: `await` does not tell its own.
pub struct JoinHandle<T> {
    inner: original::JoinHandle<T>,
    task: TaskRef,
    site: Site,
    wait: Waiting,
}

impl<T> JoinHandle<T> {
    #[inline]
    pub(super) fn new(inner: original::JoinHandle<T>, task: TaskRef, site: Site) -> Self {
        Self { inner, task, site, wait: Waiting::new() }
    }

    /// Abort the task associated with the handle. See [`tokio`](original::JoinHandle::abort).
    pub fn abort(&self) {
        self.task.abort();
        self.inner.abort();
    }

    /// Checks if the task associated with this `JoinHandle` has finished.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// Returns a new [`AbortHandle`] that can be used to remotely abort this task.
    #[must_use = "abort handles do nothing unless `.abort` is called"]
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle::new(self.inner.abort_handle(), self.task)
    }

    /// Returns a task ID that uniquely identifies this task relative to other currently spawned tasks.
    pub fn id(&self) -> Id {
        self.inner.id()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = Pin::new(&mut self.inner).poll(cx);
        let op = Op { target: self.task.party(), ..Op::new(0, Operation::Join, self.site) };
        // A task that panicked or was aborted has ended too: its end is what was waited for.
        let ended = if poll.is_ready() { Poll::Ready(()) } else { Poll::Pending };
        self.wait.polled(&ended, &op);
        poll
    }
}

impl<T> Unpin for JoinHandle<T> {}
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T: fmt::Debug> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// An owned permission to abort a spawned task. See [`tokio::task::AbortHandle`](original::AbortHandle).
#[derive(Clone)]
pub struct AbortHandle {
    inner: original::AbortHandle,
    task: TaskRef,
}

impl AbortHandle {
    pub(super) fn new(inner: original::AbortHandle, task: TaskRef) -> Self {
        Self { inner, task }
    }

    /// Abort the task associated with the handle. See [`tokio`](original::AbortHandle::abort).
    pub fn abort(&self) {
        self.task.abort();
        self.inner.abort();
    }

    /// Checks if the task associated with this `AbortHandle` has finished.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// Returns a task ID that uniquely identifies this task relative to other currently spawned tasks.
    pub fn id(&self) -> Id {
        self.inner.id()
    }
}

impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
