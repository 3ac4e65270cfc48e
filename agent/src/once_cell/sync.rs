//! Thread-safe, blocking cells: [`OnceCell`] and [`Lazy`].
use crate::lock::waited;
use crate::recorder::{Site, Tag};
use crate::sync::Init;
use ::once_cell::sync as original;
use lockprof_trace::{Kind, Operation};
use std::cell::Cell;
use std::convert::Infallible;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{Location, RefUnwindSafe};

/// [`once_cell::sync::OnceCell`](original::OnceCell), recorded: counted are its initialisations.
pub struct OnceCell<T> {
    tag: Tag,
    inner: original::OnceCell<T>,
}

impl<T> OnceCell<T> {
    /// As [`OnceCell::new`](original::OnceCell::new). Reports name the caller's line.
    #[track_caller]
    pub const fn new() -> OnceCell<T> {
        Self { tag: Tag::new(Location::caller()), inner: original::OnceCell::new() }
    }

    /// As [`OnceCell::with_value`](original::OnceCell::with_value).
    #[track_caller]
    pub const fn with_value(value: T) -> OnceCell<T> {
        Self { tag: Tag::new(Location::caller()), inner: original::OnceCell::with_value(value) }
    }

    /// As [`OnceCell::get`](original::OnceCell::get).
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.inner.get()
    }

    /// As [`OnceCell::wait`](original::OnceCell::wait).
    #[inline]
    #[track_caller]
    pub fn wait(&self) -> &T {
        match self.inner.get() {
            Some(value) => value,
            None => {
                let id = self.tag.id(Kind::OnceCell);
                waited(id, Operation::Init, Location::caller(), || self.inner.wait())
            }
        }
    }

    /// As [`OnceCell::get_mut`](original::OnceCell::get_mut).
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// As [`OnceCell::get_unchecked`](original::OnceCell::get_unchecked).
    ///
    /// # Safety
    /// The cell is initialised, and this thread knows so.
    #[inline]
    pub unsafe fn get_unchecked(&self) -> &T {
        // SAFETY: as the caller promises.
        unsafe { self.inner.get_unchecked() }
    }

    /// As [`OnceCell::set`](original::OnceCell::set).
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        match self.try_insert(value) {
            Ok(_) => Ok(()),
            Err((_, value)) => Err(value),
        }
    }

    /// As [`OnceCell::try_insert`](original::OnceCell::try_insert).
    #[track_caller]
    pub fn try_insert(&self, value: T) -> Result<&T, (&T, T)> {
        let mut value = Some(value);
        let there = self.get_or_init(|| value.take().expect("an initialiser runs once"));
        match value {
            None => Ok(there),
            Some(value) => Err((there, value)),
        }
    }

    /// As [`OnceCell::get_or_init`](original::OnceCell::get_or_init).
    #[inline(always)]
    #[track_caller]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        match self.inner.get() {
            Some(value) => value,
            None => match self.initialise(Location::caller(), || Ok::<T, Infallible>(f())) {
                Ok(value) => value,
            },
        }
    }

    /// As [`OnceCell::get_or_try_init`](original::OnceCell::get_or_try_init).
    #[inline(always)]
    #[track_caller]
    pub fn get_or_try_init<F, E>(&self, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Result<T, E>,
    {
        match self.inner.get() {
            Some(value) => Ok(value),
            None => self.initialise(Location::caller(), f),
        }
    }

    #[cold]
    #[inline(never)]
    fn initialise<E>(&self, site: Site, f: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        let init = Init::begin(&self.tag, Kind::OnceCell, site);
        let value = self.inner.get_or_try_init(|| {
            let _held = init.runs();
            f()
        });
        init.done();
        value
    }

    /// As [`OnceCell::take`](original::OnceCell::take).
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }

    /// As [`OnceCell::into_inner`](original::OnceCell::into_inner).
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> OnceCell<T> {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    #[track_caller]
    fn clone(&self) -> OnceCell<T> {
        Self { tag: Tag::new(Location::caller()), inner: self.inner.clone() }
    }

    fn clone_from(&mut self, source: &Self) {
        self.inner.clone_from(&source.inner);
    }
}

impl<T> From<T> for OnceCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::with_value(value)
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &OnceCell<T>) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

/// [`once_cell::sync::Lazy`](original::Lazy), recorded: a cell beside the function that fills it.
pub struct Lazy<T, F = fn() -> T> {
    cell: OnceCell<T>,
    init: Cell<Option<F>>,
}

impl<T: fmt::Debug, F> fmt::Debug for Lazy<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").field("cell", &self.cell).field("init", &"..").finish()
    }
}

// SAFETY: `init` is touched only by who initialises the cell, which is one thread at a time, and by who has the whole for
// itself. The function comes to another thread by that, so it must be `Send`; the rest is as with the cell.
unsafe impl<T, F: Send> Sync for Lazy<T, F> where OnceCell<T>: Sync {}
impl<T, F: RefUnwindSafe> RefUnwindSafe for Lazy<T, F> where OnceCell<T>: RefUnwindSafe {}

impl<T, F> Lazy<T, F> {
    /// As [`Lazy::new`](original::Lazy::new). Reports name the caller's line.
    #[track_caller]
    pub const fn new(f: F) -> Lazy<T, F> {
        Lazy { cell: OnceCell::new(), init: Cell::new(Some(f)) }
    }

    /// As [`Lazy::into_value`](original::Lazy::into_value).
    pub fn into_value(this: Lazy<T, F>) -> Result<T, F> {
        let Lazy { cell, init } = this;
        cell.into_inner().ok_or_else(|| init.into_inner().unwrap_or_else(|| panic_poisoned()))
    }
}

impl<T, F: FnOnce() -> T> Lazy<T, F> {
    /// As [`Lazy::force`](original::Lazy::force).
    #[inline(always)]
    #[track_caller]
    pub fn force(this: &Lazy<T, F>) -> &T {
        this.cell.get_or_init(|| match this.init.take() {
            Some(f) => f(),
            None => panic_poisoned(),
        })
    }

    /// As [`Lazy::force_mut`](original::Lazy::force_mut).
    #[track_caller]
    pub fn force_mut(this: &mut Lazy<T, F>) -> &mut T {
        Self::force(this);
        Self::get_mut(this).unwrap_or_else(|| unreachable!())
    }

    /// As [`Lazy::get`](original::Lazy::get).
    pub fn get(this: &Lazy<T, F>) -> Option<&T> {
        this.cell.get()
    }

    /// As [`Lazy::get_mut`](original::Lazy::get_mut).
    pub fn get_mut(this: &mut Lazy<T, F>) -> Option<&mut T> {
        this.cell.get_mut()
    }
}

#[cold]
#[inline(never)]
fn panic_poisoned() -> ! {
    panic!("Lazy instance has previously been poisoned")
}

impl<T, F: FnOnce() -> T> Deref for Lazy<T, F> {
    type Target = T;

    #[inline(always)]
    #[track_caller]
    fn deref(&self) -> &T {
        Lazy::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for Lazy<T, F> {
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        Lazy::force_mut(self)
    }
}

impl<T: Default> Default for Lazy<T> {
    #[track_caller]
    fn default() -> Lazy<T> {
        Lazy::new(T::default)
    }
}
