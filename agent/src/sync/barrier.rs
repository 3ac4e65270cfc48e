//! `Barrier`.
use crate::lock::waited;
use crate::recorder::{self, Tag};
use lockprof_trace::{Kind, Operation};
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{self as original, BarrierWaitResult};

/// [`std::sync::Barrier`], recorded.
pub struct Barrier {
    tag: Tag,
    inner: original::Barrier,
    /// How many it waits for.
    size: usize,
    /// How many have come, ever: so the last of a round is known before it calls the original, and is told no wait.
    came: AtomicUsize,
}

impl Barrier {
    /// As [`std::sync::Barrier::new`]. Reports name the caller's line.
    #[inline]
    #[track_caller]
    pub const fn new(n: usize) -> Self {
        let inner = original::Barrier::new(n);
        // The original treats 0 as 1.
        let size = if n == 0 { 1 } else { n };
        Self { tag: Tag::new(Location::caller()), inner, size, came: AtomicUsize::new(0) }
    }

    /// As [`std::sync::Barrier::wait`].
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let site = Location::caller();
        let id = self.tag.id(Kind::StdBarrier);
        if id != 0 {
            recorder::count(id);
        }
        if (self.came.fetch_add(1, Relaxed).wrapping_add(1)).is_multiple_of(self.size) {
            self.inner.wait()
        } else {
            waited(id, Operation::Barrier, site, || self.inner.wait())
        }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
