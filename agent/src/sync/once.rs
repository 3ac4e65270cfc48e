//! `Once`, and what it shares with the cells and with parking_lot's: who initialises holds the object, all others wait for that.
use super::held::Held;
use crate::lock::waited;
use crate::recorder::{Site, Tag, Wait};
use lockprof_trace::{Kind, Operation, WaitEnd};
use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::sync::{self as original, OnceState};

/// An initialisation that is asked for: it runs here, or it is waited for. Who it will be shows in the call only.
pub(crate) struct Init {
    id: u32,
    site: Site,
    wait: Cell<Option<Wait>>,
}

impl Init {
    /// Before the call that may block.
    #[cold]
    #[inline(never)]
    pub(crate) fn begin(tag: &Tag, kind: Kind, site: Site) -> Self {
        let id = tag.id_at(kind, site);
        Self { id, site, wait: Cell::new(Wait::begin(id, Operation::Init, site)) }
    }

    /// It runs here: there is no wait, and as long as the result lives others wait for this thread.
    pub(crate) fn runs(&self) -> Held {
        if let Some(wait) = self.wait.take() {
            wait.void();
        }
        Held::new(self.id, self.site)
    }

    /// After the call.
    pub(crate) fn done(self) {
        if let Some(wait) = self.wait.take() {
            wait.end(WaitEnd::Done);
        }
    }
}

/// [`std::sync::Once`], recorded.
pub struct Once {
    tag: Tag,
    inner: original::Once,
}

/// As [`std::sync::ONCE_INIT`].
#[deprecated(since = "1.38.0", note = "the `Once::new()` function is now preferred")]
#[allow(clippy::declare_interior_mutable_const)]
pub const ONCE_INIT: Once = Once::new();

impl Once {
    /// As [`std::sync::Once::new`]. Reports name the caller's line.
    #[inline]
    #[must_use]
    #[track_caller]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self { tag: Tag::new(Location::caller()), inner: original::Once::new() }
    }

    /// As [`std::sync::Once::call_once`].
    #[inline]
    #[track_caller]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        if !self.inner.is_completed() {
            let init = Init::begin(&self.tag, Kind::StdOnce, Location::caller());
            self.inner.call_once(|| {
                let _held = init.runs();
                f();
            });
            init.done();
        }
    }

    /// As [`std::sync::Once::call_once_force`].
    #[inline]
    #[track_caller]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(&OnceState),
    {
        if !self.inner.is_completed() {
            let init = Init::begin(&self.tag, Kind::StdOnce, Location::caller());
            self.inner.call_once_force(|state| {
                let _held = init.runs();
                f(state);
            });
            init.done();
        }
    }

    /// As [`std::sync::Once::is_completed`].
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.inner.is_completed()
    }

    /// As [`std::sync::Once::wait`].
    #[track_caller]
    pub fn wait(&self) {
        if !self.inner.is_completed() {
            let id = self.tag.id(Kind::StdOnce);
            waited(id, Operation::Init, Location::caller(), || self.inner.wait());
        }
    }

    /// As [`std::sync::Once::wait_force`].
    #[track_caller]
    pub fn wait_force(&self) {
        if !self.inner.is_completed() {
            let id = self.tag.id(Kind::StdOnce);
            waited(id, Operation::Init, Location::caller(), || self.inner.wait_force());
        }
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
