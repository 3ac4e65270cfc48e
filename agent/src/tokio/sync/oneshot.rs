//! `tokio::sync::oneshot`, with each channel known by the line that made it.
use super::channel::End;
use crate::recorder::{Own, Site};
use crate::tokio::wait::{Waiting, Waits};
use ::tokio::sync::oneshot as original;
use ::tokio::sync::oneshot::error::{RecvError, TryRecvError};
use lockprof_trace::{Kind, Operation};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use ::tokio::sync::oneshot::error;

/// Creates a new one-shot channel for sending single values across asynchronous tasks, known by the caller's line. See
/// [`tokio`](original::channel).
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = original::channel();
    let site = Location::caller();
    let (sending, receiving) = End::pair(Kind::TokioOneshot, site, 1);
    let receiver = Receiver { inner: receiver, wait: Waiting::new(), site, end: receiving };
    (Sender { inner: sender, end: sending }, receiver)
}

/// Sends a value to the associated [`Receiver`]. See [`tokio`](original::Sender).
pub struct Sender<T> {
    inner: original::Sender<T>,
    end: End,
}

impl<T> Sender<T> {
    /// Attempts to send a value on this channel, returning it back if it could not be sent.
    ///
    /// # Errors
    /// The receiver is gone, or has closed the channel.
    pub fn send(self, t: T) -> Result<(), T> {
        self.end.told(self.inner.send(t))
    }

    /// Waits for the associated [`Receiver`] handle to close. See [`tokio`](original::Sender::closed).
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        let op = self.end.sending(Operation::Closed, Location::caller());
        Waits::new(op, poll_fn(|cx| self.inner.poll_closed(cx)), |()| ())
    }

    /// Returns `true` if the associated [`Receiver`] handle has been dropped.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Checks whether the channel has been closed, and if not, schedules the task to be notified. See
    /// [`tokio`](original::Sender::poll_closed).
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_closed(cx)
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Receives a value from the associated [`Sender`]. See [`tokio`](original::Receiver).
///
/// Waiting for it is recorded as a wait at the line that made the channel: `await` does not tell its own.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Receiver<T> {
    inner: original::Receiver<T>,
    wait: Waiting,
    site: Site,
    end: End,
}

impl<T> Receiver<T> {
    /// Prevents the associated [`Sender`] handle from sending a value. See [`tokio`](original::Receiver::close).
    pub fn close(&mut self) {
        self.inner.close();
    }

    /// Checks if this receiver is terminated. See [`tokio`](original::Receiver::is_terminated).
    pub fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }

    /// Checks if a channel is empty. See [`tokio`](original::Receiver::is_empty).
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Attempts to receive a value.
    ///
    /// # Errors
    /// There is none yet; or there will be none.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.inner.try_recv().inspect(|_| self.end.received(1))
    }

    /// Blocking receive to call outside of asynchronous contexts. See [`tokio`](original::Receiver::blocking_recv).
    ///
    /// # Errors
    /// The sender is gone.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        let op = self.end.receiving(Operation::Recv, Location::caller());
        let wait = op.blocking(self.inner.is_empty() && !self.inner.is_terminated());
        let got = self.inner.blocking_recv();
        wait.over(&got);
        got.inspect(|_| self.end.received(1))
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let me = self.get_mut();
        let poll = {
            let _own = Own::poll();
            Pin::new(&mut me.inner).poll(cx)
        };
        me.wait.polled(&poll, &me.end.receiving(Operation::Recv, me.site));
        if let Poll::Ready(Ok(_)) = poll {
            me.end.received(1);
        }
        poll
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
