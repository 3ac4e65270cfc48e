//! Tasks and threads: who lives, who was dropped unfinished, and how many of a class ended how.
//!
//! A party that has ended is forgotten, but for the last [`RECENT`]: a guard that outlives its holder still finds a name.
use foldhash::HashMap;
use lockprof_trace::{Event, Outcome, Party};
use std::collections::{BTreeMap, VecDeque};

/// Ended parties that are remembered.
const RECENT: usize = 1 << 16;

/// What is known of one party.
#[derive(Clone, Debug)]
pub struct PartyFacts {
    /// When it was spawned or first seen, in ticks.
    pub at: u64,
    /// Who spawned it.
    pub parent: Party,
    /// The class of its spawn line; 0 where not known.
    pub class: u64,
    /// The runtime that polls a task, as an object; 0 where not known.
    pub runtime: u64,
    /// The tracing span that a task was spawned in; 0: none.
    pub span: u64,
    /// Name of a thread; empty where it has none.
    pub name: Box<str>,
    /// The system's number for a thread.
    pub os_id: u64,
    /// How it ended and when, if it did.
    pub end: Option<(u64, Outcome)>,
}

/// How the parties of a class fared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Spawned.
    pub spawned: u64,
    /// Returned.
    pub finished: u64,
    /// Panicked.
    pub panicked: u64,
    /// Aborted.
    pub aborted: u64,
    /// Dropped unfinished by their runtime's shutdown.
    pub dropped: u64,
    /// How long those that have ended lived together, in ticks.
    pub lived: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Parties {
    /// Those that live, and those dropped unfinished.
    open: HashMap<Party, PartyFacts>,
    recent: HashMap<Party, PartyFacts>,
    order: VecDeque<Party>,
    /// Ends that came before their begins in the file.
    ended_first: HashMap<Party, (u64, Outcome)>,
    /// Whether any was spawned in a tracing span.
    in_spans: bool,
    /// By class.
    pub tallies: BTreeMap<u64, Tally>,
}

impl Parties {
    /// Takes a birth or an end. Returns what is now known: class, when, and whether it is a birth.
    /// A task is spawned in the span `within`.
    pub(super) fn event(&mut self, event: &Event<'_>, within: u64) -> [Option<(u64, u64, bool)>; 2] {
        match event {
            Event::Thread { at, thread, parent, class, os_id, name } => {
                let (at, parent, class, os_id) = (*at, *parent, *class, *os_id);
                let name = name.as_ref().into();
                self.born(
                    *thread,
                    PartyFacts { at, parent, class, runtime: 0, span: 0, name, os_id, end: None },
                )
            }
            Event::Task { at, task, parent, class, runtime } => {
                let (at, parent, class, runtime) = (*at, *parent, *class, *runtime);
                let (name, span) = ("".into(), within);
                self.born(*task, PartyFacts { at, parent, class, runtime, span, name, os_id: 0, end: None })
            }
            Event::ThreadEnd { at, thread, outcome } => self.ended(*thread, *at, *outcome),
            Event::TaskEnd { at, task, outcome, .. } => self.ended(*task, *at, *outcome),
            _ => [None, None],
        }
    }

    fn born(&mut self, party: Party, facts: PartyFacts) -> [Option<(u64, u64, bool)>; 2] {
        // A thread may be told by who spawned it and by itself: what is known is put together.
        if let Some(known) = self.open.get_mut(&party).or_else(|| self.recent.get_mut(&party)) {
            if known.name.is_empty() {
                known.name = facts.name;
            }
            if known.runtime == 0 {
                known.runtime = facts.runtime;
            }
            if known.os_id == 0 {
                known.os_id = facts.os_id;
            }
            return [None, None];
        }
        let (class, at) = (facts.class, facts.at);
        self.in_spans |= facts.span != 0;
        self.tallies.entry(class).or_default().spawned += 1;
        self.open.insert(party, facts);
        let ended = self.ended_first.remove(&party);
        let ended = ended.and_then(|(end, outcome)| Some((self.close(party, end, outcome)?, end, false)));
        [Some((class, at, true)), ended]
    }

    fn ended(&mut self, party: Party, at: u64, outcome: Outcome) -> [Option<(u64, u64, bool)>; 2] {
        if !self.open.contains_key(&party) {
            self.ended_first.insert(party, (at, outcome));
            return [None, None];
        }
        [self.close(party, at, outcome).map(|class| (class, at, false)), None]
    }

    fn close(&mut self, party: Party, at: u64, outcome: Outcome) -> Option<u64> {
        let facts = self.open.get_mut(&party)?;
        facts.end = Some((at, outcome));
        let class = facts.class;
        let tally = self.tallies.entry(class).or_default();
        tally.lived = tally.lived.saturating_add(at.saturating_sub(facts.at));
        match outcome {
            Outcome::Panicked => tally.panicked += 1,
            Outcome::Aborted => tally.aborted += 1,
            Outcome::Dropped => tally.dropped += 1,
            _ => tally.finished += 1,
        }
        if outcome != Outcome::Dropped
            && let Some(facts) = self.open.remove(&party)
        {
            self.recent.insert(party, facts);
            self.order.push_back(party);
            if self.order.len() > RECENT
                && let Some(oldest) = self.order.pop_front()
            {
                self.recent.remove(&oldest);
            }
        }
        // One that was dropped unfinished lived as long as it could: its death is not part of the class's history.
        (outcome != Outcome::Dropped).then_some(class)
    }

    /// What is known of a party.
    pub fn get(&self, party: Party) -> Option<&PartyFacts> {
        self.open.get(&party).or_else(|| self.recent.get(&party))
    }

    /// The span that a party is in: the one that is told with what it does, else the one that it was spawned in; 0: none.
    pub fn span_of(&self, party: Party, told: u64) -> u64 {
        if told != 0 || !self.in_spans { told } else { self.get(party).map_or(0, |facts| facts.span) }
    }

    /// Those that have ended, as far as they are remembered.
    pub fn recent(&self) -> impl Iterator<Item = &PartyFacts> {
        self.recent.values()
    }

    /// Those that lived at this moment, as far as it matters: to the end, or until a runtime's shutdown.
    pub fn alive(&self) -> impl Iterator<Item = (Party, &PartyFacts)> {
        self.open.iter().map(|(party, facts)| (*party, facts))
    }

    /// Whether it lives, or was dropped unfinished.
    pub fn is_alive(&self, party: Party) -> bool {
        self.open.contains_key(&party)
    }
}
