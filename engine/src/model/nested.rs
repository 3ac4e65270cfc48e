//! What parties did while they held something: which lock they took under which other, and what they waited for under one.
use lockprof_trace::{Operation, Party};
use std::collections::HashMap;

/// Nestings that are kept; a program has few, unless it has many objects that are taken together at random.
const NESTINGS: usize = 1 << 16;
/// Parties that are kept of each.
const PARTIES: usize = 8;

/// Something begun while other things were held.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nesting {
    /// The id that counts what was begun: of a read lock another than the object's own; 0 where there is none.
    pub object: u64,
    /// What was begun.
    pub operation: Operation,
    /// Where; 0 for an await.
    pub site: u64,
    /// What was held, outermost first: the id that counts it, and where it was taken.
    pub held: Box<[(u64, u64)]>,
}

/// All nestings of a process, each with the first parties that were seen in it.
#[derive(Clone, Debug, Default)]
pub struct Nestings {
    known: HashMap<Nesting, Vec<Party>>,
    /// Nestings for which there was no room.
    pub dropped: u64,
}

impl Nestings {
    pub(super) fn add(&mut self, party: Party, nesting: Nesting) {
        let room = self.known.len() < NESTINGS;
        if let Some(parties) = self.known.get_mut(&nesting) {
            if parties.len() < PARTIES && !parties.contains(&party) {
                parties.push(party);
            }
        } else if room {
            self.known.insert(nesting, vec![party]);
        } else {
            self.dropped += 1;
        }
    }

    /// Each nesting, in an order that does not change from run to run.
    pub fn sorted(&self) -> Vec<(&Nesting, &[Party])> {
        let mut all: Vec<_> = self.known.iter().map(|(nesting, parties)| (nesting, &**parties)).collect();
        all.sort_unstable();
        all
    }
}
