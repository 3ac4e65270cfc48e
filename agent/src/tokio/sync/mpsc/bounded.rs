//! The bounded channel.
use super::super::channel::End;
use super::{OwnedPermit, Permit, PermitIterator, receiver, sender};
use crate::recorder::Site;
use crate::tokio::wait::{Op, TryFirst, Waits};
use ::tokio::sync::mpsc as original;
use ::tokio::sync::mpsc::error::{SendError, SendTimeoutError, TryRecvError, TrySendError};
use lockprof_trace::{Kind, Operation, Role};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::task::{Context, Poll};
use std::time::Duration;

/// Sends values to the associated `Receiver`. See [`tokio`](original::Sender).
pub struct Sender<T> {
    pub(super) inner: original::Sender<T>,
    pub(super) end: End,
}

/// A sender that does not prevent the channel from being closed. See [`tokio`](original::WeakSender).
pub struct WeakSender<T> {
    inner: original::WeakSender<T>,
    end: End,
}

/// Receives values from the associated `Sender`. See [`tokio`](original::Receiver).
pub struct Receiver<T> {
    inner: original::Receiver<T>,
    end: End,
}

/// Creates a bounded mpsc channel, known by the caller's line. See [`tokio`](original::channel).
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = original::channel(buffer);
    let (sending, receiving) = End::pair(Kind::TokioChannel, Location::caller(), buffer);
    (Sender { inner: sender, end: sending }, Receiver { inner: receiver, end: receiving })
}

receiver!(Receiver);
sender!(Sender WeakSender);

impl<T> Receiver<T> {
    /// Returns the current capacity of the channel. See [`tokio`](original::Receiver::capacity).
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// Returns the maximum buffer capacity of the channel. See [`tokio`](original::Receiver::max_capacity).
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }
}

impl<T> Sender<T> {
    /// Sends a value, waiting until there is capacity. See [`tokio`](original::Sender::send).
    #[track_caller]
    #[inline]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        self.send_at(value, Location::caller())
    }

    #[inline(always)]
    fn send_at(&self, value: T, site: Site) -> impl Future<Output = Result<(), SendError<T>>> {
        let op = self.end.sending(Operation::Send, site).queueing();
        let attempt = |(): &mut ()| self.inner.try_reserve().ok().map(Ok);
        let mut value = Some(value);
        let done = move |room: Result<original::Permit<'_, T>, _>| {
            let value = value.take().expect("is sent once");
            match room {
                Ok(room) => room.send(value),
                Err(SendError(())) => {
                    self.end.failed();
                    return Err(SendError(value));
                }
            }
            self.end.sent();
            Ok(())
        };
        TryFirst::new(op, (), attempt, |()| self.inner.reserve(), done)
    }

    /// Completes when there is room and `value` is sent, or after `timeout`. See
    /// [`tokio`](original::Sender::send_timeout).
    #[track_caller]
    pub fn send_timeout(
        &self,
        value: T,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), SendTimeoutError<T>>> {
        let op = self.end.sending(Operation::Send, Location::caller()).queueing();
        Waits::new(op, self.inner.send_timeout(value, timeout), |sent| self.end.told(sent))
    }

    /// Attempts to immediately send a message on this `Sender`.
    ///
    /// # Errors
    /// The channel is full, or closed.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.end.told(self.inner.try_send(message))
    }

    /// Blocking send to call outside of asynchronous contexts. See [`tokio`](original::Sender::blocking_send).
    ///
    /// # Errors
    /// The channel is closed.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        let op = self.end.sending(Operation::Send, Location::caller());
        let wait = op.blocking(self.inner.capacity() == 0);
        let sent = self.inner.blocking_send(value);
        wait.over(&sent);
        self.end.told(sent)
    }

    fn reserving(&self, site: Site) -> Op {
        self.end.sending(Operation::Reserve, site).queueing()
    }

    /// Waits for channel capacity, and reserves it for one message. See [`tokio`](original::Sender::reserve).
    #[track_caller]
    #[inline]
    pub fn reserve(&self) -> impl Future<Output = Result<Permit<'_, T>, SendError<()>>> {
        let site = Location::caller();
        let attempt = |(): &mut ()| self.inner.try_reserve().ok().map(Ok);
        TryFirst::new(
            self.reserving(site),
            (),
            attempt,
            |()| self.inner.reserve(),
            move |got| Ok(Permit::new(got?, &self.end, site)),
        )
    }

    /// Waits for channel capacity, and reserves it for `n` messages. See [`tokio`](original::Sender::reserve_many).
    #[track_caller]
    pub fn reserve_many(
        &self,
        n: usize,
    ) -> impl Future<Output = Result<PermitIterator<'_, T>, SendError<()>>> {
        let site = Location::caller();
        let attempt = move |(): &mut ()| self.inner.try_reserve_many(n).ok().map(Ok);
        TryFirst::new(
            self.reserving(site),
            (),
            attempt,
            move |()| self.inner.reserve_many(n),
            move |got| Ok(PermitIterator::new(got?, &self.end, site)),
        )
    }

    /// Waits for channel capacity, moving the `Sender` and returning an owned permit. See
    /// [`tokio`](original::Sender::reserve_owned).
    #[track_caller]
    pub fn reserve_owned(self) -> impl Future<Output = Result<OwnedPermit<T>, SendError<()>>> {
        let (site, op) = (Location::caller(), self.reserving(Location::caller()));
        let mut end = Some(self.end);
        Waits::new(op, self.inner.reserve_owned(), move |got| {
            Ok(OwnedPermit::new(got?, end.take().unwrap_or(End::NONE), site))
        })
    }

    /// Tries to acquire a slot in the channel without waiting for the slot to become available.
    ///
    /// # Errors
    /// The channel is full, or closed.
    #[track_caller]
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        Ok(Permit::new(self.inner.try_reserve()?, &self.end, Location::caller()))
    }

    /// Tries to acquire `n` slots in the channel without waiting for them to become available.
    ///
    /// # Errors
    /// The channel has not as many, or is closed.
    #[track_caller]
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        Ok(PermitIterator::new(self.inner.try_reserve_many(n)?, &self.end, Location::caller()))
    }

    /// Tries to acquire a slot in the channel, moving the `Sender` and returning an owned permit.
    ///
    /// # Errors
    /// The channel is full, or closed: the `Sender` comes back.
    #[track_caller]
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        let Self { inner, end } = self;
        match inner.try_reserve_owned() {
            Ok(permit) => Ok(OwnedPermit::new(permit, end, Location::caller())),
            Err(TrySendError::Full(inner)) => Err(TrySendError::Full(Self { inner, end })),
            Err(TrySendError::Closed(inner)) => Err(TrySendError::Closed(Self { inner, end })),
        }
    }

    /// Returns the current capacity of the channel. See [`tokio`](original::Sender::capacity).
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// Returns the maximum buffer capacity of the channel. See [`tokio`](original::Sender::max_capacity).
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }
}
