//! [`std::sync::mpsc`], recorded: sends and receives are counted, a full or empty channel is a wait, and each end is known
//! with who used it last.
use crate::recorder::{self, Handle, Site, Wait};
use lockprof_trace::{Kind, Operation, Role, WaitEnd};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::mpsc as original;
use std::time::Duration;

pub use std::sync::mpsc::*;

/// One end of a channel, in the record.
struct End {
    /// Dropped before the channel is: whoever learns that it is disconnected finds this end gone.
    handle: Handle,
    id: u32,
    /// All ends have the channel's id in common. `None` where it is not recorded.
    owned: Option<Arc<Id>>,
}

/// The id of a channel. The last end gives it back.
struct Id(u32);

impl Drop for Id {
    fn drop(&mut self) {
        recorder::drop_object(self.0);
    }
}

impl End {
    /// The two ends of a channel with room for `capacity` messages, or for any number of them.
    fn pair(site: Site, capacity: usize) -> (Self, Self) {
        let id = recorder::new_object(Kind::StdChannel, site, capacity as u64);
        let owned = (id != 0).then(|| Arc::new(Id(id)));
        let end = |role| Self { handle: Handle::open(id, role, site, 0), id, owned: owned.clone() };
        (end(Role::Sender), end(Role::Receiver))
    }

    /// One more sender.
    fn sender(&self, site: Site) -> Self {
        let handle = Handle::open(self.id, Role::Sender, site, 0);
        Self { handle, id: self.id, owned: self.owned.clone() }
    }

    /// A message went in.
    #[inline(always)]
    fn sent(&self) {
        if self.id != 0 {
            recorder::count(self.id);
            self.handle.used();
        }
    }

    /// A message came out.
    #[inline(always)]
    fn received(&self) {
        if self.id != 0 {
            recorder::count(self.id + 1);
            self.handle.used();
        }
    }

    /// A receive waits; it is this end that could go on.
    #[cold]
    #[inline(never)]
    fn wait(&self, operation: Operation, site: Site) -> Option<Wait> {
        if self.id == 0 {
            return None;
        }
        self.handle.used();
        let counted = self.id + u32::from(operation == Operation::Recv);
        Wait::begin(counted, operation, site)
    }
}

fn end(wait: Option<Wait>, how: WaitEnd) {
    if let Some(wait) = wait {
        wait.end(how);
    }
}

/// As [`std::sync::mpsc::channel`]. Reports name the caller's line.
#[must_use]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = original::channel();
    let (send, receive) = End::pair(Location::caller(), 0);
    (Sender { end: send, inner: sender }, Receiver { end: receive, inner: receiver })
}

/// As [`std::sync::mpsc::sync_channel`]. Reports name the caller's line.
#[must_use]
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = original::sync_channel(bound);
    let (send, receive) = End::pair(Location::caller(), bound);
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
        self.inner.send(t)?;
        self.end.sent();
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { end: self.end.sender(Location::caller()), inner: self.inner.clone() }
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
            Ok(()) => {}
            Err(TrySendError::Disconnected(t)) => return Err(SendError(t)),
            Err(TrySendError::Full(t)) => self.send_slow(t, Location::caller())?,
        }
        self.end.sent();
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn send_slow(&self, t: T, site: Site) -> Result<(), SendError<T>> {
        let wait = self.end.wait(Operation::Send, site);
        let sent = self.inner.send(t);
        end(wait, if sent.is_ok() { WaitEnd::Done } else { WaitEnd::Disconnected });
        sent
    }

    /// As [`std::sync::mpsc::SyncSender::try_send`].
    #[inline]
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        self.inner.try_send(t)?;
        self.end.sent();
        Ok(())
    }
}

impl<T> Clone for SyncSender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { end: self.end.sender(Location::caller()), inner: self.inner.clone() }
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
        let message = match self.inner.try_recv() {
            Ok(message) => message,
            Err(TryRecvError::Disconnected) => return Err(RecvError),
            Err(TryRecvError::Empty) => self.recv_slow(site)?,
        };
        self.end.received();
        Ok(message)
    }

    #[cold]
    #[inline(never)]
    fn recv_slow(&self, site: Site) -> Result<T, RecvError> {
        let wait = self.end.wait(Operation::Recv, site);
        let received = self.inner.recv();
        end(wait, if received.is_ok() { WaitEnd::Done } else { WaitEnd::Disconnected });
        received
    }

    /// As [`std::sync::mpsc::Receiver::recv_timeout`].
    #[inline]
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let message = match self.inner.try_recv() {
            Ok(message) => message,
            Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => self.recv_timeout_slow(timeout, Location::caller())?,
        };
        self.end.received();
        Ok(message)
    }

    #[cold]
    #[inline(never)]
    fn recv_timeout_slow(&self, timeout: Duration, site: Site) -> Result<T, RecvTimeoutError> {
        let wait = self.end.wait(Operation::Recv, site);
        let received = self.inner.recv_timeout(timeout);
        let how = match received {
            Ok(_) => WaitEnd::Done,
            Err(RecvTimeoutError::Timeout) => WaitEnd::TimedOut,
            Err(RecvTimeoutError::Disconnected) => WaitEnd::Disconnected,
        };
        end(wait, how);
        received
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
