//! Waits of futures: from the first `Pending` to `Ready`, or to the drop, which is a wait given up.
//!
//! None of this is an `async` block around one of tokio's futures: that would copy it once more, and would lose the
//! caller, whose line is taken by the `#[track_caller]` function that makes the future.
use crate::recorder::{self, Own, Site, User, Wait};
use ::tokio::sync::{AcquireError, BarrierWaitResult, broadcast, mpsc, oneshot, watch};
use ::tokio::task::{JoinError, coop};
use lockprof_trace::{Operation, Party, WaitEnd};
use std::future::Future;
use std::marker::PhantomPinned;
use std::mem::{ManuallyDrop, needs_drop};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// What is waited for, doing what, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    /// The id that counts the wait; 0: not recorded, or no object.
    pub(super) id: u32,
    pub(super) operation: Operation,
    pub(super) site: Site,
    /// Who ends it, where that is known.
    pub(super) target: Party,
    /// It stands in line, or takes what is there, also where the task's budget is used up, as semaphores do. Elsewhere
    /// `Pending` without budget tells no wait, but that others shall have their turn.
    pub(super) queues: bool,
    /// The end that is used for it: whoever waits is the one who could go on with it.
    pub(super) end: User,
}

impl Op {
    #[inline(always)]
    pub(super) fn new(id: u32, operation: Operation, site: Site) -> Self {
        Self { id, operation, site, target: Party::UNKNOWN, queues: false, end: User::NONE }
    }

    /// The same with an end of a channel.
    #[inline(always)]
    pub(super) fn with(self, end: User) -> Self {
        Self { end, ..self }
    }

    /// The same of what stands in line without budget.
    #[inline(always)]
    pub(super) fn queueing(self) -> Self {
        Self { queues: true, ..self }
    }

    /// Where this acquires something: it is about to, and will wait as long as it must.
    #[inline(always)]
    fn acquiring(&self) {
        if self.queues && self.id != 0 {
            recorder::acquiring(self.id, self.operation, self.site);
        }
    }

    fn begin(&self) -> Option<Wait> {
        self.end.used();
        Wait::begin_for(self.id, self.operation, self.site, self.target)
    }

    /// This thread is about to block, unless that turns out to be needless: `wait` tells what is expected. The blocking
    /// call itself stands in the caller, since a closure would lose the line that tokio's panics tell.
    pub(super) fn blocking(&self, wait: bool) -> Waiting {
        self.acquiring();
        Waiting(if wait { self.begin() } else { None })
    }
}

/// What a wait came to, told by its output.
pub(super) trait Ended {
    fn ended(&self) -> WaitEnd;
}

impl<T, E: Refusal> Ended for Result<T, E> {
    fn ended(&self) -> WaitEnd {
        self.as_ref().map_or_else(Refusal::ended, |_| WaitEnd::Done)
    }
}

/// Why somebody did not get what it waited for: most often, the other end is gone.
pub(super) trait Refusal {
    fn ended(&self) -> WaitEnd {
        WaitEnd::Disconnected
    }
}

impl Refusal for JoinError {}
impl Refusal for AcquireError {}
impl<T> Refusal for mpsc::error::SendError<T> {}
impl Refusal for watch::error::RecvError {}
impl Refusal for oneshot::error::RecvError {}

impl<T> Refusal for mpsc::error::SendTimeoutError<T> {
    fn ended(&self) -> WaitEnd {
        match self {
            mpsc::error::SendTimeoutError::Timeout(_) => WaitEnd::TimedOut,
            mpsc::error::SendTimeoutError::Closed(_) => WaitEnd::Disconnected,
        }
    }
}

impl Refusal for broadcast::error::RecvError {
    fn ended(&self) -> WaitEnd {
        match self {
            broadcast::error::RecvError::Lagged(_) => WaitEnd::Done,
            broadcast::error::RecvError::Closed => WaitEnd::Disconnected,
        }
    }
}

