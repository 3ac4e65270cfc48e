//! `tokio::sync::mpsc`, with each channel known by the line that made it, and each end by who used it last.
mod bounded;
mod permit;
mod unbounded;

pub use ::tokio::sync::mpsc::*;
pub use bounded::{Receiver, Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use unbounded::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};

/// The methods that the two receivers have in common.
macro_rules! receiver {
    ($name:ident) => {
        impl<T> $name<T> {
            /// Receives the next value for this receiver. See [`tokio`](original::$name::recv).
            #[track_caller]
            #[inline]
            pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
                let op = self.end.receiving(Operation::Recv, Location::caller());
                let (inner, end) = (&mut self.inner, &self.end);
                let done = |got: Option<T>| got.inspect(|_| end.received(1));
                Waits::new(op, poll_fn(|cx| inner.poll_recv(cx)), done)
            }

            /// Receives the next values for this receiver and extends `buffer`. See [`tokio`](original::$name::recv_many).
            #[track_caller]
            #[inline]
            pub fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> impl Future<Output = usize> {
                let op = self.end.receiving(Operation::Recv, Location::caller());
                let (inner, end) = (&mut self.inner, &self.end);
                let done = |got| {
                    end.received(got);
                    got
                };
                Waits::new(op, poll_fn(move |cx| inner.poll_recv_many(cx, buffer, limit)), done)
            }

            /// Tries to receive the next value for this receiver.
            ///
            /// # Errors
            /// The channel is empty; or it is closed as well.
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                self.inner.try_recv().inspect(|_| self.end.received(1))
            }

            /// Blocking receive to call outside of asynchronous contexts. See [`tokio`](original::$name::blocking_recv).
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                let op = self.end.receiving(Operation::Recv, Location::caller());
                let wait = op.blocking(self.inner.is_empty());
                let got = self.inner.blocking_recv();
                wait.over(&got);
                got.inspect(|_| self.end.received(1))
            }

            /// Variant of [`Self::recv_many`] for blocking contexts.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                let op = self.end.receiving(Operation::Recv, Location::caller());
                let wait = op.blocking(self.inner.is_empty());
                let got = self.inner.blocking_recv_many(buffer, limit);
                wait.over(&got);
                self.end.received(got);
                got
            }

            /// Closes the receiving half of a channel without dropping it. See [`tokio`](original::$name::close).
            pub fn close(&mut self) {
                self.inner.close();
            }

            /// Checks if a channel is closed. See [`tokio`](original::$name::is_closed).
            pub fn is_closed(&self) -> bool {
                self.inner.is_closed()
            }

            /// Checks if a channel is empty. See [`tokio`](original::$name::is_empty).
            pub fn is_empty(&self) -> bool {
                self.inner.is_empty()
            }

            /// Returns the number of messages in the channel.
            pub fn len(&self) -> usize {
                self.inner.len()
            }

            /// Polls to receive the next message on this channel. See [`tokio`](original::$name::poll_recv).
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.inner.poll_recv(cx).map(|got| got.inspect(|_| self.end.received(1)))
            }

            /// Polls to receive multiple messages on this channel. See [`tokio`](original::$name::poll_recv_many).
            pub fn poll_recv_many(
                &mut self,
                cx: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                self.inner.poll_recv_many(cx, buffer, limit).map(|got| {
                    self.end.received(got);
                    got
                })
            }

            /// Returns the number of sender handles.
            pub fn sender_strong_count(&self) -> usize {
                self.inner.sender_strong_count()
            }

            /// Returns the number of weak sender handles.
            pub fn sender_weak_count(&self) -> usize {
                self.inner.sender_weak_count()
            }
        }

        impl<T> Unpin for $name<T> {}

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}
use receiver;

/// The methods that the two senders, and their weak forms, have in common.
macro_rules! sender {
    ($name:ident $weak:ident) => {
        impl<T> $name<T> {
            /// Completes when the receiver has dropped. See [`tokio`](original::$name::closed).
            #[track_caller]
            pub fn closed(&self) -> impl Future<Output = ()> {
                let op = self.end.sending(Operation::Closed, Location::caller()).queueing();
                Waits::new(op, self.inner.closed(), |()| ())
            }

            /// Checks if the channel has been closed. See [`tokio`](original::$name::is_closed).
            pub fn is_closed(&self) -> bool {
                self.inner.is_closed()
            }

            /// Returns `true` if senders belong to the same channel.
            pub fn same_channel(&self, other: &Self) -> bool {
                self.inner.same_channel(&other.inner)
            }

            /// Converts the sender to a weak one that does not count towards RAII semantics. See
            /// [`tokio`](original::$name::downgrade).
            #[must_use = "Downgrade creates a WeakSender without destroying the original non-weak sender."]
            pub fn downgrade(&self) -> $weak<T> {
                $weak { inner: self.inner.downgrade(), end: self.end.weak() }
            }

            /// Returns the number of sender handles.
            pub fn strong_count(&self) -> usize {
                self.inner.strong_count()
            }

            /// Returns the number of weak sender handles.
            pub fn weak_count(&self) -> usize {
                self.inner.weak_count()
            }
        }

        impl<T> Clone for $name<T> {
            #[track_caller]
            fn clone(&self) -> Self {
                let end = self.end.another(Role::Sender, Location::caller());
                Self { inner: self.inner.clone(), end }
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }

        impl<T> $weak<T> {
            /// Tries to make a sender of it: `None` if all senders are gone. See [`tokio`](original::$weak::upgrade).
            #[track_caller]
            pub fn upgrade(&self) -> Option<$name<T>> {
                let inner = self.inner.upgrade()?;
                Some($name { inner, end: self.end.another(Role::Sender, Location::caller()) })
            }

            /// Returns the number of sender handles.
            pub fn strong_count(&self) -> usize {
                self.inner.strong_count()
            }

            /// Returns the number of weak sender handles.
            pub fn weak_count(&self) -> usize {
                self.inner.weak_count()
            }
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                Self { inner: self.inner.clone(), end: self.end.weak() }
            }
        }

        impl<T> fmt::Debug for $weak<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}
use sender;
