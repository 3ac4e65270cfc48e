//! Who wrote what is there, where and when. Without the feature `record` there is nothing in
//! here.
#[cfg(not(feature = "record"))]
pub(super) use off::Written;
#[cfg(feature = "record")]
pub(super) use on::Written;

#[cfg(feature = "record")]
mod on {
    use crate::clock::ticks;
    use crate::map::meter::Site;
    use crate::recorder::{is_recording, party};
    use lockprof_trace::Party;

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
