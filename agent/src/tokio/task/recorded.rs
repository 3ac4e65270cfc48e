//! A spawned future or closure, with the record of its life.
use super::waker::Census;
use super::{AbortHandle, JoinHandle};
use crate::recorder::{Site, Task, TaskRef, captured, moved, spawned};
use ::tokio::task as original;
use lockprof_trace::{Kind, Outcome};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

/// A [`JoinSet`](super::JoinSet) has asked all its tasks to end early.
pub(super) type SetAborts = Option<Arc<AtomicBool>>;

/// A task of the program, until it has ended.
struct Life(Option<Task>);

impl Life {
    #[inline(always)]
    fn new(kind: Kind, site: Site) -> Self {
        Self(Task::spawn(kind, site))
    }

    #[inline(always)]
    fn reference(&self) -> TaskRef {
        self.0.as_ref().map_or(TaskRef::NONE, Task::reference)
    }

    fn finish(&mut self, outcome: Outcome) {
        if let Some(task) = self.0.take() {
            task.finish(outcome);
        }
    }

    /// The set that it is in is gone, or was told to: who drops it unfinished does so for that.
    fn asked_by(&self, set: &SetAborts) {
        if set.as_ref().is_some_and(|aborts| aborts.load(Relaxed)) {
            self.reference().abort();
        }
    }

    /// It goes unfinished, and with it what `drop_inner` drops.
    #[cold]
    #[inline(never)]
    fn dropped(&mut self, drop_inner: impl FnOnce()) {
        let Some(task) = self.0.take() else { return drop_inner() };
        let _dropping = task.dropping();
        drop_inner();
    }
}

/// Dropped by a panic of what the task runs.
struct OnPanic<'a>(&'a mut Life);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        self.0.finish(Outcome::Panicked);
    }
}

/// What its spawner keeps of a task.
pub(crate) struct Spawned {
    task: TaskRef,
    site: Site,
}

impl Spawned {
    /// The handle to a task that was spawned.
    #[inline]
    pub(crate) fn handle<T>(self, inner: original::JoinHandle<T>) -> JoinHandle<T> {
        spawned();
        JoinHandle::new(inner, self.task, self.site)
    }

    /// The same in a set.
    #[inline]
    pub(super) fn abort_handle(self, inner: original::AbortHandle) -> AbortHandle {
        spawned();
        AbortHandle::new(inner, self.task)
    }
}

/// The future of a task.
pub(crate) struct Recorded<F> {
    inner: ManuallyDrop<F>,
    life: Life,
    census: Census,
}

impl<F> Recorded<F> {
    /// `future`, to be spawned by the caller: not in here, since tokio's panics tell who spawns.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn new(future: F) -> (Self, Spawned) {
        let life = Life::new(Kind::Task, Location::caller());
        let spawned = Spawned { task: life.reference(), site: Location::caller() };
        captured(&future, spawned.task.party());
        (Self { inner: ManuallyDrop::new(future), life, census: Census::default() }, spawned)
    }
}

impl<F: Future> Future for Recorded<F> {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `inner` is pinned with us and never moved.
        let me = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let inner = unsafe { Pin::new_unchecked(&mut *me.inner) };
        if me.life.0.is_none() {
            return inner.poll(cx);
        }
        let task = me.life.reference();
        let on_panic = OnPanic(&mut me.life);
        let polling = on_panic.0.0.as_mut().and_then(Task::poll);
        let out = me.census.poll(inner, task, cx);
        drop(polling);
        std::mem::forget(on_panic);
        if out.is_ready() {
            me.life.finish(Outcome::Finished);
        }
        out
    }
}

impl<F> Drop for Recorded<F> {
    fn drop(&mut self) {
        let inner = &mut self.inner;
        // SAFETY: it is dropped here, in its place, and nowhere else.
        let mut drop_inner = || unsafe { ManuallyDrop::drop(inner) };
        if self.life.0.is_none() { drop_inner() } else { self.life.dropped(drop_inner) }
    }
}

/// The future of a task in a set.
pub(super) struct InSet<F> {
    inner: Recorded<F>,
    set: SetAborts,
}

impl<F> InSet<F> {
    /// The same as [`Recorded::new`].
    #[inline(always)]
    #[track_caller]
    pub(super) fn new(set: SetAborts, future: F) -> (Self, Spawned) {
        let (inner, spawned) = Recorded::new(future);
        (Self { inner, set }, spawned)
    }
}

impl<F: Future> Future for InSet<F> {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `inner` is pinned with us and never moved.
        unsafe { self.map_unchecked_mut(|me| &mut me.inner) }.poll(cx)
    }
}

impl<F> Drop for InSet<F> {
    fn drop(&mut self) {
        self.inner.life.asked_by(&self.set);
    }
}

/// The closure of a blocking task.
pub(crate) struct Job<F> {
    closure: Option<F>,
    life: Life,
    set: SetAborts,
}

impl<R, F: FnOnce() -> R> Job<F> {
    /// `closure`, to be spawned by the caller.
    #[track_caller]
    pub(crate) fn new(closure: F) -> (Self, Spawned) {
        Self::new_in(None, closure)
    }

    /// The same in a set.
    #[track_caller]
    pub(super) fn new_in(set: SetAborts, closure: F) -> (Self, Spawned) {
        let life = Life::new(Kind::BlockingTask, Location::caller());
        let spawned = Spawned { task: life.reference(), site: Location::caller() };
        moved(&closure, spawned.task.party());
        (Self { closure: Some(closure), life, set }, spawned)
    }

    /// Runs it.
    #[allow(clippy::expect_used)]
    pub(crate) fn run(mut self) -> R {
        let closure = self.closure.take().expect("a job runs once");
        let on_panic = OnPanic(&mut self.life);
        let polling = on_panic.0.0.as_mut().and_then(Task::poll);
        let out = closure();
        drop(polling);
        std::mem::forget(on_panic);
        self.life.finish(Outcome::Finished);
        out
    }
}

impl<F> Drop for Job<F> {
    fn drop(&mut self) {
        let Some(closure) = self.closure.take() else { return };
        self.life.asked_by(&self.set);
        self.life.dropped(|| drop(closure));
    }
}
