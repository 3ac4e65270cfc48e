//! [`std::sync::mpsc`], recorded: sends and receives are counted, a full or empty channel is a wait, and each end is known
//! with who used it last.
use crate::channel::{End, done_or_disconnected};
use crate::recorder::{Limited, Site};
use lockprof_trace::{Kind, Operation, Role, WaitEnd};
use std::fmt;
use std::panic::Location;
use std::sync::mpsc as original;
use std::time::Duration;

pub use std::sync::mpsc::*;

/// As [`std::sync::mpsc::channel`]. Reports name the caller's line.
#[must_use]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = original::channel();
    let (send, receive) = End::pair(Kind::StdChannel, Location::caller(), 0);
    (Sender { end: send, inner: sender }, Receiver { end: receive, inner: receiver })
}

/// As [`std::sync::mpsc::sync_channel`]. Reports name the caller's line.
#[must_use]
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = original::sync_channel(bound);
    let (send, receive) = End::pair(Kind::StdChannel, Location::caller(), bound);
    (SyncSender { end: send, inner: sender }, Receiver { end: receive, inner: receiver })
}

/// [`std::sync::mpsc::Sender`], recorded.
pub struct Sender<T> {
    end: End,
    inner: original::Sender<T>,
}

impl<T> Sender<T> {
    /// As [`std::sync::mpsc::Sender::send`].
    #[inline]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        self.end.told(self.inner.send(t))
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { end: self.end.another(Role::Sender, Location::caller()), inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// [`std::sync::mpsc::SyncSender`], recorded.
pub struct SyncSender<T> {
    end: End,
    inner: original::SyncSender<T>,
}

impl<T> SyncSender<T> {
    /// As [`std::sync::mpsc::SyncSender::send`].
    #[inline]
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        match self.inner.try_send(t) {
            Ok(()) => {
                self.end.sent();
                Ok(())
            }
            Err(TrySendError::Disconnected(t)) => self.end.told(Err(SendError(t))),
            Err(TrySendError::Full(t)) => {
                let block = || self.inner.send(t);
                self.end.wait(Operation::Send, Location::caller(), block, done_or_disconnected)
            }
        }
    }

    /// As [`std::sync::mpsc::SyncSender::try_send`].
    #[inline]
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        self.end.told(self.inner.try_send(t))
    }
}

impl<T> Clone for SyncSender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { end: self.end.another(Role::Sender, Location::caller()), inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// [`std::sync::mpsc::Receiver`], recorded.
pub struct Receiver<T> {
    end: End,
    inner: original::Receiver<T>,
}

impl<T> Receiver<T> {
    /// As [`std::sync::mpsc::Receiver::try_recv`].
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let message = self.inner.try_recv()?;
        self.end.received();
        Ok(message)
    }

    /// As [`std::sync::mpsc::Receiver::recv`].
    #[inline]
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_at(Location::caller())
    }

    #[inline]
    fn recv_at(&self, site: Site) -> Result<T, RecvError> {
        match self.inner.try_recv() {
            Ok(message) => {
                self.end.received();
                Ok(message)
            }
            Err(TryRecvError::Disconnected) => Err(RecvError),
            Err(TryRecvError::Empty) => {
                self.end.wait(Operation::Recv, site, || self.inner.recv(), done_or_disconnected)
            }
        }
    }

    /// As [`std::sync::mpsc::Receiver::recv_timeout`].
    #[inline]
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let _limited = Limited::new();
        match self.inner.try_recv() {
            Ok(message) => {
                self.end.received();
                Ok(message)
            }
            Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => {
                let block = || self.inner.recv_timeout(timeout);
                self.end.wait(Operation::Recv, Location::caller(), block, |received| match received {
                    Ok(_) => WaitEnd::Done,
                    Err(RecvTimeoutError::Timeout) => WaitEnd::TimedOut,
                    Err(RecvTimeoutError::Disconnected) => WaitEnd::Disconnected,
                })
            }
        }
    }

    /// As [`std::sync::mpsc::Receiver::iter`].
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { rx: self, site: Location::caller() }
    }

    /// As [`std::sync::mpsc::Receiver::try_iter`].
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { rx: self }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// [`std::sync::mpsc::Iter`], recorded: what waits, waits where the iterator was made.
pub struct Iter<'a, T: 'a> {
    rx: &'a Receiver<T>,
    site: Site,
}

/// [`std::sync::mpsc::TryIter`], recorded.
#[derive(Debug)]
pub struct TryIter<'a, T: 'a> {
    rx: &'a Receiver<T>,
}

/// [`std::sync::mpsc::IntoIter`], recorded: what waits, waits where the iterator was made.
pub struct IntoIter<T> {
    rx: Receiver<T>,
    site: Site,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.recv_at(self.site).ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.recv_at(self.site).ok()
    }
}

impl<T: fmt::Debug> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("rx", self.rx).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").field("rx", &self.rx).finish()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[track_caller]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { rx: self, site: Location::caller() }
    }
}
