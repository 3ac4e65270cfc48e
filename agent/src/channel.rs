//! What the channels of threads have in common: ends that are handles, sends and receives that are counted, and a wait
//! where the channel is full or empty.
#[cfg(feature = "crossbeam-channel")]
use crate::recorder::User;
use crate::recorder::{self, Handle, Site, Wait};
use lockprof_trace::{Kind, Operation, Role, WaitEnd};
use std::sync::Arc;

/// One end of a channel, in the record.
pub(crate) struct End {
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
    pub(crate) fn pair(kind: Kind, site: Site, capacity: usize) -> (Self, Self) {
        let id = recorder::new_object(kind, site, capacity as u64);
        let owned = (id != 0).then(|| Arc::new(Id(id)));
        let end = |role| Self { handle: Handle::open(id, role, site, 0), id, owned: owned.clone() };
        (end(Role::Sender), end(Role::Receiver))
    }

    /// One that is not recorded.
    #[cfg(feature = "crossbeam-channel")]
    pub(crate) const fn none() -> Self {
        Self { handle: Handle::NONE, id: 0, owned: None }
    }

    /// One more end of the same channel.
    pub(crate) fn another(&self, role: Role, site: Site) -> Self {
        let handle = Handle::open(self.id, role, site, 0);
        Self { handle, id: self.id, owned: self.owned.clone() }
    }

    /// A message went in.
    #[inline(always)]
    pub(crate) fn sent(&self) {
        if self.id != 0 {
            self.handle.user().counted(self.id);
        }
    }

    /// A send is over; one that was refused is counted too.
    #[inline(always)]
    pub(crate) fn told<T, E>(&self, sent: Result<T, E>) -> Result<T, E> {
        match sent {
            Ok(_) => self.sent(),
            Err(_) => self.failed(),
        }
        sent
    }

    /// A send was refused.
    #[cold]
    fn failed(&self) {
        if self.id != 0 {
            recorder::count(self.id + 2);
        }
    }

    /// A message came out.
    #[inline(always)]
    pub(crate) fn received(&self) {
        if self.id != 0 {
            self.handle.user().counted(self.id + 1);
        }
    }

    /// It goes to who is not seen to use it.
    #[cfg(feature = "crossbeam-channel")]
    pub(crate) fn used_unseen(&self) {
        if self.id != 0 {
            self.handle.used_unseen();
        }
    }

    /// The channel, and what tells its uses; `None` where it is not recorded.
    #[cfg(feature = "crossbeam-channel")]
    #[inline]
    pub(crate) fn user(&self) -> Option<(u32, User)> {
        (self.id != 0).then(|| (self.id, self.handle.user()))
    }

    /// Blocks in `operation`; `how` tells from the result how that ended. A message that came through is counted.
    #[cold]
    #[inline(never)]
    pub(crate) fn wait<R>(
        &self,
        operation: Operation,
        site: Site,
        block: impl FnOnce() -> R,
        how: impl FnOnce(&R) -> WaitEnd,
    ) -> R {
        if self.id == 0 {
            return block();
        }
        // Before it blocks: it is the thread that waits here which could go on with this end.
        self.handle.used();
        self.handle.lies_here();
        let counted = self.id + u32::from(operation == Operation::Recv);
        let wait = Wait::begin(counted, operation, site);
        let result = block();
        let how = how(&result);
        if let Some(wait) = wait {
            wait.end(how);
        }
        match operation {
            _ if how == WaitEnd::Done => recorder::count(counted),
            Operation::Recv => {}
            _ => self.failed(),
        }
        result
    }
}

/// How a wait ended that only the other end's drop could fail.
pub(crate) fn done_or_disconnected<T, E>(result: &Result<T, E>) -> WaitEnd {
    if result.is_ok() { WaitEnd::Done } else { WaitEnd::Disconnected }
}
