//! parking_lot's `Once`, recorded: who waits for the initialisation, and who does it.
use crate::lock::waited;
use crate::recorder::Tag;
use crate::sync::Init;
use ::parking_lot::{Once as Original, OnceState};
use lockprof_trace::{Kind, Operation};
use std::fmt;
use std::panic::Location;

/// A synchronization primitive for one-time initialization: `parking_lot::Once`, recorded.
pub struct Once {
    tag: Tag,
    inner: Original,
}

impl Once {
    /// Creates a new `Once`, known by the line of the call.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self { tag: Tag::new(Location::caller()), inner: Original::new() }
    }

    /// Creates one that is done already.
    #[inline]
    #[track_caller]
    pub const fn new_completed() -> Self {
        Self { tag: Tag::new(Location::caller()), inner: Original::new_completed() }
    }

    /// Its state.
    #[inline]
    pub fn state(&self) -> OnceState {
        self.inner.state()
    }

    /// Runs `f`, unless it was run before; waits where somebody runs it now.
    ///
    /// # Panics
    /// As the original: `f` panicked before.
    #[inline]
    #[track_caller]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        if self.inner.state().is_completed() {
            return;
        }
        let init = Init::begin(&self.tag, Kind::Once, Location::caller());
        self.inner.call_once(|| {
            let _held = init.runs();
            f();
        });
        init.done();
    }

    /// As [`Once::call_once`], also where `f` panicked before.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(OnceState),
    {
        if self.inner.state().is_completed() {
            return;
        }
        let init = Init::begin(&self.tag, Kind::Once, Location::caller());
        self.inner.call_once_force(|state| {
            let _held = init.runs();
            f(state);
        });
        init.done();
    }

    /// Whether it is done.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.inner.is_completed()
    }

    /// Blocks until it is done.
    ///
    /// # Panics
    /// As the original: the initialisation panicked.
    #[track_caller]
    pub fn wait(&self) {
        if !self.inner.is_completed() {
            let id = self.tag.id(Kind::Once);
            waited(id, Operation::Init, Location::caller(), || self.inner.wait());
        }
    }

    /// As [`Once::wait`], also where the initialisation panicked.
    #[track_caller]
    pub fn wait_force(&self) {
        if !self.inner.is_completed() {
            let id = self.tag.id(Kind::Once);
            waited(id, Operation::Init, Location::caller(), || self.inner.wait_force());
        }
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
