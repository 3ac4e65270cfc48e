//! Who wrote what is there, where and when; and what a key is known by. Without the feature `record` there is nothing in
//! here.
#[cfg(not(feature = "record"))]
pub(super) use off::Written;
#[cfg(feature = "record")]
pub(super) use on::{Written, salted};

#[cfg(feature = "record")]
mod on {
    use crate::clock::ticks;
    use crate::map::meter::Site;
    use crate::recorder::{is_recording, party};
    use lockprof_trace::Party;
    use std::hash::{BuildHasher, Hash, RandomState};
    use std::sync::OnceLock;

    /// Who wrote, where and when.
    #[derive(Clone, Copy)]
    pub(in crate::map) struct Written {
        pub(in crate::map) party: Party,
        pub(in crate::map) site: Site,
        pub(in crate::map) at: u64,
    }

    impl Written {
        /// This party, now.
        pub(in crate::map) fn now(site: Site) -> Self {
            let (party, at) = if is_recording() { (party(), ticks()) } else { (Party::UNKNOWN, 0) };
            Self { party, site, at }
        }
    }

    /// What a key is known by: nobody finds the key by it, since the salt is this process's own.
    pub(in crate::map) fn salted<Q: Hash + ?Sized>(key: &Q) -> u64 {
        static SALT: OnceLock<RandomState> = OnceLock::new();
        SALT.get_or_init(RandomState::new).hash_one(key)
    }
}

#[cfg(not(feature = "record"))]
mod off {
    use crate::map::meter::Site;

    /// Who wrote: nobody asks.
    #[derive(Clone, Copy)]
    pub(in crate::map) struct Written;

    impl Written {
        pub(in crate::map) fn now(_: Site) -> Self {
            Self
        }
    }
}
