//! Guards that own an `Arc` of the lock.
use super::super::guards::access;
use super::super::held::Held;
use super::RwLock;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// RAII structure used to release the shared read access of a lock when dropped. See
/// [`tokio::sync::OwnedRwLockReadGuard`](::tokio::sync::OwnedRwLockReadGuard).
#[clippy::has_significant_drop]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    held: Held<Arc<RwLock<T>>>,
    data: *const U,
    marker: PhantomData<T>,
}

// SAFETY: it stands for a `&T`.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Sync> Send for OwnedRwLockReadGuard<T, U> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedRwLockReadGuard<T, U> {}

impl<T: ?Sized> OwnedRwLockReadGuard<T> {
    pub(super) fn new(held: Held<Arc<RwLock<T>>>) -> Self {
        let data = held.lock().data.get();
        Self::mapped(held, data)
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    #[inline(always)]
    pub(super) fn mapped(held: Held<Arc<RwLock<T>>>, data: *const U) -> Self {
        Self { held, data, marker: PhantomData }
    }

    /// Makes a new `OwnedRwLockReadGuard` for a component of the locked data.
    #[inline]
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V>
    where
        F: FnOnce(&U) -> &V,
    {
        let data = std::ptr::from_ref(f(&*this));
        OwnedRwLockReadGuard::mapped(this.held, data)
    }

    /// Attempts to make a new `OwnedRwLockReadGuard` for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_map<F, V: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        F: FnOnce(&U) -> Option<&V>,
    {
        match f(&*this).map(std::ptr::from_ref) {
            Some(data) => Ok(OwnedRwLockReadGuard::mapped(this.held, data)),
            None => Err(this),
        }
    }

    /// Returns a reference to the original `Arc<RwLock>`.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.held.lock()
    }
}

access!([T: ?Sized, U: ?Sized] OwnedRwLockReadGuard<T, U> => U, |guard| guard.data);

/// RAII structure used to release the exclusive write access of a lock when dropped. See
/// [`tokio::sync::OwnedRwLockWriteGuard`](::tokio::sync::OwnedRwLockWriteGuard).
#[clippy::has_significant_drop]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    held: Held<Arc<RwLock<T>>>,
    data: *mut T,
    marker: PhantomData<T>,
}

// SAFETY: it stands for a `&mut T`.
unsafe impl<T: ?Sized + Send + Sync> Send for OwnedRwLockWriteGuard<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedRwLockWriteGuard<T> {}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    #[inline(always)]
    pub(super) fn new(held: Held<Arc<RwLock<T>>>) -> Self {
        let data = held.lock().data.get();
        Self { held, data, marker: PhantomData }
    }

    /// Makes a new [`OwnedRwLockMappedWriteGuard`] for a component of the locked data.
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let data = std::ptr::from_mut(f(&mut *this));
        OwnedRwLockMappedWriteGuard { held: this.held, data, marker: PhantomData }
    }

    /// Makes a new [`OwnedRwLockReadGuard`] for a component of the locked data.
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let data = std::ptr::from_ref(f(&*this));
        OwnedRwLockReadGuard::mapped(this.held.downgrade(), data)
    }

    /// Attempts to make a new [`OwnedRwLockMappedWriteGuard`] for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_map<F, U: ?Sized>(mut this: Self, f: F) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(data) => Ok(OwnedRwLockMappedWriteGuard { held: this.held, data, marker: PhantomData }),
            None => Err(this),
        }
    }

    /// Attempts to make a new [`OwnedRwLockReadGuard`] for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match f(&*this).map(std::ptr::from_ref) {
            Some(data) => Ok(OwnedRwLockReadGuard::mapped(this.held.downgrade(), data)),
            None => Err(this),
        }
    }

    /// Converts this `OwnedRwLockWriteGuard` into an `OwnedRwLockMappedWriteGuard`.
    #[inline]
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        OwnedRwLockWriteGuard::map(this, |me| me)
    }

    /// Atomically downgrades a write lock into a read lock without allowing any writers to take it in the meantime.
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard::mapped(self.held.downgrade(), self.data)
    }

    /// Returns a reference to the original `Arc<RwLock>`.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.held.lock()
    }
}

access!(mut [T: ?Sized] OwnedRwLockWriteGuard<T> => T, |guard| guard.data);

/// RAII structure used to release the exclusive write access of a lock when dropped, mapped to a component. See
/// [`tokio::sync::OwnedRwLockMappedWriteGuard`](::tokio::sync::OwnedRwLockMappedWriteGuard).
#[clippy::has_significant_drop]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    held: Held<Arc<RwLock<T>>>,
    data: *mut U,
    marker: PhantomData<T>,
}

// SAFETY: it stands for a `&mut T`.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Send for OwnedRwLockMappedWriteGuard<T, U> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedRwLockMappedWriteGuard<T, U> {}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// Makes a new [`OwnedRwLockMappedWriteGuard`] for a component of the locked data.
    #[inline]
    pub fn map<F, V: ?Sized>(mut this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        let data = std::ptr::from_mut(f(&mut *this));
        OwnedRwLockMappedWriteGuard { held: this.held, data, marker: PhantomData }
    }

    /// Attempts to make a new [`OwnedRwLockMappedWriteGuard`] for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_map<F, V: ?Sized>(mut this: Self, f: F) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(data) => Ok(OwnedRwLockMappedWriteGuard { held: this.held, data, marker: PhantomData }),
            None => Err(this),
        }
    }

    /// Returns a reference to the original `Arc<RwLock>`.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.held.lock()
    }
}

access!(mut [T: ?Sized, U: ?Sized] OwnedRwLockMappedWriteGuard<T, U> => U, |guard| guard.data);