impl Ended for BarrierWaitResult {
    fn ended(&self) -> WaitEnd {
        WaitEnd::Done
    }
}

/// Messages received together.
impl Ended for usize {
    fn ended(&self) -> WaitEnd {
        if *self == 0 { WaitEnd::Disconnected } else { WaitEnd::Done }
    }
}

impl<T> Ended for Option<T> {
    fn ended(&self) -> WaitEnd {
        if self.is_some() { WaitEnd::Done } else { WaitEnd::Disconnected }
    }
}

impl<T: ?Sized> Ended for Arc<T> {
    fn ended(&self) -> WaitEnd {
        WaitEnd::Done
    }
}

impl Ended for () {
    fn ended(&self) -> WaitEnd {
        WaitEnd::Done
    }
}

/// The wait of one future, if it has begun.
#[derive(Default)]
pub(super) struct Waiting(Option<Wait>);

impl Waiting {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// The future was polled, with this result.
    #[inline(always)]
    pub(super) fn polled<T: Ended>(&mut self, poll: &Poll<T>, op: &Op) {
        match poll {
            Poll::Pending if self.0.is_none() && recorder::is_recording() => self.begin(op),
            Poll::Ready(out) if self.0.is_some() => self.end(out.ended()),
            _ => {}
        }
    }

    #[cold]
    #[inline(never)]
    fn begin(&mut self, op: &Op) {
        if op.queues || coop::has_budget_remaining() {
            self.0 = op.begin();
        }
    }

    /// It is over, with this result.
    pub(super) fn over(mut self, out: &impl Ended) {
        self.end(out.ended());
    }

    #[cold]
    #[inline(never)]
    fn end(&mut self, end: WaitEnd) {
        if let Some(wait) = self.0.take() {
            wait.end(end);
        }
    }
}

/// One of tokio's futures whose wait is recorded; `done` makes the result of its output.
pub(super) struct Waits<F, D> {
    inner: F,
    done: D,
    op: Op,
    wait: Waiting,
    _pinned: PhantomPinned,
}

impl<T, F: Future<Output: Ended>, D: FnMut(F::Output) -> T> Waits<F, D> {
    /// Of `inner`, whose output `done` makes the result of.
    #[inline(always)]
    pub(super) fn new(op: Op, inner: F, done: D) -> Self {
        Self { inner, done, op, wait: Waiting::new(), _pinned: PhantomPinned }
    }
}

impl<T, F: Future<Output: Ended>, D: FnMut(F::Output) -> T> Future for Waits<F, D> {
    type Output = T;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // SAFETY: `inner` is pinned with us, and nothing else here is.
        let me = unsafe { self.get_unchecked_mut() };
        let poll = {
            let _own = Own::poll();
            // SAFETY: as above.
            unsafe { Pin::new_unchecked(&mut me.inner) }.poll(cx)
        };
        me.wait.polled(&poll, &me.op);
        poll.map(&mut me.done)
    }
}

/// A result that nobody looks at before it is handed over.
pub(super) struct Kept<T>(T);

// SAFETY: a shared `Kept` gives no access to what is in it.
unsafe impl<T> Sync for Kept<T> {}

/// An operation that tries first, and makes tokio's future only where it has to wait.
pub(super) struct TryFirst<V, A, S, F: Future, D>(ManuallyDrop<State<V, A, S, F, D>>);

enum State<V, A, S, F: Future, D> {
    /// Not polled yet, or without budget.
    Start(Op, V, A, S, D),
    /// Got, but without budget: the result has to wait for the next turn. Dropped, it is given back.
    Got(Kept<F::Output>, D),
    /// Waits by tokio's future.
    Slow(Waits<F, D>),
    /// Was ready.
    Over,
}

impl<V, A, S, F: Future, D> State<V, A, S, F, D> {
    /// Whether anything happens when this is dropped before it waits.
    const OWNS: bool = needs_drop::<V>() || needs_drop::<A>() || needs_drop::<S>() || needs_drop::<D>();

