//! What all guards have in common: they give access, and look like what they guard.

/// `Deref`, `Debug` and `Display` of a guard; `mut` before it: `DerefMut` too.
macro_rules! access {
    ([$($generic:tt)*] $guard:ty => $target:ident, |$this:ident| $data:expr) => {
        impl<$($generic)*> Deref for $guard {
            type Target = $target;

            #[inline(always)]
            fn deref(&self) -> &$target {
                let $this = self;
                // SAFETY: the guard holds the lock, and the data lives as long as the lock.
                unsafe { &*$data }
            }
        }

        impl<$($generic)*> fmt::Debug for $guard
        where
            $target: fmt::Debug,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }

        impl<$($generic)*> fmt::Display for $guard
        where
            $target: fmt::Display,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&**self, f)
            }
        }
    };
    (mut [$($generic:tt)*] $guard:ty => $target:ident, |$this:ident| $data:expr) => {
        access!([$($generic)*] $guard => $target, |$this| $data);

        impl<$($generic)*> DerefMut for $guard {
            #[inline(always)]
            fn deref_mut(&mut self) -> &mut $target {
                let $this = self;
                // SAFETY: the guard holds the lock alone, and the data lives as long as the lock.
                unsafe { &mut *$data }
            }
        }
    };
}
pub(super) use access;
