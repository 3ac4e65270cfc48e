//! Room in a bounded channel that is reserved for somebody: held, until it is used or given back.
use super::super::channel::End;
use super::Sender;
use crate::recorder::{Handle, Site};
use ::tokio::sync::mpsc as original;
use std::fmt;
use std::iter::FusedIterator;

/// Permits to send one value into the channel. See [`tokio`](original::Permit).
#[must_use]
pub struct Permit<'a, T> {
    handle: Handle,
    inner: original::Permit<'a, T>,
    end: &'a End,
}

impl<'a, T> Permit<'a, T> {
    #[inline]
    pub(super) fn new(inner: original::Permit<'a, T>, end: &'a End, site: Site) -> Self {
        Self { handle: end.permit(site, 1), inner, end }
    }

    /// Sends a value using the reserved capacity.
    #[inline]
    pub fn send(self, value: T) {
        drop(self.handle);
        self.inner.send(value);
        self.end.sent();
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// An [`Iterator`] of [`Permit`] that can be used to hold `n` slots in the channel. See
/// [`tokio`](original::PermitIterator).
#[must_use]
pub struct PermitIterator<'a, T> {
    handle: Handle,
    inner: original::PermitIterator<'a, T>,
    end: &'a End,
    site: Site,
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) fn new(inner: original::PermitIterator<'a, T>, end: &'a End, site: Site) -> Self {
        let handle = if inner.len() == 0 { Handle::NONE } else { end.permit(site, inner.len()) };
        Self { handle, inner, end, site }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        let permit = self.inner.next()?;
        match self.inner.len() {
            0 => self.handle = Handle::NONE,
            left => self.handle.set_count(u32::try_from(left).unwrap_or(u32::MAX)),
        }
        Some(Permit::new(permit, self.end, self.site))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Owned permit to send one value into the channel. See [`tokio`](original::OwnedPermit).
#[must_use]
pub struct OwnedPermit<T> {
    handle: Handle,
    inner: original::OwnedPermit<T>,
    end: End,
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(inner: original::OwnedPermit<T>, end: End, site: Site) -> Self {
        Self { handle: end.permit(site, 1), inner, end }
    }

    /// Sends a value using the reserved capacity, and gives the sender back.
    pub fn send(self, value: T) -> Sender<T> {
        drop(self.handle);
        let inner = self.inner.send(value);
        self.end.sent();
        Sender { inner, end: self.end }
    }

    /// Releases the reserved capacity *without* sending a message, and gives the sender back.
    pub fn release(self) -> Sender<T> {
        drop(self.handle);
        Sender { inner: self.inner.release(), end: self.end }
    }

    /// Returns `true` if permits belong to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// Returns `true` if this permit belongs to the same channel as the given [`Sender`].
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.inner.same_channel_as_sender(&sender.inner)
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
