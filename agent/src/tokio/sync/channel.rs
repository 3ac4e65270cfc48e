//! What the ends of a channel share in the record, and what each has for itself.
use crate::recorder::{self, Handle, Site};
use crate::tokio::wait::Op;
use lockprof_trace::{Kind, Operation, Role};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

/// A recorded channel; given back with its last end.
#[derive(Debug)]
struct Channel {
    id: u32,
    /// Of a watch: who reads its value now, and who writes or waits to.
    reads: AtomicU32,
    writes: AtomicU32,
}

impl Drop for Channel {
    fn drop(&mut self) {
        recorder::drop_object(self.id);
    }
}

/// One use of a watch's value.
#[derive(Debug)]
pub(super) struct Use<'a>(&'a AtomicU32);

impl<'a> Use<'a> {
    fn begin(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// One end of a channel. In the struct of the end it stands behind tokio's, so that it goes later: in the record, no
/// channel loses an end that others still see.
#[derive(Debug)]
pub(super) struct End {
    /// 0: not recorded.
    id: u32,
    handle: Handle,
    channel: Option<Arc<Channel>>,
}

/// Where the counts of a channel's uses are: from its id on.
const SENDS: u32 = 0;
const RECEIVES: u32 = 1;
/// Not of a watch.
const FAILURES: u32 = 2;
/// Of a broadcast.
const LAGS: u32 = 3;

impl End {
    /// Not recorded.
    pub(super) const NONE: Self = Self { id: 0, handle: Handle::NONE, channel: None };

    /// Both ends of a channel made at `site`; a capacity of 0: without bound.
    #[inline]
    pub(super) fn pair(kind: Kind, site: Site, capacity: usize) -> (Self, Self) {
        let sender = Self::new(kind, site, capacity, Role::Sender);
        let receiver = sender.another(Role::Receiver, site);
        (sender, receiver)
    }

    /// The only end, up to now, of a channel made at `site`.
    #[inline]
    pub(super) fn new(kind: Kind, site: Site, capacity: usize, role: Role) -> Self {
        let id = recorder::new_object(kind, site, capacity as u64);
        if id == 0 {
            return Self::NONE;
        }
        let channel = Channel { id, reads: AtomicU32::new(0), writes: AtomicU32::new(0) };
        Self { id, handle: Handle::open(id, role, site, 0), channel: Some(Arc::new(channel)) }
    }

    /// Another end of the same channel, made at `site`.
    #[inline]
    pub(super) fn another(&self, role: Role, site: Site) -> Self {
        if self.id == 0 {
            return Self::NONE;
        }
        Self { id: self.id, handle: Handle::open(self.id, role, site, 0), channel: self.channel.clone() }
    }

    /// What belongs to the channel and is no end of it: a weak end, or one that is closed.
    #[inline]
    pub(super) fn weak(&self) -> Self {
        Self { id: self.id, handle: Handle::NONE, channel: self.channel.clone() }
    }

    /// A wait to send.
    #[inline(always)]
    pub(super) fn sending(&self, operation: Operation, site: Site) -> Op {
        self.handle.lies_here();
        Op::new(self.id, operation, site).with(self.handle.user())
    }

    /// A wait to receive.
    #[inline(always)]
    pub(super) fn receiving(&self, operation: Operation, site: Site) -> Op {
        self.handle.lies_here();
        let id = if self.id == 0 { 0 } else { self.id + RECEIVES };
        Op::new(id, operation, site).with(self.handle.user())
    }

    /// A message was sent.
    #[inline(always)]
    pub(super) fn sent(&self) {
        self.used(SENDS, 1);
    }

    /// A send is over; one that was refused is counted too.
    #[inline(always)]
    pub(super) fn told<T, E>(&self, sent: Result<T, E>) -> Result<T, E> {
        match sent {
            Ok(_) => self.sent(),
            Err(_) => self.failed(),
        }
        sent
    }

    /// A send was refused.
    #[cold]
    pub(super) fn failed(&self) {
        if self.id != 0 {
            recorder::count(self.id + FAILURES);
        }
    }

    /// A receiver of a broadcast was told that it has missed messages.
    #[cold]
    pub(super) fn lagged(&self) {
        self.used(LAGS, 1);
    }

    /// This many messages were received.
    #[inline(always)]
    pub(super) fn received(&self, count: usize) {
        self.used(RECEIVES, count);
    }

    #[inline(always)]
    fn used(&self, offset: u32, count: usize) {
        if self.id != 0 {
            (0..count).for_each(|_| recorder::count(self.id + offset));
            self.handle.used();
        }
    }

    /// Room that somebody has reserved.
    #[inline]
    pub(super) fn permit(&self, site: Site, count: usize) -> Handle {
        Handle::open(self.id, Role::Permit, site, u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Somebody looks at a watch's value, or changes it.
    pub(super) fn guard(&self, role: Role, site: Site) -> Handle {
        Handle::open(self.id, role, site, 1)
    }

    /// The same, for who is about to wait for it.
    pub(super) fn reads(&self) -> Option<Use<'_>> {
        self.channel.as_deref().map(|channel| Use::begin(&channel.reads))
    }

    /// Somebody writes a watch's value, or waits to.
    pub(super) fn writes(&self) -> Option<Use<'_>> {
        self.channel.as_deref().map(|channel| Use::begin(&channel.writes))
    }

    /// Who reads would have to wait.
    pub(super) fn is_written(&self) -> bool {
        self.channel.as_deref().is_some_and(|channel| channel.writes.load(Relaxed) != 0)
    }

    /// Who writes would have to wait.
    pub(super) fn is_used(&self) -> bool {
        let used = |channel: &Channel| channel.reads.load(Relaxed) + channel.writes.load(Relaxed) != 0;
        self.channel.as_deref().is_some_and(used)
    }
}
