//! parking_lot's `Once`, recorded: who waits for the initialisation, and who does it.
use crate::recorder::{self, Site, Tag, Wait};
use ::parking_lot::{Once as Original, OnceState};
use lockprof_trace::{Kind, Operation, WaitEnd};
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
        self.record(Location::caller(), |recorded| {
            self.inner.call_once(|| {
                let _held = recorded.run();
                f();
            });
        });
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
        self.record(Location::caller(), |recorded| {
            self.inner.call_once_force(|state| {
                let _held = recorded.run();
                f(state);
            });
        });
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
            self.record(Location::caller(), |_| self.inner.wait());
        }
    }

    /// As [`Once::wait`], also where the initialisation panicked.
    #[track_caller]
    pub fn wait_force(&self) {
        if !self.inner.is_completed() {
            self.record(Location::caller(), |_| self.inner.wait_force());
        }
    }

    #[cold]
    fn record(&self, site: Site, call: impl FnOnce(&mut Initialising)) {
        let id = self.tag.id(Kind::Once);
        let wait = (id != 0).then(|| Wait::begin(id, Operation::Init, site)).flatten();
        let mut recorded = Initialising { id, site, wait };
        call(&mut recorded);
        if let Some(wait) = recorded.wait {
            wait.end(WaitEnd::Done);
        }
    }
}

/// One who wants it initialised: waits, unless it is the one who does it.
struct Initialising {
    id: u32,
    site: Site,
    wait: Option<Wait>,
}

impl Initialising {
    /// It does it.
    fn run(&mut self) -> Held {
        if let Some(wait) = self.wait.take() {
            wait.void();
        }
        if self.id != 0 {
            recorder::acquired(self.id, self.site);
        }
        Held(self.id)
    }
}

struct Held(u32);

impl Drop for Held {
    fn drop(&mut self) {
        if self.0 != 0 {
            recorder::released(self.0);
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
