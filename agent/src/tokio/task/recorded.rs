//! A spawned future or closure, with the record of its life.
use super::JoinHandle;
use crate::recorder::{Site, Task, TaskRef};
use ::tokio::task as original;
use lockprof_trace::{Kind, Outcome};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

/// A [`JoinSet`](super::JoinSet) has asked all its tasks to end early.
pub(super) type SetAborts = Option<Arc<AtomicBool>>;

/// A task of the program, and the set that it is in.
#[derive(Default)]
struct Life {
    task: Option<Task>,
    set: SetAborts,
}

impl Life {
    #[track_caller]
    fn new(kind: Kind, site: Site) -> Self {
        Self { task: Task::spawn(kind, site), set: None }
    }

    fn reference(&self) -> TaskRef {
        self.task.as_ref().map_or(TaskRef::NONE, Task::reference)
    }

    fn finish(&mut self, outcome: Outcome) {
        if let Some(task) = self.task.take() {
            task.finish(outcome);
        }
    }

    /// It goes unfinished, and with it what `drop_inner` drops.
    #[cold]
    #[inline(never)]
    fn dropped(&mut self, drop_inner: impl FnOnce()) {
        let Some(task) = self.task.take() else { return drop_inner() };
        if self.set.as_ref().is_some_and(|aborts| aborts.load(Relaxed)) {
            task.reference().abort();
        }
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

/// The future of a task.
pub(crate) struct Recorded<F> {
    inner: ManuallyDrop<F>,
    life: Life,
}

impl<F: Future> Recorded<F> {
    /// Has `spawn` spawn `future`, as a task spawned at `site`.
    #[inline]
    pub(crate) fn spawn(
        site: Site,
        future: F,
        spawn: impl FnOnce(Self) -> original::JoinHandle<F::Output>,
    ) -> JoinHandle<F::Output> {
        Self::spawn_in(None, site, future, spawn)
    }

    /// The same in a set.
    #[inline]
    pub(super) fn spawn_in(
        set: SetAborts,
        site: Site,
        future: F,
        spawn: impl FnOnce(Self) -> original::JoinHandle<F::Output>,
    ) -> JoinHandle<F::Output> {
        let (recorded, task) = Self::new(set, site, future);
        JoinHandle::new(spawn(recorded), task, site)
    }

    #[inline]
    pub(super) fn new(set: SetAborts, site: Site, future: F) -> (Self, TaskRef) {
        let life = Life { set, ..Life::new(Kind::Task, site) };
        let task = life.reference();
        (Self { inner: ManuallyDrop::new(future), life }, task)
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
        if me.life.task.is_none() {
            return inner.poll(cx);
        }
        let on_panic = OnPanic(&mut me.life);
        let polling = on_panic.0.task.as_mut().map(Task::poll);
        let out = inner.poll(cx);
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
        if self.life.task.is_none() { drop_inner() } else { self.life.dropped(drop_inner) }
    }
}

/// The closure of a blocking task.
pub(crate) struct Job<F> {
    closure: Option<F>,
    life: Life,
}

impl<R, F: FnOnce() -> R> Job<F> {
    /// Has `spawn` spawn the closure, as a task spawned at `site`.
    pub(crate) fn spawn(
        site: Site,
        closure: F,
        spawn: impl FnOnce(Self) -> original::JoinHandle<R>,
    ) -> JoinHandle<R> {
        let (job, task) = Self::new(None, site, closure);
        JoinHandle::new(spawn(job), task, site)
    }

    pub(super) fn new(set: SetAborts, site: Site, closure: F) -> (Self, TaskRef) {
        let life = Life { set, ..Life::new(Kind::BlockingTask, site) };
        let task = life.reference();
        (Self { closure: Some(closure), life }, task)
    }

    /// Runs it.
    #[allow(clippy::expect_used)]
    pub(crate) fn run(mut self) -> R {
        let closure = self.closure.take().expect("a job runs once");
        let on_panic = OnPanic(&mut self.life);
        let polling = on_panic.0.task.as_mut().map(Task::poll);
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
        self.life.dropped(|| drop(closure));
    }
}
