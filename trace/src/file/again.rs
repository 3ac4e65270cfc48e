//! Holds told again: nearly every hold of a block differs from one before it in when it ended and how long it lasted alone.
//!
//! A hold that is told in full takes the next of [`PLACES`] places, the first one again behind the last. One like it is then
//! told in short: the number of its place, its end and its length. Each block begins with no place taken.
use crate::event::{Event, Party};
use crate::kind::HoldSource;

/// The number of a hold told in full.
const HOLD: u8 = 21;
/// How many holds a block remembers.
pub(super) const PLACES: usize = 64;
/// The number of an event that tells of the hold in the first place again; those of the others follow.
pub(super) const FIRST: u8 = 128;
/// The letters of its fields: when it ended, and how long it lasted.
pub(super) const LETTERS: &str = "tn";
/// Its name in the schema.
pub(super) const NAME: &str = "HoldAgain";

/// What holds have in common that are told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HoldKey {
    /// Who held.
    pub party: Party,
    /// What.
    pub object: u64,
    /// Where it was taken.
    pub site: u64,
    /// How the length is known.
    pub source: HoldSource,
}

impl HoldKey {
    /// Of an event that is a hold: with its end and its length in ticks.
    #[inline(always)]
    pub fn of(event: &Event<'_>) -> Option<(Self, u64, u64)> {
        match *event {
            Event::Hold { at, ticks, party, object, site, source } => {
                Some((Self { party, object, site, source }, at, ticks))
            }
            _ => None,
        }
    }

    /// A hold like these.
    #[inline(always)]
    pub fn hold(self, at: u64, ticks: u64) -> Event<'static> {
        let Self { party, object, site, source } = self;
        Event::Hold { at, ticks, party, object, site, source }
    }
}

/// The places of a block.
pub(super) struct Places {
    /// What is in each; `None` where the hold could not be read, as one of a later version.
    keys: [Option<HoldKey>; PLACES],
    /// Holds told in full so far.
    told: usize,
}

impl Places {
    /// No place is taken.
    pub(super) const fn new() -> Self {
        Self { keys: [None; PLACES], told: 0 }
    }

    /// What is in a place; `None` where nothing is.
    #[inline(always)]
    pub(super) fn get(&self, place: usize) -> Option<Option<HoldKey>> {
        self.keys[..self.told.min(PLACES)].get(place).copied()
    }

    /// A hold is told in full; returns the place that it has now.
    #[inline(always)]
    fn take(&mut self, key: Option<HoldKey>) -> usize {
        let place = self.told % PLACES;
        self.keys[place] = key;
        self.told += 1;
        place
    }

    /// An event was read, `None` if it could not be. Returns the place that it has now, if it is a hold told in full.
    #[inline(always)]
    pub(super) fn learn(&mut self, number: u8, event: Option<&Event<'_>>) -> Option<usize> {
        (number == HOLD).then(|| self.take(event.and_then(HoldKey::of).map(|(key, ..)| key)))
    }
}

/// The places of a block that is written, with a way to find what is in them.
pub(super) struct Finder {
    places: Places,
    /// The place that was taken last by a hold of this hash.
    by_hash: [u8; 256],
}

impl Finder {
    /// No place is taken.
    pub(super) const fn new() -> Self {
        Self { places: Places::new(), by_hash: [0; 256] }
    }

    /// The number that tells of a hold with this key again. If it is not to be had, the hold has to be told in full, and
    /// takes a place.
    #[inline]
    pub(super) fn find(&mut self, key: HoldKey) -> Option<u8> {
        // Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, 6.4.
        let mixed = key.site ^ key.object << 32 ^ key.party.0 << 48;
        let place = &mut self.by_hash[(mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize];
        if self.places.get(usize::from(*place)) == Some(Some(key)) {
            return Some(FIRST + *place);
        }
        *place = self.places.take(Some(key)) as u8;
        None
    }

    /// The next block begins.
    pub(super) fn clear(&mut self) {
        self.places.told = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(object: u64) -> HoldKey {
        HoldKey { party: Party::UNKNOWN, object, site: 1, source: HoldSource::Full }
    }

    #[test]
    fn what_was_told_is_found_until_its_place_is_taken() {
        let mut finder = Finder::new();
        assert_eq!((finder.find(key(1)), finder.find(key(1))), (None, Some(FIRST)));
        (2..=PLACES as u64).for_each(|object| assert_eq!(finder.find(key(object)), None));
        assert_eq!(finder.find(key(1)), Some(FIRST));
        assert_eq!(finder.find(key(0)), None, "it takes the first place again");
        assert_eq!((finder.find(key(0)), finder.find(key(1))), (Some(FIRST), None));
        finder.clear();
        assert_eq!(finder.find(key(0)), None);
    }

    #[test]
    fn no_place_has_what_was_not_told() {
        let mut places = Places::new();
        assert_eq!(places.get(0), None);
        places.learn(HOLD, Some(&key(7).hold(3, 2)));
        places.learn(HOLD + 1, None);
        places.learn(HOLD, None);
        assert_eq!((places.get(0), places.get(1), places.get(2)), (Some(Some(key(7))), Some(None), None));
        (0..PLACES).for_each(|_| assert!(places.take(None) < PLACES));
        assert_eq!((places.get(0), places.get(PLACES)), (Some(None), None));
    }

    #[test]
    fn only_holds_have_the_number_of_holds() {
        assert_eq!(key(1).hold(0, 0).number(), HOLD);
    }
}
