//! What a recorded type has to have in common with its original: the traits, for contents of every sort.
#![allow(unused_imports, unused_macros)] // No binary uses all of it.
pub use std::cell::Cell;
pub use std::marker::{PhantomData, PhantomPinned};
pub use std::panic::{RefUnwindSafe, UnwindSafe};
pub use std::rc::Rc;
pub use std::sync::MutexGuard;

/// Of each type, which traits it has.
pub type Types = Vec<(&'static str, Vec<(&'static str, bool)>)>;

/// What the originals have, ours have, and no more; but that a type around an original may lead to it by `Deref`.
pub fn compare(originals: Types, ours: Types) {
    for ((name, before), (_, after)) in originals.into_iter().zip(ours) {
        for ((bound, was), (_, is)) in before.into_iter().zip(after) {
            assert!(was == is || is && bound.contains("Deref"), "{name}: {bound} was {was} and is {is}");
        }
    }
}

/// Whether a type has a trait.
macro_rules! has {
    ($type:ty, $($bound:tt)+) => {{
        #[allow(dead_code)]
        struct Probe<T>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        trait Otherwise {
            const HAS: bool = false;
        }
        impl<T> Otherwise for Probe<T> {}
        #[allow(dead_code)]
        impl<T: $($bound)+> Probe<T> {
            const HAS: bool = true;
        }
        <Probe<$type>>::HAS
    }};
}

/// Compares the traits of the types of one module with those of another: of each with its arguments as they stand, and
/// with `T` for contents of every sort.
macro_rules! same_traits {
    ([$original:ident] [$($ours:ident)::+] $($($name:ident)::+ $(<$($argument:tt),+>)?;)*) => {
        same_traits!(@each [$original] [$($ours)::+] [u8] [$($($name)::+ [$($($argument),+)?];)*]);
        same_traits!(@each [$original] [$($ours)::+] [parity::Cell<u8>] [$($($name)::+ [$($($argument),+)?];)*]);
        same_traits!(@each [$original] [$($ours)::+] [parity::Rc<u8>] [$($($name)::+ [$($($argument),+)?];)*]);
        same_traits!(@each [$original] [$($ours)::+] [&'static mut u8] [$($($name)::+ [$($($argument),+)?];)*]);
        same_traits!(@each [$original] [$($ours)::+] [parity::MutexGuard<'static, u8>] [$($($name)::+ [$($($argument),+)?];)*]);
        same_traits!(@each [$original] [$($ours)::+] [parity::PhantomPinned] [$($($name)::+ [$($($argument),+)?];)*]);
    };
    (@each [$original:ident] $ours:tt $content:tt $names:tt) => {{
        mod original {
            #[allow(unused_imports)]
            use super::*;
            pub use $original::*;
            same_traits!(@type $content);
            same_traits!(@has $names);
        }
        mod ours {
            #[allow(unused_imports)]
            use super::*;
            same_traits!(@use $ours);
            same_traits!(@type $content);
            same_traits!(@has $names);
        }
        parity::compare(original::all(), ours::all());
    }};
    (@use [$($ours:ident)::+]) => { pub use $($ours)::+::*; };
    (@type [$content:ty]) => {
        #[allow(dead_code)]
        type T = $content;
    };
    (@has [$($($name:ident)::+ [$($argument:tt)*];)*]) => {
        pub fn all() -> parity::Types {
            vec![$((stringify!($($name)::+), same_traits!(@traits self::$($name)::+<$($argument)*>,
                [Send] [Sync] [Unpin] [std::panic::UnwindSafe] [std::panic::RefUnwindSafe] [Clone] [Copy] [Default] [Eq]
                [std::fmt::Debug] [std::fmt::Display] [Iterator] [IntoIterator] [std::ops::Deref] [std::ops::DerefMut]
                [From<u8>]))),*]
        }
    };
    (@traits $type:ty, $([$($bound:tt)+])+) => {
        vec![$((stringify!($($bound)+), has!($type, $($bound)+))),+]
    };
}
