//! `LazyLock`: a cell beside the function that fills it. The original cannot be wrapped, since nothing but a closure
//! can stand in for the caller's function, and a closure's type cannot be written.
use super::once_lock::OnceLock;
use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{Location, RefUnwindSafe, UnwindSafe};

/// [`std::sync::LazyLock`], recorded.
pub struct LazyLock<T, F = fn() -> T> {
    cell: OnceLock<T>,
    /// Taken by who initialises. If it is gone and the cell is empty, it has panicked.
    init: Cell<Option<F>>,
}

// SAFETY: `init` is touched only by who initialises the cell, which is one thread at a time, and by who has the whole
// for itself. The function comes to another thread by that, so it must be `Send`; the rest is as with the cell.
unsafe impl<T: Sync + Send, F: Send> Sync for LazyLock<T, F> {}
impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}
impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// As [`std::sync::LazyLock::new`]. Reports name the caller's line.
    #[inline]
    #[track_caller]
    pub const fn new(f: F) -> Self {
        Self { cell: OnceLock::at(Location::caller()), init: Cell::new(Some(f)) }
    }

    /// As [`std::sync::LazyLock::force`].
    #[inline(always)]
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        this.cell.get_or_init_at(Location::caller(), || match this.init.take() {
            Some(init) => init(),
            None => panic_poisoned(),
        })
    }

    /// As [`std::sync::LazyLock::force_mut`].
    #[inline]
    #[track_caller]
    pub fn force_mut(this: &mut Self) -> &mut T {
        Self::force(this);
        match this.cell.get_mut() {
            Some(value) => value,
            None => panic_poisoned(),
        }
    }
}

impl<T, F> LazyLock<T, F> {
    /// As [`std::sync::LazyLock::get_mut`].
    #[inline]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        this.cell.get_mut()
    }

    /// As [`std::sync::LazyLock::get`].
    #[inline]
    pub fn get(this: &Self) -> Option<&T> {
        this.cell.get()
    }
}

#[cold]
#[inline(never)]
fn panic_poisoned() -> ! {
    panic!("LazyLock instance has previously been poisoned")
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[inline(always)]
    #[track_caller]
    fn deref(&self) -> &T {
        Self::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[inline]
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        Self::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("LazyLock");
        match Self::get(self) {
            Some(value) => tuple.field(value),
            None => tuple.field(&format_args!("<uninit>")),
        };
        tuple.finish()
    }
}
