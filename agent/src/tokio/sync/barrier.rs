//! `tokio::sync::Barrier`: who waits for the others to come.
use crate::recorder::{self, Tag};
use crate::tokio::wait::{Op, Waits};
use ::tokio::sync as original;
use ::tokio::sync::BarrierWaitResult;
use lockprof_trace::{Kind, Operation};
use std::fmt;
use std::future::Future;
use std::panic::Location;

/// A barrier enables multiple tasks to synchronize the beginning of some computation. See
/// [`tokio::sync::Barrier`](original::Barrier).
pub struct Barrier {
    tag: Tag,
    inner: original::Barrier,
}

impl Barrier {
    /// Creates a new barrier that can block a given number of tasks, known by the caller's line.
    #[track_caller]
    pub fn new(n: usize) -> Barrier {
        Self { inner: original::Barrier::new(n), tag: Tag::new(Location::caller()) }
    }

    /// Does not resolve until all tasks have rendezvoused here. See [`tokio`](original::Barrier::wait).
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> {
        let op = Op::new(self.tag.id(Kind::TokioBarrier), Operation::Barrier, Location::caller());
        Waits::new(op, self.inner.wait(), move |result| {
            if op.id != 0 {
                recorder::count(op.id);
            }
            result
        })
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
