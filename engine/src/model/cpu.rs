//! Who ran where: CPU samples summed, and beside them the waits of threads that have no spawn line.
use super::{Parties, WaitKey};
use crate::stats::add;
use lockprof_trace::{Event, Party};
use std::collections::HashMap;

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

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Cpu {
    /// Samples by whose they are and by stack: how many, and the ticks that they stand for.
    pub samples: HashMap<(Who, u64), (u64, u64)>,
    /// Waits of threads without a spawn line, in ticks.
    pub thread_waits: HashMap<(Who, WaitKey), u64>,
}

impl Cpu {
    /// Takes a sample.
    pub(super) fn sample(&mut self, event: &Event<'_>, parties: &Parties) {
        let Event::CpuSample { party, os_id, stack, ticks, .. } = event else { return };
        let who = match parties.get(*party).map_or(0, |facts| facts.class) {
            0 if party.is_thread() => Who::Thread(*party),
            0 if *party == Party::UNKNOWN => Who::Foreign(*os_id),
            0 => Who::Others,
            class => Who::Class(class),
        };
        let known = self.samples.len() < MOST || self.samples.contains_key(&(who, *stack));
        let sum = self.samples.entry((if known { who } else { Who::Others }, *stack)).or_default();
        sum.0 += 1;
        add(&mut sum.1, *ticks);
    }

    /// Takes a wait.
    pub(super) fn wait(&mut self, key: WaitKey, party: Party, ticks: u64) {
        if key.by == 0 && party.is_thread() {
            let who = Who::Thread(party);
            let known = self.thread_waits.len() < MOST || self.thread_waits.contains_key(&(who, key));
            let who = if known { who } else { Who::Others };
            add(self.thread_waits.entry((who, key)).or_default(), ticks);
        }
    }

    /// Brings together what is known of the same objects by now.
    pub(super) fn by(self, owner: impl Fn(super::Owner) -> super::Owner) -> Self {
        let mut thread_waits = HashMap::with_capacity(self.thread_waits.len());
        for ((who, key), ticks) in self.thread_waits {
            let key = WaitKey { owner: owner(key.owner), ..key };
            add(thread_waits.entry((who, key)).or_default(), ticks);
        }
        Self { thread_waits, ..self }
    }
}
