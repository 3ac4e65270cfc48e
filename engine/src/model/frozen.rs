//! The frozen state: who waits and who holds what at the moment after which nothing more is known.
//!
//! For most programs that is the end of the recording. Where a runtime was shut down while tasks were blocked, their
//! waits and handles count as they were the moment before; they stand beside those that are open in the end.
use super::{Held, Model, OpenWait};
use lockprof_trace::Party;
use std::collections::HashMap;

/// See the module.
#[derive(Debug)]
pub struct Frozen {
    /// Everyone alive, in the order of their numbers.
    pub parties: Vec<Party>,
    /// Their places in `parties`.
    pub index: HashMap<Party, usize>,
    /// The open waits of each, as places in `Model::open`, longest first.
    pub waits: Vec<Vec<usize>>,
    /// The handles of each object, as places in `Model::handles`.
    pub handles: HashMap<u64, Vec<usize>>,
    /// What each party holds, as places in `Model::handles`.
    pub held: HashMap<Party, Vec<usize>>,
    /// The open waits for each object, as places in `Model::open`.
    pub queues: HashMap<u64, Vec<usize>>,
}

impl Frozen {
    /// The frozen state of a model that is resolved.
    pub fn of(model: &Model) -> Self {
        let waiting = model.open.iter().map(|wait| wait.party).filter(|party| *party != Party::UNKNOWN);
        let mut parties: Vec<Party> = model.parties.alive().map(|(party, _)| party).chain(waiting).collect();
        parties.sort_unstable();
        parties.dedup();
        let index: HashMap<Party, usize> =
            parties.iter().enumerate().map(|(at, party)| (*party, at)).collect();
        let mut waits = vec![vec![]; parties.len()];
        let mut queues: HashMap<u64, Vec<usize>> = HashMap::new();
        for (number, wait) in model.open.iter().enumerate() {
            if let Some(place) = index.get(&wait.party) {
                waits[*place].push(number);
                queues.entry(wait.object).or_default().push(number);
            }
        }
        let since = |number: &usize| (model.open[*number].since, *number);
        waits.iter_mut().chain(queues.values_mut()).for_each(|list| list.sort_by_key(since));
        let (mut handles, mut held): (HashMap<u64, Vec<usize>>, HashMap<Party, Vec<usize>>) =
            Default::default();
        for (number, handle) in model.handles.iter().enumerate() {
            let late = |until| model.abandoned_at.is_some_and(|at| until >= at);
            let counts = handle.abandoned || handle.until.is_none_or(late);
            if counts {
                handles.entry(handle.object).or_default().push(number);
                held.entry(handle.party).or_default().push(number);
            }
        }
        Self { parties, index, waits, handles, held, queues }
    }

    /// The handles of an object.
    pub fn handles_of<'a>(&'a self, model: &'a Model, object: u64) -> impl Iterator<Item = &'a Held> {
        self.handles.get(&object).into_iter().flatten().map(|number| &model.handles[*number])
    }

    /// The open waits of a party.
    pub fn waits_of<'a>(&'a self, model: &'a Model, party: usize) -> impl Iterator<Item = &'a OpenWait> {
        self.waits[party].iter().map(|number| &model.open[*number])
    }
}

impl OpenWait {
    /// How long it lasted, in ticks, where the recording ended at `end`.
    pub fn ticks(&self, end: u64) -> u64 {
        self.until.unwrap_or(end).saturating_sub(self.since)
    }
}
