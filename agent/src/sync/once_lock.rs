//! `OnceLock`.
use super::once::Init;
use crate::lock::waited;
use crate::recorder::{Site, Tag};
use lockprof_trace::{Kind, Operation};
use std::fmt;
use std::panic::Location;
use std::sync as original;

/// [`std::sync::OnceLock`], recorded: counted are its initialisations.
pub struct OnceLock<T> {
    tag: Tag,
    inner: original::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// As [`std::sync::OnceLock::new`]. Reports name the caller's line.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new() -> Self {
        Self::at(Location::caller())
    }

    /// One that was created at `site`.
    pub(super) const fn at(site: Site) -> Self {
        Self { tag: Tag::new(site), inner: original::OnceLock::new() }
    }

    /// As [`std::sync::OnceLock::get`].
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.inner.get()
    }

    /// As [`std::sync::OnceLock::get_mut`].
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// As [`std::sync::OnceLock::wait`].
    #[inline]
    #[track_caller]
    pub fn wait(&self) -> &T {
        match self.inner.get() {
            Some(value) => value,
            None => {
                let id = self.tag.id(Kind::StdOnce);
                waited(id, Operation::Init, Location::caller(), || self.inner.wait())
            }
        }
    }

    /// As [`std::sync::OnceLock::set`].
    #[inline]
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        if self.inner.get().is_none() {
            let init = Init::begin(&self.tag, Kind::StdOnce, Location::caller());
            self.inner.get_or_init(|| {
                let _held = init.runs();
                value.take().expect("an initialiser runs once")
            });
            init.done();
        }
        // Who came too late gets its value back.
        value.map_or(Ok(()), Err)
    }

    /// As [`std::sync::OnceLock::get_or_init`].
    #[inline(always)]
    #[track_caller]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        self.get_or_init_at(Location::caller(), f)
    }

    #[inline(always)]
    #[track_caller]
    pub(super) fn get_or_init_at(&self, site: Site, f: impl FnOnce() -> T) -> &T {
        match self.inner.get() {
            Some(value) => value,
            None => self.initialise(site, f),
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn initialise(&self, site: Site, f: impl FnOnce() -> T) -> &T {
        let init = Init::begin(&self.tag, Kind::StdOnce, site);
        let value = self.inner.get_or_init(|| {
            let _held = init.runs();
            f()
        });
        init.done();
        value
    }

    /// As [`std::sync::OnceLock::into_inner`].
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// As [`std::sync::OnceLock::take`].
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { tag: Tag::new(Location::caller()), inner: self.inner.clone() }
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self { tag: Tag::new(Location::caller()), inner: value.into() }
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
