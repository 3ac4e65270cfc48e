//! crossbeam_channel, recorded: sends and receives are counted, a full or empty channel is a wait, and each end is known
//! with who used it last.
//!
//! [`select!`], [`select_biased!`] and [`Select`] are recorded as well: a thread in them waits for all of their operations at
//! once.
//!
//! # What cannot be seen
//! An end dereferences to the original's. What is done with that is not recorded, and of such an end reports know no user.
//! Nor are the channels recorded that time feeds ([`after`], [`at`], [`tick`]) and [`never()`].
mod arms;
mod select;
#[doc(hidden)]
pub mod selection;

use crate::channel::{End, done_or_disconnected};
use crate::recorder::{Limited, Site};
use lockprof_trace::{Kind, Operation, Role, WaitEnd};
use std::fmt;
use std::iter::FusedIterator;
use std::ops::Deref;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

use ::crossbeam_channel as original;
pub use ::crossbeam_channel::*;

#[doc(inline)]
pub use crate::{__crossbeam_channel_select as select, __crossbeam_channel_select_biased as select_biased};
pub use arms::{Receives, Sends};
pub use select::{Select, SelectedOperation};

/// As [`crossbeam_channel::unbounded`](original::unbounded). Reports name the caller's line.
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    pair(original::unbounded(), 0, Location::caller())
}

/// As [`crossbeam_channel::bounded`](original::bounded). Reports name the caller's line.
#[track_caller]
pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    pair(original::bounded(cap), cap, Location::caller())
}

fn pair<T>(
    (sender, receiver): (original::Sender<T>, original::Receiver<T>),
    capacity: usize,
    site: Site,
) -> (Sender<T>, Receiver<T>) {
    let (send, receive) = End::pair(Kind::CrossbeamChannel, site, capacity);
    (Sender { end: send, inner: sender }, Receiver { end: receive, inner: receiver })
}

/// As [`crossbeam_channel::after`](original::after); not recorded.
pub fn after(duration: Duration) -> Receiver<Instant> {
    Receiver { end: End::none(), inner: original::after(duration) }
}

/// As [`crossbeam_channel::at`](original::at); not recorded.
pub fn at(when: Instant) -> Receiver<Instant> {
    Receiver { end: End::none(), inner: original::at(when) }
}

/// As [`crossbeam_channel::never`](original::never); not recorded.
pub const fn never<T>() -> Receiver<T> {
    Receiver { end: End::none(), inner: original::never() }
}

/// As [`crossbeam_channel::tick`](original::tick); not recorded.
pub fn tick(duration: Duration) -> Receiver<Instant> {
    Receiver { end: End::none(), inner: original::tick(duration) }
}

/// [`crossbeam_channel::Sender`](original::Sender), recorded.
pub struct Sender<T> {
    // Dropped first: whoever learns that the channel is disconnected finds this end gone.
    end: End,
    inner: original::Sender<T>,
}

impl<T> Sender<T> {
    /// As [`Sender::try_send`](original::Sender::try_send).
    #[inline]
    pub fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        self.end.told(self.inner.try_send(msg))
    }

    /// As [`Sender::send`](original::Sender::send).
    #[inline]
    #[track_caller]
    pub fn send(&self, msg: T) -> Result<(), SendError<T>> {
        match self.inner.try_send(msg) {
            Ok(()) => {
                self.end.sent();
                Ok(())
            }
            Err(TrySendError::Disconnected(msg)) => self.end.told(Err(SendError(msg))),
            Err(TrySendError::Full(msg)) => {
                let block = || self.inner.send(msg);
                self.end.wait(Operation::Send, Location::caller(), block, done_or_disconnected)
            }
        }
    }

    /// As [`Sender::send_timeout`](original::Sender::send_timeout).
    #[track_caller]
    pub fn send_timeout(&self, msg: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.timed(msg, Location::caller(), |msg| self.inner.send_timeout(msg, timeout))
    }

    /// As [`Sender::send_deadline`](original::Sender::send_deadline).
    #[track_caller]
    pub fn send_deadline(&self, msg: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.timed(msg, Location::caller(), |msg| self.inner.send_deadline(msg, deadline))
    }

    fn timed(
        &self,
        msg: T,
        site: Site,
        block: impl FnOnce(T) -> Result<(), SendTimeoutError<T>>,
    ) -> Result<(), SendTimeoutError<T>> {
        let _limited = Limited::new();
        match self.inner.try_send(msg) {
            Ok(()) => {
                self.end.sent();
                Ok(())
            }
            Err(TrySendError::Disconnected(msg)) => self.end.told(Err(SendTimeoutError::Disconnected(msg))),
            Err(TrySendError::Full(msg)) => self.end.wait(
                Operation::Send,
                site,
                || block(msg),
                |sent| match sent {
                    Ok(()) => WaitEnd::Done,
                    Err(SendTimeoutError::Timeout(_)) => WaitEnd::TimedOut,
                    Err(SendTimeoutError::Disconnected(_)) => WaitEnd::Disconnected,
                },
            ),
        }
    }

    /// As [`Sender::same_channel`](original::Sender::same_channel).
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

