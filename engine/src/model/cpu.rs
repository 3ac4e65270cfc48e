//! Who ran where: CPU samples summed, and beside them the waits that have no place of their own among the sums of all: those
//! of threads without a spawn line, and those in tracing spans.
use super::{Parties, WaitKey};
use crate::stats::add;
use lockprof_trace::{Event, Party};
use std::collections::HashMap;
use std::hash::Hash;

/// Threads that are told apart, with where they run or wait: more are one.
const MOST: usize = 1 << 16;

/// Whose time is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// Tasks, or threads, spawned at one line: their class.
    Class(u64),
    /// A thread that was not spawned through lockprof.
    Thread(Party),
    /// A thread that has recorded nothing, by the system's number.
    Foreign(u64),
    /// More threads than are told apart.
    Others,
}

/// Whose time is summed, and where in the program's own terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Whose {
    /// Whose.
    pub who: Who,
    /// The tracing span that it was spent in, one for all of its place; 0: in none.
    pub span: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Cpu {
    /// Samples by whose they are and by stack: how many, and the ticks that they stand for.
    pub samples: HashMap<(Whose, u64), (u64, u64)>,
    /// Waits of threads without a spawn line, and waits in spans, in ticks.
    pub waits: HashMap<(Whose, WaitKey), u64>,
}

impl Cpu {
    /// Takes a sample, taken in this span.
    pub(super) fn sample(&mut self, event: &Event<'_>, parties: &Parties, span: u64) {
        let Event::CpuSample { party, os_id, stack, ticks, .. } = event else { return };
        let who = match parties.get(*party).map_or(0, |facts| facts.class) {
            0 if party.is_thread() => Who::Thread(*party),
            0 if *party == Party::UNKNOWN => Who::Foreign(*os_id),
            0 => Who::Others,
            class => Who::Class(class),
        };
        let others = (Whose { who: Who::Others, span: 0 }, *stack);
        let sum = room(&mut self.samples, (Whose { who, span }, *stack), others);
        sum.0 += 1;
        add(&mut sum.1, *ticks);
    }

    /// Takes a wait in this span.
    pub(super) fn wait(&mut self, key: WaitKey, party: Party, span: u64, ticks: u64) {
        let (who, others) = match key.by {
            0 if party.is_thread() => (Who::Thread(party), Who::Others),
            class if class != 0 && span != 0 => (Who::Class(class), Who::Class(class)),
            // The sum over all waits tells these.
            _ => return,
        };
        let others = (Whose { who: others, span: 0 }, key);
        add(room(&mut self.waits, (Whose { who, span }, key), others), ticks);
    }

    /// Brings together what is known of the same objects by now.
    pub(super) fn by(self, owner: impl Fn(super::Owner) -> super::Owner) -> Self {
        let mut waits = HashMap::with_capacity(self.waits.len());
        for ((whose, key), ticks) in self.waits {
            let key = WaitKey { owner: owner(key.owner), ..key };
            add(waits.entry((whose, key)).or_default(), ticks);
        }
        Self { waits, ..self }
    }
}

/// The sum of this key, or of the others' where there are too many to be told apart.
fn room<K: Eq + Hash, V: Default>(sums: &mut HashMap<K, V>, key: K, others: K) -> &mut V {
    let known = sums.len() < MOST || sums.contains_key(&key);
    sums.entry(if known { key } else { others }).or_default()
}
