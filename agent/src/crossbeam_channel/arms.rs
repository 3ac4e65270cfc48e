//! The operations of a selection, and the wait for all of them at once: what the macros and `Select` have in common.
use super::{Receiver, Sender, original};
use crate::recorder::{self, Limited, Site, User, Wait};
use lockprof_trace::{Operation, WaitEnd};

/// An operation on a channel that is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Arm {
    user: User,
    id: u32,
    operation: Operation,
}

impl Arm {
    fn counted(self) -> u32 {
        self.id + u32::from(self.operation == Operation::Recv)
    }

    /// A message has passed, or has failed to.
    #[inline]
    pub(super) fn passed(self, done: bool) {
        match (done, self.operation) {
            (true, _) => self.user.counted(self.counted()),
            (false, Operation::Send) => recorder::count(self.id + 2),
            (false, _) => {}
        }
    }
}

/// The waits of one thread for several operations, each with its index. What is left of them when this is dropped, is
/// cancelled.
#[derive(Default)]
pub(super) struct Waits(Vec<(usize, Wait)>);

impl Waits {
    /// It begins to wait for all of `arms`. One that is not recorded may end the wait as well, so that nobody is proved to be
    /// stuck in it; nor is one who waits for a limited time.
    #[cold]
    #[inline(never)]
    pub(super) fn begin(
        arms: impl Iterator<Item = (usize, Option<Arm>)> + Clone,
        limited: bool,
        site: Site,
    ) -> Self {
        let open = limited || arms.clone().any(|(_, arm)| arm.is_none());
        let _limited = open.then(Limited::new);
        let wait = |(index, arm): (usize, Option<Arm>)| {
            let arm = arm?;
            // As where a channel is waited for alone: it is this thread which could go on with the end.
            arm.user.used();
            Some((index, Wait::begin(arm.counted(), arm.operation, site)?))
        };
        Self(arms.filter_map(wait).collect())
    }

    /// The operation with this index was selected: its wait. What was not selected is as if it had not been waited for.
    #[inline]
    pub(super) fn selected(&mut self, index: usize) -> Option<Wait> {
        if self.0.is_empty() { None } else { self.take(index) }
    }

    #[cold]
    #[inline(never)]
    fn take(&mut self, index: usize) -> Option<Wait> {
        let mut selected = None;
        for (at, wait) in self.0.drain(..) {
            if at == index { selected = Some(wait) } else { wait.void() }
        }
        selected
    }

    /// None was selected, and the time is up. It has waited once, whatever for.
    #[inline]
    pub(super) fn none(&mut self) {
        let first = self.0.first().map(|(index, _)| *index);
        if let Some(wait) = first.and_then(|first| self.take(first)) {
            wait.end(WaitEnd::TimedOut);
        }
    }
}

/// Ends the wait for what was selected, which has passed a message on or failed to.
#[inline]
pub(super) fn end(wait: Option<Wait>, done: bool) {
    if let Some(wait) = wait {
        wait.end(if done { WaitEnd::Done } else { WaitEnd::Disconnected });
    }
}

/// What a selection can receive from: a receiver, or one of the original's, of which nothing is recorded.
pub trait Receives {
    /// What comes out.
    type Message;
    /// The operation, as it is recorded, and the original's receiver.
    #[doc(hidden)]
    fn to_receive(&self) -> (Option<Arm>, &original::Receiver<Self::Message>);
}

/// What a selection can send to: a sender, or one of the original's, of which nothing is recorded.
pub trait Sends {
    /// What goes in.
    type Message;
    /// The operation, as it is recorded, and the original's sender.
    #[doc(hidden)]
    fn to_send(&self) -> (Option<Arm>, &original::Sender<Self::Message>);
}

macro_rules! takes_part {
    ($trait:ident $method:ident $end:ident $operation:ident) => {
        impl<T> $trait for $end<T> {
            type Message = T;

            #[inline]
            fn $method(&self) -> (Option<Arm>, &original::$end<T>) {
                let arm = |(id, user)| Arm { user, id, operation: Operation::$operation };
                (self.end.user().map(arm), &self.inner)
            }
        }

        impl<T> $trait for original::$end<T> {
            type Message = T;

            #[inline]
            fn $method(&self) -> (Option<Arm>, &original::$end<T>) {
                (None, self)
            }
        }

        takes_part!(by $trait $method $end: &E, &mut E, Box<E>, std::sync::Arc<E>, std::rc::Rc<E>);
    };
    (by $trait:ident $method:ident $end:ident: $($pointer:ty),*) => {
        $(impl<E: $trait + ?Sized> $trait for $pointer {
            type Message = E::Message;

            #[inline]
            fn $method(&self) -> (Option<Arm>, &original::$end<E::Message>) {
                (**self).$method()
            }
        })*
    };
}

takes_part!(Receives to_receive Receiver Recv);
takes_part!(Sends to_send Sender Send);
