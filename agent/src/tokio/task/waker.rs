//! The census of a task's wakers: how many places can still wake it.
//!
//! A task that parks, and has a clone of its waker nowhere but in the waits that are recorded, can be woken by nothing
//! else; with no clone at all, nobody ever will. Nothing is allocated before the first clone: till then the waker that
//! the task is polled with points to a frame on the poll's stack. Afterwards its data and vtable are those of the clones,
//! so that [`Waker::will_wake`] holds.
use crate::recorder::{TaskRef, Wakers};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

/// What all clones of a task's waker point to.
struct TaskWaker {
    waker: Waker,
    wakers: Wakers,
}

/// The waker of a task, once it was cloned: a pointer that an `Arc` was made into, for less room than a cell of one.
#[derive(Default)]
pub(super) struct Census(AtomicPtr<TaskWaker>);

impl Census {
    /// Polls what the task does, with its waker counted.
    #[inline(always)]
    pub(super) fn poll<F: Future>(
        &self,
        inner: Pin<&mut F>,
        task: TaskRef,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        // tokio gives a task one waker for life.
        let waker = self.0.load(Acquire).cast_const();
        if !waker.is_null() {
            // SAFETY: the data is what the vtable takes it for. The waker is only lent: it is never dropped.
            let waker = ManuallyDrop::new(unsafe { Waker::new(waker.cast(), &CLONE) });
            return inner.poll(&mut Context::from_waker(&waker));
        }
        let frame = Frame { waker: cx.waker(), census: self, task };
        // SAFETY: as above; and the frame outlives the poll.
        let waker = ManuallyDrop::new(unsafe { Waker::new(std::ptr::from_ref(&frame).cast(), &FRAME) });
        inner.poll(&mut Context::from_waker(&waker))
    }

    /// What all clones point to, made by `new` if this is the first one.
    fn get_or_init(&self, new: impl FnOnce() -> Arc<TaskWaker>) -> *const TaskWaker {
        let known = self.0.load(Acquire);
        if !known.is_null() {
            return known;
        }
        let made = Arc::into_raw(new()).cast_mut();
        match self.0.compare_exchange(known, made, AcqRel, Acquire) {
            Ok(_) => made,
            Err(first) => {
                // SAFETY: it was made just now, and nobody has seen it.
                let second = Arc::into_inner(unsafe { Arc::from_raw(made) });
                // The task's entry counts for the first: dropped, these would take that back.
                if let Some(second) = second {
                    std::mem::forget(second.wakers);
                }
                first
            }
        }
    }
}

impl Drop for Census {
    fn drop(&mut self) {
        let waker = *self.0.get_mut();
        if !waker.is_null() {
            // SAFETY: an `Arc` was made into it, which this stands for.
            drop(unsafe { Arc::from_raw(waker) });
        }
    }
}

/// On the stack of a poll: what its waker points to.
struct Frame<'a> {
    waker: &'a Waker,
    census: &'a Census,
    task: TaskRef,
}

/// Of the waker that points to a frame. It is only lent, so that nobody wakes it by value or drops it.
static FRAME: RawWakerVTable = RawWakerVTable::new(clone_frame, wake_frame, wake_frame, |_| ());
/// Of all others.
static CLONE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, forget_one);

/// # Safety
/// `frame` points to one whose poll is not over.
unsafe fn clone_frame(frame: *const ()) -> RawWaker {
    // SAFETY: as promised.
    let frame = unsafe { &*frame.cast::<Frame<'_>>() };
    let new = || Arc::new(TaskWaker { waker: frame.waker.clone(), wakers: frame.task.wakers() });
    let waker = frame.census.get_or_init(new);
    // SAFETY: the census keeps it.
    unsafe { clone(waker.cast()) }
}

/// # Safety
/// As above.
unsafe fn wake_frame(frame: *const ()) {
    // SAFETY: as promised.
    let frame = unsafe { &*frame.cast::<Frame<'_>>() };
    frame.task.woken();
    frame.waker.wake_by_ref();
}

/// # Safety
/// `waker` comes from an `Arc<TaskWaker>` that is alive.
unsafe fn clone(waker: *const ()) -> RawWaker {
    let waker = waker.cast::<TaskWaker>();
    // SAFETY: as promised.
    unsafe {
        (*waker).wakers.cloned();
        Arc::increment_strong_count(waker);
    }
    RawWaker::new(waker.cast(), &CLONE)
}

/// # Safety
/// As above, and what the pointer stands for is given up.
unsafe fn wake(waker: *const ()) {
    // SAFETY: as promised.
    unsafe {
        wake_by_ref(waker);
        forget_one(waker);
    }
}

/// # Safety
/// As for `clone`.
unsafe fn wake_by_ref(waker: *const ()) {
    // SAFETY: as promised.
    let waker = unsafe { &*waker.cast::<TaskWaker>() };
    waker.wakers.woken();
    waker.waker.wake_by_ref();
}

/// # Safety
/// As for `wake`.
unsafe fn forget_one(waker: *const ()) {
    // SAFETY: as promised.
    let waker = unsafe { Arc::from_raw(waker.cast::<TaskWaker>()) };
    waker.wakers.dropped();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::pin;

    fn strong(census: &Census) -> Option<usize> {
        let waker = census.0.load(Acquire);
        // SAFETY: the census keeps one count of it.
        (!waker.is_null()).then(|| Arc::strong_count(&ManuallyDrop::new(unsafe { Arc::from_raw(waker) })))
    }

    #[test]
    fn clones_are_counted_and_recognised() {
        let census = Census::default();
        let mut kept = None::<Waker>;
        let mut polls = 0;
        let mut future = pin!(poll_fn(|cx| {
            polls += 1;
            match &kept {
                None => kept = Some(cx.waker().clone()),
                Some(waker) => assert!(waker.will_wake(cx.waker())),
            }
            Poll::<()>::Pending
        }));
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(strong(&census), None);
        for _ in 0..3 {
            assert!(census.poll(future.as_mut(), TaskRef::NONE, &mut cx).is_pending());
            assert_eq!(strong(&census), Some(2));
        }
        let waker = kept.clone().unwrap();
        assert_eq!(strong(&census), Some(3));
        waker.wake();
        drop(kept);
        assert_eq!((strong(&census), polls), (Some(1), 3));
    }

    #[test]
    fn of_two_who_clone_it_first_one_is_kept() {
        let census = Census::default();
        let new = || Arc::new(TaskWaker { waker: Waker::noop().clone(), wakers: TaskRef::NONE.wakers() });
        let mut first = std::ptr::null();
        let kept = census.get_or_init(|| {
            first = census.get_or_init(new);
            new()
        });
        assert_eq!((kept, strong(&census)), (first, Some(1)));
    }

    #[test]
    fn a_waker_that_is_not_cloned_costs_nothing() {
        let census = Census::default();
        let mut future = pin!(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(census.poll(future.as_mut(), TaskRef::NONE, &mut cx).is_pending());
        assert_eq!(strong(&census), None);
    }
}