    /// It was ready at once. Where nothing of it needs a drop there is no call, so that the result stays in registers.
    #[inline(always)]
    fn over_at_once(&mut self) {
        let before = std::mem::replace(self, Self::Over);
        if !Self::OWNS {
            std::mem::forget(before);
        }
    }
}

impl<V, A, S, F, D, T> TryFirst<V, A, S, F, D>
where
    A: FnMut(&mut V) -> Option<F::Output>,
    S: FnOnce(V) -> F,
    F: Future<Output: Ended>,
    D: FnMut(F::Output) -> T,
{
    /// Of what `attempt` gets with `value` if nobody is in the way, and else the future that `slow` makes of it; `done`
    /// makes the result. What `attempt` gets of an operation that stands in line without budget must be given back when
    /// it is dropped.
    #[inline(always)]
    pub(super) fn new(op: Op, value: V, attempt: A, slow: S, done: D) -> Self {
        Self(ManuallyDrop::new(State::Start(op, value, attempt, slow, done)))
    }

    #[cold]
    #[inline(never)]
    fn slow(me: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // SAFETY: what is pinned here is never moved: `Slow` is made in its place, and stays there until it is dropped.
        let me = unsafe { &mut *me.get_unchecked_mut().0 };
        if let State::Start(op, value, attempt, ..) = me {
            let got = if op.queues && !coop::has_budget_remaining() { attempt(value) } else { None };
            let State::Start(op, value, _, slow, done) = std::mem::replace(me, State::Over) else {
                unreachable!()
            };
            *me = match got {
                Some(got) => State::Got(Kept(got), done),
                None => State::Slow(Waits::new(op, slow(value), done)),
            };
        }
        let out = match me {
            State::Got(..) => {
                ready!(coop::poll_proceed(cx)).made_progress();
                let State::Got(Kept(got), mut done) = std::mem::replace(me, State::Over) else {
                    unreachable!()
                };
                done(got)
            }
            // SAFETY: as above.
            State::Slow(waits) => ready!(unsafe { Pin::new_unchecked(waits) }.poll(cx)),
            State::Start(..) | State::Over => panic!("`async fn` resumed after completion"),
        };
        *me = State::Over;
        Poll::Ready(out)
    }
}

impl<V, A, S, F, D, T> Future for TryFirst<V, A, S, F, D>
where
    A: FnMut(&mut V) -> Option<F::Output>,
    S: FnOnce(V) -> F,
    F: Future<Output: Ended>,
    D: FnMut(F::Output) -> T,
{
    type Output = T;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // SAFETY: nothing in `Start` is pinned, and nothing is moved out of `Slow`.
        let me = unsafe { &mut *self.as_mut().get_unchecked_mut().0 };
        if let State::Start(op, value, attempt, _, done) = me {
            match coop::poll_proceed(cx) {
                Poll::Ready(budget) => {
                    op.acquiring();
                    if let Some(got) = attempt(value) {
                        budget.made_progress();
                        let out = done(got);
                        me.over_at_once();
                        return Poll::Ready(out);
                    }
                }
                Poll::Pending if op.queues => {}
                Poll::Pending => return Poll::Pending,
            }
        }
        Self::slow(self, cx)
    }
}

impl<V, A, S, F: Future, D> Drop for TryFirst<V, A, S, F, D> {
    #[inline(always)]
    fn drop(&mut self) {
        if !matches!(*self.0, State::Over) {
            drop_early(&mut self.0);
        }
    }
}

/// Out of line, since most are dropped when they are over.
#[cold]
#[inline(never)]
fn drop_early<T>(state: &mut ManuallyDrop<T>) {
    // SAFETY: the caller is being dropped, and does not look at it again.
    unsafe { ManuallyDrop::drop(state) };
}
