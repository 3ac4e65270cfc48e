//! Which keys make the wait for the shards of a map: of each shard the few that make most.
//!
//! By Space-Saving (Metwally, Agrawal, El Abbadi: Efficient computation of frequent and top-k elements in data streams, 2005): a
//! key that is not known takes the place of the one with least, and what that had counts as the error of the new one. A key
//! that makes more than one part in [`KEPT`] is never missed.
use crate::stats::add;

/// Keys of one shard that are kept.
const KEPT: usize = 16;

/// The waits for one shard, by key. Lengths in ticks.
#[derive(Clone, Debug, Default)]
pub struct KeyWaits {
    /// What all its keys have been waited for.
    pub ticks: u64,
    kept: Vec<Kept>,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    key: u64,
    ticks: u64,
    /// How much of that may be another key's.
    error: u64,
}

impl KeyWaits {
    pub(super) fn add(&mut self, key: u64, ticks: u64) {
        add(&mut self.ticks, ticks);
        if let Some(known) = self.kept.iter_mut().find(|kept| kept.key == key) {
            add(&mut known.ticks, ticks);
        } else if self.kept.len() < KEPT {
            self.kept.push(Kept { key, ticks, error: 0 });
        } else if let Some(least) = self.kept.iter_mut().min_by_key(|kept| kept.ticks) {
            *least = Kept { key, ticks: least.ticks.saturating_add(ticks), error: least.ticks };
        }
    }

    /// What the key that makes most makes at least.
    pub fn most(&self) -> u64 {
        self.kept.iter().map(|kept| kept.ticks - kept.error).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_makes_most_is_found_among_many() {
        let mut waits = KeyWaits::default();
        for n in 0..1_000 {
            waits.add(1_000 + n, 1);
            waits.add(7, 2);
        }
        assert_eq!((waits.ticks, waits.most()), (3_000, 2_000));
        assert_eq!(waits.kept.len(), KEPT);
    }

    #[test]
    fn of_keys_that_are_all_alike_none_makes_much() {
        let mut waits = KeyWaits::default();
        (0..10_000).for_each(|key| waits.add(key, 1));
        assert!(waits.most() <= 1, "{}", waits.most());
        assert_eq!(KeyWaits::default().most(), 0);
    }
}
