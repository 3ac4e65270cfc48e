//! What all references have in common: a guard of the shard, and pointers to a key and a value that it keeps locked.

/// Access to the key `k` and the value `v`; `mut` before it: with the right to change the value.
macro_rules! access {
    ([$($generic:ident),+] $name:ty => $value:ident) => {
        impl<K: Eq + Hash, $($generic),+> $name {
            /// The key.
            pub fn key(&self) -> &K {
                self.pair().0
            }

            /// The value.
            pub fn value(&self) -> &$value {
                self.pair().1
            }

            /// Key and value.
            pub fn pair(&self) -> (&K, &$value) {
                // SAFETY: both are in the shard, or reached from there, and the guard keeps it locked.
                unsafe { (&*self.k, &*self.v) }
            }
        }

        impl<K: Eq + Hash, $($generic),+> Deref for $name {
            type Target = $value;

            fn deref(&self) -> &$value {
                self.value()
            }
        }
    };
    (mut [$($generic:ident),+] $name:ty => $value:ident) => {
        access!([$($generic),+] $name => $value);

        impl<K: Eq + Hash, $($generic),+> $name {
            /// The value, to be changed.
            pub fn value_mut(&mut self) -> &mut $value {
                self.pair_mut().1
            }

            /// Key and value, to be changed.
            pub fn pair_mut(&mut self) -> (&K, &mut $value) {
                // SAFETY: as above; and the guard excludes all others.
                unsafe { (&*self.k, &mut *self.v) }
            }
        }

        impl<K: Eq + Hash, $($generic),+> DerefMut for $name {
            fn deref_mut(&mut self) -> &mut $value {
                self.value_mut()
            }
        }
    };
}

/// What makes a reference to a part of the value out of one to the value.
macro_rules! map {
    ([$($generic:ident),+] $name:ident => $value:ident, $mapped:ident, [$($mutable:tt)?]) => {
        impl<'a, K: Eq + Hash, $($generic),+> $name<'a, K, $($generic),+> {
            /// A reference to a part of the value.
            pub fn map<F, P>(self, f: F) -> $mapped<'a, K, V, P>
            where
                F: FnOnce(&$($mutable)? $value) -> &$($mutable)? P,
            {
                // SAFETY: the guard keeps the value locked, and goes with the part.
                let v = f(unsafe { &$($mutable)? *self.v });
                $mapped { _guard: self._guard, k: self.k, v }
            }

            /// A reference to a part of the value, if it has that.
            ///
            /// # Errors
            /// It has not: the reference is given back.
            pub fn try_map<F, P>(self, f: F) -> Result<$mapped<'a, K, V, P>, Self>
            where
                F: FnOnce(&$($mutable)? $value) -> Option<&$($mutable)? P>,
            {
                // SAFETY: as above.
                match f(unsafe { &$($mutable)? *self.v }) {
                    Some(v) => Ok($mapped { v, _guard: self._guard, k: self.k }),
                    None => Err(self),
                }
            }
        }
    };
}

/// `Debug` as dashmap has it.
macro_rules! debug {
    ([$($generic:ident),+] $name:ident, $last:ident) => {
        impl<K: Eq + Hash + fmt::Debug, $($generic),+> fmt::Debug for $name<'_, K, $($generic),+>
        where
            $last: fmt::Debug,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("k", &self.k).field("v", &self.v).finish()
            }
        }
    };
}
