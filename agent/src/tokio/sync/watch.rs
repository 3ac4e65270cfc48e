//! `tokio::sync::watch`, with each channel known by the line that made it.
//!
//! Its value lies under a lock that blocks threads: a [`Ref`] holds it, and `send` waits for all of them.
use super::channel::{End, Use};
use crate::recorder::{Handle, Site};
use crate::tokio::wait::Waits;
use ::tokio::sync::watch as original;
use ::tokio::sync::watch::error::{RecvError, SendError};
use lockprof_trace::{Kind, Operation, Role};
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::panic::Location;

pub use ::tokio::sync::watch::error;

/// Creates a new watch channel, known by the caller's line. See [`tokio`](original::channel).
#[track_caller]
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = original::channel(init);
    let (sending, receiving) = End::pair(Kind::TokioWatch, Location::caller(), 0);
    (Sender { inner: sender, end: sending }, Receiver { inner: receiver, end: receiving })
}

/// Receives values from the associated [`Sender`]. See [`tokio`](original::Receiver).
pub struct Receiver<T> {
    inner: original::Receiver<T>,
    end: End,
}

/// Sends values to the associated [`Receiver`]. See [`tokio`](original::Sender).
pub struct Sender<T> {
    inner: original::Sender<T>,
    end: End,
}

/// Returns a reference to the inner value: a hold of the lock that it lies under. See [`tokio`](original::Ref).
pub struct Ref<'a, T> {
    _handle: Handle,
    inner: original::Ref<'a, T>,
    _use: Option<Use<'a>>,
}

impl<'a, T> Ref<'a, T> {
    fn new(inner: original::Ref<'a, T>, end: &'a End, site: Site) -> Self {
        Self { _handle: end.guard(Role::Shared, site), inner, _use: end.reads() }
    }

    /// Indicates if the borrowed value is considered as _changed_. See [`tokio`](original::Ref::has_changed).
    pub fn has_changed(&self) -> bool {
        self.inner.has_changed()
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The handle is held, not looked at.
        let Self { _handle, inner, _use } = self;
        inner.fmt(f)
    }
}

impl<T> Receiver<T> {
    /// Returns a reference to the most recently sent value. See [`tokio`](original::Receiver::borrow).
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        let site = Location::caller();
        let wait = self.end.receiving(Operation::Read, site).blocking(self.end.is_written());
        let inner = self.inner.borrow();
        wait.over(&());
        Ref::new(inner, &self.end, site)
    }

    /// Returns a reference to the most recently sent value and marks that value as seen. See
    /// [`tokio`](original::Receiver::borrow_and_update).
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let site = Location::caller();
        let wait = self.end.receiving(Operation::Read, site).blocking(self.end.is_written());
        let inner = self.inner.borrow_and_update();
        wait.over(&());
        self.end.received(1);
        Ref::new(inner, &self.end, site)
    }

    /// Checks if this channel contains a message that this receiver has not yet seen.
    ///
    /// # Errors
    /// All senders are gone.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        self.inner.has_changed()
    }

    /// Returns true if the channel is closed.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Marks the state as changed.
    pub fn mark_changed(&mut self) {
        self.inner.mark_changed();
    }

    /// Marks the state as unchanged.
    pub fn mark_unchanged(&mut self) {
        self.inner.mark_unchanged();
    }

    /// Waits for a change notification, then marks the current value as seen. See
    /// [`tokio`](original::Receiver::changed).
    #[track_caller]
    pub fn changed(&mut self) -> impl Future<Output = Result<(), RecvError>> {
        let op = self.end.receiving(Operation::Changed, Location::caller());
        let end = &self.end;
        Waits::new(op, self.inner.changed(), |changed| changed.inspect(|()| end.received(1)))
    }

    /// Waits for a value that satisfies the provided condition. See [`tokio`](original::Receiver::wait_for).
    #[track_caller]
    pub fn wait_for(
        &mut self,
        f: impl FnMut(&T) -> bool,
    ) -> impl Future<Output = Result<Ref<'_, T>, RecvError>> {
        let site = Location::caller();
        let op = self.end.receiving(Operation::Changed, site);
        let end = &self.end;
        Waits::new(op, self.inner.wait_for(f), move |got| {
            let inner = got?;
            end.received(1);
            Ok(Ref::new(inner, end, site))
        })
    }

    /// Returns `true` if receivers belong to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

