//! The lock types over `lock_api`, one macro for both versions of it.
//!
//! In parking_lot they are aliases of `lock_api`'s types. Here each is a type around one, because `lock_api`'s `new` does
//! not know its caller, and a lock is known by the line that created it. Everything else comes from inside: guards are
//! `lock_api`'s own, and by `Deref` so is every method that is not repeated here.

/// What stands around a call of the lock inside: of a reentrant one, what tells its line.
macro_rules! around {
    ([] $self:ident) => {};
    ([taking] $self:ident) => {
        let _taking = $self.taking(std::panic::Location::caller());
    };
}

/// Methods that hand on to the lock inside.
macro_rules! forward {
    ($around:tt $($(#[$attribute:meta])* fn $name:ident(&self $(, $argument:ident: $type:ty)*) $(-> $result:ty)?;)*) => {$(
        #[doc = concat!("As of [`lock_api`], recorded: `", stringify!($name), "`.")]
        #[inline(always)]
        #[track_caller]
        $(#[$attribute])*
        pub fn $name(&self $(, $argument: $type)*) $(-> $result)? {
            around!($around self);
            self.0.$name($($argument),*)
        }
    )*};
}

/// The same for methods of an `Arc` of the lock.
macro_rules! forward_arc {
    ($around:tt $inner:ty; $(fn $name:ident(self $(, $argument:ident: $type:ty)*) -> $result:ty;)*) => {$(
        #[doc = concat!("As of [`lock_api`], recorded: `", stringify!($name), "`.")]
        #[inline]
        #[track_caller]
        pub fn $name(self: &std::sync::Arc<Self> $(, $argument: $type)*) -> $result {
            // SAFETY: the lock inside is all there is of this type (`repr(transparent)`), so that size and alignment are
            // the same; the count that this `Arc` stands for is not given back.
            let inner: std::mem::ManuallyDrop<std::sync::Arc<$inner>> = unsafe {
                std::mem::ManuallyDrop::new(std::sync::Arc::from_raw(std::sync::Arc::as_ptr(self) as *const $inner))
            };
            around!($around self);
            inner.$name($($argument),*)
        }
    )*};
}

/// What all three lock types have alike.
macro_rules! lock_type {
    ($(#[$doc:meta])* $name:ident = $inner:ty, |$value:ident| $make:expr) => {
        $(#[$doc])*
        #[repr(transparent)]
        pub struct $name<T: ?Sized>($inner);

        impl<T> $name<T> {
            /// Creates a new unlocked one, known by the line of the call.
            #[inline]
            #[track_caller]
            pub const fn new($value: T) -> Self {
                Self($make)
            }

            /// Consumes it, returning the underlying data.
            #[inline]
            pub fn into_inner(self) -> T {
                self.0.into_inner()
            }
        }

        impl<T: ?Sized> std::ops::Deref for $name<T> {
            type Target = $inner;

            #[inline(always)]
            fn deref(&self) -> &$inner {
                &self.0
            }
        }

        impl<T: ?Sized> std::ops::DerefMut for $name<T> {
            #[inline(always)]
            fn deref_mut(&mut self) -> &mut $inner {
                &mut self.0
            }
        }

        impl<T: Default> Default for $name<T> {
            #[inline]
            #[track_caller]
            fn default() -> Self {
                Self::new(T::default())
            }
        }

        impl<T> From<T> for $name<T> {
            #[inline]
            #[track_caller]
            fn from(value: T) -> Self {
                Self::new(value)
            }
        }

        impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        #[cfg(feature = "serde")]
        impl<T: ?Sized + serde::Serialize> serde::Serialize for $name<T> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for $name<T> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                T::deserialize(deserializer).map(Self::new)
            }
        }
    };
}

/// The data without its lock; `const` where the version of `lock_api` has it so.
macro_rules! data {
    ($const:tt $($name:ident)*) => {
        $(data!(@ $const $name);)*
    };
    (@ [$($const:tt)?] $name:ident) => {
        impl<T: ?Sized> $name<T> {
            /// A mutable reference to the underlying data: the borrow excludes all others.
            #[inline]
            pub $($const)? fn get_mut(&mut self) -> &mut T {
                self.0.get_mut()
            }

            /// A pointer to the underlying data.
            #[inline]
            pub $($const)? fn data_ptr(&self) -> *mut T {
                self.0.data_ptr()
            }
        }
    };
}

macro_rules! mutex_type {
    ($lock_api:ident, $(#[$doc:meta])* $name:ident, $raw:ty, $original:expr, $guard:ident) => {
        lock_type!(
            $(#[$doc])*
            $name = $lock_api::Mutex<$raw, T>,
            |value| $lock_api::Mutex::from_raw(<$raw>::new($original), value)
        );

        impl<T: ?Sized> $name<T> {
            forward! { []
                fn lock(&self) -> $guard<'_, T>;
                fn try_lock(&self) -> Option<$guard<'_, T>>;
                fn try_lock_for(&self, timeout: std::time::Duration) -> Option<$guard<'_, T>>;
                fn try_lock_until(&self, deadline: std::time::Instant) -> Option<$guard<'_, T>>;
                fn is_locked(&self) -> bool;
            }
            forward_arc! { [] $lock_api::Mutex<$raw, T>;
                fn lock_arc(self) -> $lock_api::ArcMutexGuard<$raw, T>;
                fn try_lock_arc(self) -> Option<$lock_api::ArcMutexGuard<$raw, T>>;
                fn try_lock_arc_for(self, timeout: std::time::Duration) -> Option<$lock_api::ArcMutexGuard<$raw, T>>;
                fn try_lock_arc_until(self, deadline: std::time::Instant) -> Option<$lock_api::ArcMutexGuard<$raw, T>>;
            }
        }
    };
}

macro_rules! reentrant_type {
    ($lock_api:ident, $(#[$doc:meta])* $name:ident, $raw:ty, $original:expr, $thread_id:ty, $guard:ident) => {
        lock_type!(
            $(#[$doc])*
            $name = $lock_api::ReentrantMutex<$raw, $thread_id, T>,
            |value| $lock_api::ReentrantMutex::from_raw(
                <$raw>::new($original),
                <$thread_id as $lock_api::GetThreadId>::INIT,
                value,
            )
        );

        impl<T: ?Sized> $name<T> {
            /// What tells the line of the call: `lock_api` takes the lock inside for itself.
            #[inline(always)]
            fn taking(&self, site: crate::recorder::Site) -> crate::lock::Taking {
                // SAFETY: nothing is done with the lock inside but to look at it.
                let raw = unsafe { self.0.raw() };
                raw.taking(site, || self.0.is_owned_by_current_thread())
            }

            forward! { [taking]
                fn lock(&self) -> $guard<'_, T>;
                fn try_lock(&self) -> Option<$guard<'_, T>>;
                fn try_lock_for(&self, timeout: std::time::Duration) -> Option<$guard<'_, T>>;
                fn try_lock_until(&self, deadline: std::time::Instant) -> Option<$guard<'_, T>>;
            }
            forward! { []
                fn is_locked(&self) -> bool;
                fn is_owned_by_current_thread(&self) -> bool;
            }
            forward_arc! { [taking] $lock_api::ReentrantMutex<$raw, $thread_id, T>;
                fn lock_arc(self) -> $lock_api::ArcReentrantMutexGuard<$raw, $thread_id, T>;
                fn try_lock_arc(self) -> Option<$lock_api::ArcReentrantMutexGuard<$raw, $thread_id, T>>;
                fn try_lock_arc_for(self, timeout: std::time::Duration) -> Option<$lock_api::ArcReentrantMutexGuard<$raw, $thread_id, T>>;
                fn try_lock_arc_until(self, deadline: std::time::Instant) -> Option<$lock_api::ArcReentrantMutexGuard<$raw, $thread_id, T>>;
            }
        }
    };
}

macro_rules! rwlock_type {
    ($lock_api:ident, $(#[$doc:meta])* $name:ident, $raw:ty, $original:expr, $read:ident, $write:ident, $upgradable:ident) => {
        lock_type!(
            $(#[$doc])*
            $name = $lock_api::RwLock<$raw, T>,
            |value| $lock_api::RwLock::from_raw(<$raw>::new($original), value)
        );

        impl<T: ?Sized> $name<T> {
            forward! { []
                fn read(&self) -> $read<'_, T>;
                fn try_read(&self) -> Option<$read<'_, T>>;
                fn try_read_for(&self, timeout: std::time::Duration) -> Option<$read<'_, T>>;
                fn try_read_until(&self, deadline: std::time::Instant) -> Option<$read<'_, T>>;
                fn write(&self) -> $write<'_, T>;
                fn try_write(&self) -> Option<$write<'_, T>>;
                fn try_write_for(&self, timeout: std::time::Duration) -> Option<$write<'_, T>>;
                fn try_write_until(&self, deadline: std::time::Instant) -> Option<$write<'_, T>>;
                fn upgradable_read(&self) -> $upgradable<'_, T>;
                fn try_upgradable_read(&self) -> Option<$upgradable<'_, T>>;
                fn try_upgradable_read_for(&self, timeout: std::time::Duration) -> Option<$upgradable<'_, T>>;
                fn try_upgradable_read_until(&self, deadline: std::time::Instant) -> Option<$upgradable<'_, T>>;
                fn is_locked(&self) -> bool;
                fn is_locked_exclusive(&self) -> bool;
            }
            forward_arc! { [] $lock_api::RwLock<$raw, T>;
                fn read_arc(self) -> $lock_api::ArcRwLockReadGuard<$raw, T>;
                fn try_read_arc(self) -> Option<$lock_api::ArcRwLockReadGuard<$raw, T>>;
                fn try_read_arc_for(self, timeout: std::time::Duration) -> Option<$lock_api::ArcRwLockReadGuard<$raw, T>>;
                fn try_read_arc_until(self, deadline: std::time::Instant) -> Option<$lock_api::ArcRwLockReadGuard<$raw, T>>;
                fn write_arc(self) -> $lock_api::ArcRwLockWriteGuard<$raw, T>;
                fn try_write_arc(self) -> Option<$lock_api::ArcRwLockWriteGuard<$raw, T>>;
                fn try_write_arc_for(self, timeout: std::time::Duration) -> Option<$lock_api::ArcRwLockWriteGuard<$raw, T>>;
                fn try_write_arc_until(self, deadline: std::time::Instant) -> Option<$lock_api::ArcRwLockWriteGuard<$raw, T>>;
                fn upgradable_read_arc(self) -> $lock_api::ArcRwLockUpgradableReadGuard<$raw, T>;
                fn try_upgradable_read_arc(self) -> Option<$lock_api::ArcRwLockUpgradableReadGuard<$raw, T>>;
                fn try_upgradable_read_arc_for(self, timeout: std::time::Duration) -> Option<$lock_api::ArcRwLockUpgradableReadGuard<$raw, T>>;
                fn try_upgradable_read_arc_until(self, deadline: std::time::Instant) -> Option<$lock_api::ArcRwLockUpgradableReadGuard<$raw, T>>;
            }
        }
    };
}
