//! What a map records: who reads, who writes, what goes in and what comes out. Without the feature `record` there is
//! nothing in here.
#[cfg(not(feature = "record"))]
pub(super) use off::{Held, Meter, Site};
#[cfg(feature = "record")]
pub(super) use on::{Held, Meter, Site};

#[cfg(feature = "record")]
mod on {
    use crate::clock::ticks;
    use crate::lock::waited;
    use crate::recorder::{self, Tag, emit, party, site_of};
    use lockprof_trace::{Event, Kind, Operation};
    use std::panic::Location;

    /// Keys that a map has of which it is told that it moves: to move fewer takes less than to tell it.
    const TOLD: usize = 64;

    pub(in crate::map) use crate::recorder::Site;
    pub(in crate::map) use crate::sync::Held;

    /// Counts of a map: writes by its own id, then reads, inserts and removes by those behind it.
    pub(in crate::map) struct Meter {
        tag: Tag,
        kind: Kind,
    }

    impl Meter {
        #[track_caller]
        pub(in crate::map) const fn new(kind: Kind) -> Self {
            Self { tag: Tag::new(Location::caller()), kind }
        }

        /// The id of this count of the map, or 0: nothing is recorded.
        #[inline(always)]
        pub(in crate::map) fn id(&self, offset: u32) -> u32 {
            let id = self.tag.id(self.kind);
            if id == 0 { 0 } else { id + offset }
        }

        /// The map has been locked for writing.
        #[inline(always)]
        pub(in crate::map) fn writing(&self, site: Site) -> Held {
            Held::new(self.id(0), site)
        }

        /// The map has been locked for reading.
        #[inline(always)]
        pub(in crate::map) fn reading(&self, site: Site) -> Held {
            Held::new(self.id(1), site)
        }

        /// Somebody has to wait to write.
        pub(in crate::map) fn wait_to_write<R>(&self, site: Site, block: impl FnOnce() -> R) -> R {
            waited(self.id(0), Operation::Write, site, block)
        }

        /// Somebody has to wait to read.
        pub(in crate::map) fn wait_to_read<R>(&self, site: Site, block: impl FnOnce() -> R) -> R {
            waited(self.id(1), Operation::Read, site, block)
        }

        /// A map of this many keys may move to other room: when that begins; 0: not told.
        pub(in crate::map) fn moving(&self, keys: usize) -> u64 {
            if keys >= TOLD && recorder::is_recording() { ticks() } else { 0 }
        }

        /// It has: of so many keys, from so much room to so much, of so many bytes each.
        pub(in crate::map) fn moved(
            &self,
            began: u64,
            site: Site,
            [keys, from, to]: [usize; 3],
            entry: usize,
        ) {
            let object = self.id(0).into();
            if began == 0 || object == 0 {
                return;
            }
            let at = ticks();
            emit(&Event::Growth {
                at,
                ticks: at.saturating_sub(began),
                object,
                party: party(),
                site: site_of(site),
                keys: keys as u64,
                from: from as u64,
                to: to as u64,
                entry_bytes: entry as u64,
            });
        }

        /// The map is read, without its lock.
        #[inline(always)]
        pub(in crate::map) fn read(&self) {
            self.count(1, 1);
        }

        /// Keys were put in.
        #[inline(always)]
        pub(in crate::map) fn inserted(&self, keys: usize) {
            self.count(2, keys);
        }

        /// Keys were taken out.
        #[inline(always)]
        pub(in crate::map) fn removed(&self, keys: usize) {
            self.count(3, keys);
        }

        #[inline(always)]
        fn count(&self, offset: u32, keys: usize) {
            let id = self.id(offset);
            if id != 0 {
                (0..keys).for_each(|_| recorder::count(id));
            }
        }
    }
}

#[cfg(not(feature = "record"))]
mod off {
    /// Where a call comes from: nobody asks.
    pub(in crate::map) type Site = &'static std::panic::Location<'static>;

    /// A lock that is held.
    pub(in crate::map) struct Held;

    /// Counts of a map.
    pub(in crate::map) struct Meter;

    impl Meter {
        pub(in crate::map) const fn new(_: lockprof_trace::Kind) -> Self {
            Self
        }

        pub(in crate::map) fn writing(&self, _: Site) -> Held {
            Held
        }

        pub(in crate::map) fn reading(&self, _: Site) -> Held {
            Held
        }

        pub(in crate::map) fn wait_to_write<R>(&self, _: Site, block: impl FnOnce() -> R) -> R {
            block()
        }

        pub(in crate::map) fn wait_to_read<R>(&self, _: Site, block: impl FnOnce() -> R) -> R {
            block()
        }

        pub(in crate::map) fn moving(&self, _: usize) -> u64 {
            0
        }

        pub(in crate::map) fn moved(&self, _: u64, _: Site, _: [usize; 3], _: usize) {}

        pub(in crate::map) fn read(&self) {}

        pub(in crate::map) fn inserted(&self, _: usize) {}

        pub(in crate::map) fn removed(&self, _: usize) {}
    }
}