impl<T> Clone for Receiver<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let end = self.end.another(Role::Receiver, Location::caller());
        Self { inner: self.inner.clone(), end }
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> Sender<T> {
    /// Creates the sending-half of the watch channel, known by the caller's line. See [`tokio`](original::Sender::new).
    #[track_caller]
    pub fn new(init: T) -> Self {
        let end = End::new(Kind::TokioWatch, Location::caller(), 0, Role::Sender);
        Self { inner: original::Sender::new(init), end }
    }

    /// Sends a new value via the channel, notifying all receivers. See [`tokio`](original::Sender::send).
    ///
    /// # Errors
    /// There is no receiver: the value comes back.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.inner.receiver_count() == 0 {
            return Err(SendError(value));
        }
        self.send_replace(value);
        Ok(())
    }

    /// Modifies the watched value **unconditionally** in-place, notifying all receivers. See
    /// [`tokio`](original::Sender::send_modify).
    #[track_caller]
    pub fn send_modify<F>(&self, modify: F)
    where
        F: FnOnce(&mut T),
    {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Modifies the watched value **conditionally** in-place, notifying all receivers only if modified. See
    /// [`tokio`](original::Sender::send_if_modified).
    #[track_caller]
    pub fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        let site = Location::caller();
        self.change(site, |value| {
            let _held = self.end.guard(Role::Exclusive, site);
            modify(value)
        })
    }

    fn change(&self, site: Site, modify: impl FnOnce(&mut T) -> bool) -> bool {
        let wait = self.end.sending(Operation::Send, site).blocking(self.end.is_used());
        let _use = self.end.writes();
        let modified = self.inner.send_if_modified(|value| {
            // The lock is held from here on.
            wait.over(&());
            modify(value)
        });
        if modified {
            self.end.sent();
        }
        modified
    }

    /// Sends a new value via the channel, notifying all receivers and returning the previous value in the channel. See
    /// [`tokio`](original::Sender::send_replace).
    #[track_caller]
    pub fn send_replace(&self, mut value: T) -> T {
        // No code of the program's runs under the lock.
        self.change(Location::caller(), |old| {
            std::mem::swap(old, &mut value);
            true
        });
        value
    }

    /// Returns a reference to the most recently sent value. See [`tokio`](original::Sender::borrow).
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        let site = Location::caller();
        let wait = self.end.receiving(Operation::Read, site).blocking(self.end.is_written());
        let inner = self.inner.borrow();
        wait.over(&());
        Ref::new(inner, &self.end, site)
    }

    /// Checks if the channel has been closed: all receivers are gone.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Completes when all receivers have dropped. See [`tokio`](original::Sender::closed).
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        let op = self.end.sending(Operation::Closed, Location::caller());
        Waits::new(op, self.inner.closed(), |()| ())
    }

    /// Creates a new [`Receiver`] connected to this `Sender`. See [`tokio`](original::Sender::subscribe).
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        let end = self.end.another(Role::Receiver, Location::caller());
        Receiver { inner: self.inner.subscribe(), end }
    }

    /// Returns the number of receivers that currently exist.
    pub fn receiver_count(&self) -> usize {
        self.inner.receiver_count()
    }

    /// Returns the number of senders that currently exist.
    pub fn sender_count(&self) -> usize {
        self.inner.sender_count()
    }

    /// Returns `true` if senders belong to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let end = self.end.another(Role::Sender, Location::caller());
        Self { inner: self.inner.clone(), end }
    }
}

impl<T: Default> Default for Sender<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
