//! `tokio::sync::broadcast`, with each channel known by the line that made it.
use super::channel::End;
use crate::tokio::wait::{TryFirst, Waits};
use ::tokio::sync::broadcast as original;
use ::tokio::sync::broadcast::error::{RecvError, SendError, TryRecvError};
use lockprof_trace::{Kind, Operation, Role};
use std::fmt;
use std::future::Future;
use std::panic::Location;

pub use ::tokio::sync::broadcast::*;

/// Sending-half of the broadcast channel. See [`tokio`](original::Sender).
pub struct Sender<T> {
    inner: original::Sender<T>,
    end: End,
}

/// A sender that does not prevent the channel from being closed. See [`tokio`](original::WeakSender).
pub struct WeakSender<T> {
    inner: original::WeakSender<T>,
    end: End,
}

/// Receiving-half of the broadcast channel. See [`tokio`](original::Receiver).
pub struct Receiver<T> {
    inner: original::Receiver<T>,
    end: End,
}

/// Create a bounded, multi-producer, multi-consumer channel where each sent value is broadcasted to all active
/// receivers, known by the caller's line. See [`tokio`](original::channel).
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = original::channel(capacity);
    let (sending, receiving) = End::pair(Kind::TokioBroadcast, Location::caller(), capacity);
    (Sender { inner: sender, end: sending }, Receiver { inner: receiver, end: receiving })
}

impl<T> Sender<T> {
    /// Creates the sending-half of the broadcast channel, known by the caller's line. See
    /// [`tokio`](original::Sender::new).
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        let inner = original::Sender::new(capacity);
        Self { inner, end: End::new(Kind::TokioBroadcast, Location::caller(), capacity, Role::Sender) }
    }

    /// Attempts to send a value to all active [`Receiver`] handles.
    ///
    /// # Errors
    /// There are no active receivers.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.end.told(self.inner.send(value))
    }

    /// Creates a new [`Receiver`] handle that will receive values sent **after** this call to `subscribe`.
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        let end = self.end.another(Role::Receiver, Location::caller());
        Receiver { inner: self.inner.subscribe(), end }
    }

    /// Converts the `Sender` to a [`WeakSender`] that does not count towards RAII semantics.
    #[must_use = "Downgrade creates a WeakSender without destroying the original non-weak sender."]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { inner: self.inner.downgrade(), end: self.end.weak() }
    }

    /// Returns the number of queued values. See [`tokio`](original::Sender::len).
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Returns true if there are no queued values. See [`tokio`](original::Sender::is_empty).
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Returns the number of active receivers.
    pub fn receiver_count(&self) -> usize {
        self.inner.receiver_count()
    }

    /// Returns `true` if senders belong to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// A future which completes when the number of [`Receiver`]s subscribed to this `Sender` reaches zero.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        let op = self.end.sending(Operation::Closed, Location::caller()).queueing();
        Waits::new(op, self.inner.closed(), |()| ())
    }

    /// Returns the number of [`Sender`] handles.
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// Returns the number of [`WeakSender`] handles.
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let end = self.end.another(Role::Sender, Location::caller());
        Self { inner: self.inner.clone(), end }
    }
}

impl<T> WeakSender<T> {
    /// Tries to convert a `WeakSender` into a [`Sender`]: `None` if all senders are gone.
    #[must_use]
    #[track_caller]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let inner = self.inner.upgrade()?;
        Some(Sender { inner, end: self.end.another(Role::Sender, Location::caller()) })
    }

    /// Returns the number of [`Sender`] handles.
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// Returns the number of [`WeakSender`] handles.
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), end: self.end.weak() }
    }
}

impl<T> Receiver<T> {
    /// Returns the number of messages that were sent into the channel and that this [`Receiver`] has yet to receive.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Returns true if there aren't any messages in the channel that the [`Receiver`] has yet to receive.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Returns `true` if receivers belong to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// Returns the number of [`Sender`] handles.
    pub fn sender_strong_count(&self) -> usize {
        self.inner.sender_strong_count()
    }

    /// Returns the number of [`WeakSender`] handles.
    pub fn sender_weak_count(&self) -> usize {
        self.inner.sender_weak_count()
    }

    /// Checks if a channel is closed.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
}

/// A receive is over; one that was told what it has missed is counted too.
fn over<T>(end: &End, got: &Result<T, RecvError>) {
    match got {
        Ok(_) => end.received(1),
        Err(RecvError::Lagged(_)) => end.lagged(),
        Err(RecvError::Closed) => {}
    }
}

impl<T: Clone> Receiver<T> {
    /// Re-subscribes to the channel starting from the current tail element. See
    /// [`tokio`](original::Receiver::resubscribe).
    #[track_caller]
    pub fn resubscribe(&self) -> Self {
        let end = self.end.another(Role::Receiver, Location::caller());
        Self { inner: self.inner.resubscribe(), end }
    }

    /// Receives the next value for this receiver. See [`tokio`](original::Receiver::recv).
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Result<T, RecvError>> {
        let op = self.end.receiving(Operation::Recv, Location::caller());
        let (inner, end) = (&mut self.inner, &self.end);
        let attempt = |inner: &mut &mut original::Receiver<T>| match inner.try_recv() {
            Ok(value) => Some(Ok(value)),
            Err(TryRecvError::Lagged(missed)) => Some(Err(RecvError::Lagged(missed))),
            Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
            Err(TryRecvError::Empty) => None,
        };
        TryFirst::new(
            op,
            inner,
            attempt,
            |inner| inner.recv(),
            |got| {
                over(end, &got);
                got
            },
        )
    }

    /// Attempts to return a pending value on this receiver without awaiting.
    ///
    /// # Errors
    /// There is none, there will be none, or some were missed.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let got = self.inner.try_recv();
        match &got {
            Ok(_) => self.end.received(1),
            Err(TryRecvError::Lagged(_)) => self.end.lagged(),
            Err(_) => {}
        }
        got
    }

    /// Blocking receive to call outside of asynchronous contexts.
    ///
    /// # Errors
    /// There will be no more values, or some were missed.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        let op = self.end.receiving(Operation::Recv, Location::caller());
        let wait = op.blocking(self.inner.is_empty());
        let got = self.inner.blocking_recv();
        wait.over(&got);
        over(&self.end, &got);
        got
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
