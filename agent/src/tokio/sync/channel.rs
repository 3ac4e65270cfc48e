//! What the ends of a channel share in the record, and what each has for itself.
use crate::recorder::{self, Handle, Site};
use crate::tokio::wait::Op;
use lockprof_trace::{Kind, Operation, Role};
use std::sync::Arc;

/// A recorded channel; given back with its last end.
#[derive(Debug)]
struct Channel(u32);

impl Drop for Channel {
    fn drop(&mut self) {
        recorder::drop_object(self.0);
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
        Self { id, handle: Handle::open(id, role, site, 0), channel: Some(Arc::new(Channel(id))) }
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

    /// It is an end no longer, though its owner still has it.
    pub(super) fn close(&mut self) {
        self.handle = Handle::NONE;
    }

    #[inline(always)]
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// A wait to send.
    #[inline(always)]
    pub(super) fn sending(&self, operation: Operation, site: Site) -> Op {
        Op::new(self.id, operation, site)
    }

    /// A wait to receive.
    #[inline(always)]
    pub(super) fn receiving(&self, operation: Operation, site: Site) -> Op {
        Op::new(if self.id == 0 { 0 } else { self.id + RECEIVES }, operation, site)
    }

    /// A message was sent.
    #[inline(always)]
    pub(super) fn sent(&self) {
        self.used(SENDS, 1);
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
}