/// [`crossbeam_channel::Receiver`](original::Receiver), recorded.
pub struct Receiver<T> {
    // Dropped first, as in a sender.
    end: End,
    inner: original::Receiver<T>,
}

impl<T> Receiver<T> {
    /// As [`Receiver::try_recv`](original::Receiver::try_recv).
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let message = self.inner.try_recv()?;
        self.end.received();
        Ok(message)
    }

    /// As [`Receiver::recv`](original::Receiver::recv).
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

    /// As [`Receiver::recv_timeout`](original::Receiver::recv_timeout).
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.timed(Location::caller(), || self.inner.recv_timeout(timeout))
    }

    /// As [`Receiver::recv_deadline`](original::Receiver::recv_deadline).
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.timed(Location::caller(), || self.inner.recv_deadline(deadline))
    }

    fn timed(
        &self,
        site: Site,
        block: impl FnOnce() -> Result<T, RecvTimeoutError>,
    ) -> Result<T, RecvTimeoutError> {
        let _limited = Limited::new();
        match self.inner.try_recv() {
            Ok(message) => {
                self.end.received();
                Ok(message)
            }
            Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => {
                self.end.wait(Operation::Recv, site, block, |received| match received {
                    Ok(_) => WaitEnd::Done,
                    Err(RecvTimeoutError::Timeout) => WaitEnd::TimedOut,
                    Err(RecvTimeoutError::Disconnected) => WaitEnd::Disconnected,
                })
            }
        }
    }

    /// As [`Receiver::iter`](original::Receiver::iter).
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self, site: Location::caller() }
    }

    /// As [`Receiver::try_iter`](original::Receiver::try_iter).
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    /// As [`Receiver::same_channel`](original::Receiver::same_channel).
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

/// What both ends have in common.
macro_rules! end {
    ($end:ident, $role:ident) => {
        impl<T> UnwindSafe for $end<T> {}
        impl<T> RefUnwindSafe for $end<T> {}

        impl<T> Clone for $end<T> {
            #[track_caller]
            fn clone(&self) -> Self {
                Self { end: self.end.another(Role::$role, Location::caller()), inner: self.inner.clone() }
            }
        }

        impl<T> $end<T> {
            #[doc = concat!("As [`", stringify!($end), "::is_empty`](original::", stringify!($end), "::is_empty).")]
            pub fn is_empty(&self) -> bool {
                self.inner.is_empty()
            }

            #[doc = concat!("As [`", stringify!($end), "::is_full`](original::", stringify!($end), "::is_full).")]
            pub fn is_full(&self) -> bool {
                self.inner.is_full()
            }

            #[doc = concat!("As [`", stringify!($end), "::len`](original::", stringify!($end), "::len).")]
            pub fn len(&self) -> usize {
                self.inner.len()
            }

            #[doc = concat!("As [`", stringify!($end), "::capacity`](original::", stringify!($end), "::capacity).")]
            pub fn capacity(&self) -> Option<usize> {
                self.inner.capacity()
            }
        }

        /// The original's end, for who takes no other. Whoever uses that, is not known.
        impl<T> Deref for $end<T> {
            type Target = original::$end<T>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                self.end.used_unseen();
                &self.inner
            }
        }

        impl<T> fmt::Debug for $end<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

end!(Sender, Sender);
end!(Receiver, Receiver);

/// [`crossbeam_channel::Iter`](original::Iter), recorded: what waits, waits where the iterator was made.
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
    site: Site,
}

/// [`crossbeam_channel::TryIter`](original::TryIter), recorded.
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
}

/// [`crossbeam_channel::IntoIter`](original::IntoIter), recorded: what waits, waits where the iterator was made.
pub struct IntoIter<T> {
    receiver: Receiver<T>,
    site: Site,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv_at(self.site).ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv_at(self.site).ok()
    }
}

impl<T> FusedIterator for Iter<'_, T> {}
impl<T> FusedIterator for IntoIter<T> {}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Iter { .. }")
    }
}

impl<T> fmt::Debug for TryIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("TryIter { .. }")
    }
}

impl<T> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("IntoIter { .. }")
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
        IntoIter { receiver: self, site: Location::caller() }
    }
}
