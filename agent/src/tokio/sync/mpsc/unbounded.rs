//! The channel without bound: only its receiver waits.
use super::super::channel::End;
use super::{receiver, sender};
use crate::tokio::wait::Waits;
use ::tokio::sync::mpsc as original;
use ::tokio::sync::mpsc::error::{SendError, TryRecvError};
use lockprof_trace::{Kind, Operation, Role};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::task::{Context, Poll};

/// Send values to the associated [`UnboundedReceiver`]. See [`tokio`](original::UnboundedSender).
pub struct UnboundedSender<T> {
    inner: original::UnboundedSender<T>,
    end: End,
}

/// An unbounded sender that does not prevent the channel from being closed. See
/// [`tokio`](original::WeakUnboundedSender).
pub struct WeakUnboundedSender<T> {
    inner: original::WeakUnboundedSender<T>,
    end: End,
}

/// Receive values from the associated [`UnboundedSender`]. See [`tokio`](original::UnboundedReceiver).
pub struct UnboundedReceiver<T> {
    inner: original::UnboundedReceiver<T>,
    end: End,
}

/// Creates an unbounded mpsc channel, known by the caller's line. See [`tokio`](original::unbounded_channel).
#[track_caller]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (sender, receiver) = original::unbounded_channel();
    let (sending, receiving) = End::pair(Kind::TokioUnbounded, Location::caller(), 0);
    (UnboundedSender { inner: sender, end: sending }, UnboundedReceiver { inner: receiver, end: receiving })
}

receiver!(UnboundedReceiver);
sender!(UnboundedSender WeakUnboundedSender);

impl<T> UnboundedSender<T> {
    /// Attempts to send a message on this `UnboundedSender` without blocking.
    ///
    /// # Errors
    /// The receive half of the channel is closed.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.end.told(self.inner.send(message))
    }
}
