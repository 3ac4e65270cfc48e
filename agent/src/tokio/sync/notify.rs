//! `tokio::sync::Notify`: who waits to be notified, and how often somebody was.
use crate::recorder::{self, Site, Tag};
use crate::tokio::wait::{Op, Waiting};
use ::tokio::sync::futures as original;
use lockprof_trace::{Kind, Operation};
use std::fmt;
use std::future::Future;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Notifies a single task to wake up. See [`tokio::sync::Notify`](::tokio::sync::Notify).
pub struct Notify {
    tag: Tag,
    inner: ::tokio::sync::Notify,
}

impl Notify {
    /// Create a new `Notify`, initialized without a permit, known by the caller's line.
    #[track_caller]
    pub fn new() -> Notify {
        Self::const_new()
    }

    /// Create a new `Notify`, initialized without a permit, known by the caller's line.
    #[track_caller]
    pub const fn const_new() -> Notify {
        Self { tag: Tag::new(Location::caller()), inner: ::tokio::sync::Notify::const_new() }
    }

    fn op(&self, site: Site) -> Op {
        let id = self.tag.id_at(Kind::TokioNotify, site);
        // The id behind the notifier's own counts what is taken.
        Op::new(if id == 0 { 0 } else { id + 1 }, Operation::Notified, site).queueing()
    }

    fn signals(&self, site: Site) {
        let id = self.tag.id_at(Kind::TokioNotify, site);
        if id != 0 {
            recorder::count(id);
            recorder::signalled(id, site);
        }
    }

    /// Wait for a notification. See [`tokio`](::tokio::sync::Notify::notified).
    #[track_caller]
    pub fn notified(&self) -> Notified<'_> {
        let op = self.op(Location::caller());
        Notified { inner: self.inner.notified(), wait: Waiting::new(), op }
    }

    /// Wait for a notification with an owned `Future`. See [`tokio`](::tokio::sync::Notify::notified_owned).
    #[track_caller]
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        let op = self.op(Location::caller());
        // SAFETY: what lies in the `Arc` stays where it is, and is dropped after the future: the order of the fields.
        let notify: &'static Notify = unsafe { &*Arc::as_ptr(&self) };
        OwnedNotified {
            notified: Notified { inner: notify.inner.notified(), wait: Waiting::new(), op },
            _notify: self,
        }
    }

    /// Notifies the first waiting task. See [`tokio`](::tokio::sync::Notify::notify_one).
    #[track_caller]
    pub fn notify_one(&self) {
        self.signals(Location::caller());
        self.inner.notify_one();
    }

    /// Notifies the last waiting task. See [`tokio`](::tokio::sync::Notify::notify_last).
    #[track_caller]
    pub fn notify_last(&self) {
        self.signals(Location::caller());
        self.inner.notify_last();
    }

    /// Notifies all waiting tasks. See [`tokio`](::tokio::sync::Notify::notify_waiters).
    #[track_caller]
    pub fn notify_waiters(&self) {
        self.signals(Location::caller());
        self.inner.notify_waiters();
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Notify {
        Notify::new()
    }
}

impl UnwindSafe for Notify {}
impl RefUnwindSafe for Notify {}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Future returned from [`Notify::notified`]. See [`tokio`](original::Notified).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Notified<'a> {
    inner: original::Notified<'a>,
    wait: Waiting,
    op: Op,
}

impl Notified<'_> {
    /// Adds this future to the list of futures that are ready to receive wakeups. See
    /// [`tokio`](original::Notified::enable).
    pub fn enable(self: Pin<&mut Self>) -> bool {
        // SAFETY: `inner` is pinned with us and never moved.
        unsafe { self.map_unchecked_mut(|me| &mut me.inner) }.enable()
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: `inner` is pinned with us and never moved.
        let me = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let poll = unsafe { Pin::new_unchecked(&mut me.inner) }.poll(cx);
        me.wait.polled(&poll, &me.op);
        if poll.is_ready() && me.op.id != 0 {
            recorder::count(me.op.id);
        }
        poll
    }
}

impl fmt::Debug for Notified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Future returned from [`Notify::notified_owned`]. See [`tokio`](original::OwnedNotified).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OwnedNotified {
    notified: Notified<'static>,
    _notify: Arc<Notify>,
}

impl OwnedNotified {
    /// Adds this future to the list of futures that are ready to receive wakeups. See
    /// [`tokio`](original::OwnedNotified::enable).
    pub fn enable(self: Pin<&mut Self>) -> bool {
        // SAFETY: `notified` is pinned with us and never moved.
        unsafe { self.map_unchecked_mut(|me| &mut me.notified) }.enable()
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: `notified` is pinned with us and never moved.
        unsafe { self.map_unchecked_mut(|me| &mut me.notified) }.poll(cx)
    }
}

impl fmt::Debug for OwnedNotified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.notified.fmt(f)
    }
}
