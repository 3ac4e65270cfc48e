//! `tokio::sync::OnceCell`: who waits for the one that initialises it.
use crate::recorder::{Handle, Tag};
use crate::tokio::wait::{Ended, Op, Waiting};
use ::tokio::sync as original;
use ::tokio::sync::SetError;
use lockprof_trace::{Kind, Operation, Role, WaitEnd};
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A thread-safe cell that can be written to only once. See [`tokio::sync::OnceCell`](original::OnceCell).
pub struct OnceCell<T> {
    tag: Tag,
    inner: original::OnceCell<T>,
}

impl<T> OnceCell<T> {
    #[track_caller]
    const fn from_original(inner: original::OnceCell<T>) -> Self {
        Self { tag: Tag::new(Location::caller()), inner }
    }

    /// Creates a new empty `OnceCell` instance, known by the caller's line.
    #[track_caller]
    pub fn new() -> Self {
        Self::from_original(original::OnceCell::new())
    }

    /// Creates a new empty `OnceCell` instance, known by the caller's line.
    #[track_caller]
    pub const fn const_new() -> Self {
        Self::from_original(original::OnceCell::const_new())
    }

    /// Creates a new `OnceCell` that contains the provided value, if any.
    #[track_caller]
    pub fn new_with(value: Option<T>) -> Self {
        Self::from_original(original::OnceCell::new_with(value))
    }

    /// Creates a new `OnceCell` that contains the provided value.
    #[track_caller]
    pub const fn const_new_with(value: T) -> Self {
        Self::from_original(original::OnceCell::const_new_with(value))
    }

    /// Returns `true` if the `OnceCell` currently contains a value.
    pub fn initialized(&self) -> bool {
        self.inner.initialized()
    }

    /// Returns a reference to the value currently stored in the `OnceCell`.
    pub fn get(&self) -> Option<&T> {
        self.inner.get()
    }

    /// Returns a mutable reference to the value currently stored in the `OnceCell`.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// Sets the value of the `OnceCell` to the given value.
    ///
    /// # Errors
    /// It has one already, or somebody initialises it.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        self.inner.set(value)
    }

    #[track_caller]
    fn op(&self) -> Op {
        // Who finds a value does not wait, and needs no id.
        let id = if self.initialized() { 0 } else { self.tag.id(Kind::TokioOnceCell) };
        Op::new(id, Operation::Init, Location::caller()).queueing()
    }

    /// Gets the value currently in the `OnceCell`, or initialize it with the given asynchronous operation. See
    /// [`tokio`](original::OnceCell::get_or_init).
    #[track_caller]
    pub fn get_or_init<F, Fut>(&self, f: F) -> impl Future<Output = &T>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let op = self.op();
        GetOrInit { inner: self.inner.get_or_init(move || Init::new(op, f())), wait: Waiting::new(), op }
    }

    /// Gets the value currently in the `OnceCell`, or initialize it with the given asynchronous operation. See
    /// [`tokio`](original::OnceCell::get_or_try_init).
    #[track_caller]
    pub fn get_or_try_init<E, F, Fut>(&self, f: F) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let op = self.op();
        GetOrInit { inner: self.inner.get_or_try_init(move || Init::new(op, f())), wait: Waiting::new(), op }
    }

    /// Takes the value from the cell, destroying the cell in the process.
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Takes ownership of the current value, leaving the cell empty.
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }
}

thread_local! {
    /// In the poll that is under way, the initialisation itself was polled.
    static INITIALISES: Cell<bool> = const { Cell::new(false) };
}

/// The initialisation: it holds the cell until it is done.
struct Init<Fut> {
    // Goes first: once it is over, others may begin.
    handle: Handle,
    inner: Fut,
}

impl<Fut> Init<Fut> {
    fn new(op: Op, inner: Fut) -> Self {
        let handle = match op.id {
            0 => Handle::NONE,
            id => Handle::guard((id, id), Role::Exclusive, op.site, 1),
        };
        Self { handle, inner }
    }
}

impl<Fut: Future> Future for Init<Fut> {
    type Output = Fut::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Fut::Output> {
        // SAFETY: `inner` is pinned with us and never moved.
        let me = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let poll = unsafe { Pin::new_unchecked(&mut me.inner) }.poll(cx);
        INITIALISES.set(true);
        if poll.is_ready() {
            me.handle = Handle::NONE;
        }
        poll
    }
}

/// Waits for who initialises, or does it itself: then it waits for what that waits for, and not for the cell.
struct GetOrInit<F> {
    inner: F,
    wait: Waiting,
    op: Op,
}

/// The initialisation begins, or the cell has a value.
struct Over;

impl Ended for Over {
    fn ended(&self) -> WaitEnd {
        WaitEnd::Done
    }
}

impl<F: Future> Future for GetOrInit<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `inner` is pinned with us and never moved.
        let me = unsafe { self.get_unchecked_mut() };
        let outer = INITIALISES.replace(false);
        // SAFETY: as above.
        let poll = unsafe { Pin::new_unchecked(&mut me.inner) }.poll(cx);
        let initialises = INITIALISES.replace(outer);
        let over = if initialises || poll.is_ready() { Poll::Ready(Over) } else { Poll::Pending };
        me.wait.polled(&over, &me.op);
        poll
    }
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> OnceCell<T> {
        OnceCell::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    #[track_caller]
    fn clone(&self) -> OnceCell<T> {
        Self::from_original(self.inner.clone())
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &OnceCell<T>) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T> From<T> for OnceCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::from_original(value.into())
    }
}
