//! Random situations of waiting parties. What the engine proves is compared with what happens in every possible run of
//! the situation: those are stuck, and no others, that go on in none.
mod story;

use lockprof_engine::findings::{PartyReport, PartyRole, Verdict};
use lockprof_trace::{Kind, Operation, Party, Role};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};
use story::{BEGIN, SECOND, Story, line};

/// Parties in a situation, and objects: few enough to look at every run.
const PARTIES: usize = 5;
const OBJECTS: usize = 4;
/// The line where a party waits, and that where it was spawned.
const WAITS: u64 = 100;
const SPAWNED: u64 = 200;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Mutex,
    RwLock,
    /// All its permits are out.
    Semaphore,
    /// A channel that is full, and one that is empty.
    Full,
    Empty,
}

/// What a party has of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Alone,
    Shared,
    End,
}

/// What a party waits for. Waits for objects are queued in the order of the parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Object { object: usize, writes: bool },
    Join(usize),
}

#[derive(Clone, Debug)]
struct Situation {
    objects: Vec<What>,
    /// By object: who has it.
    holders: Vec<Vec<(usize, Hold)>>,
    /// By party; one that waits for several goes on with any of them.
    waits: Vec<Vec<Wait>>,
}

/// The situation in the course of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    /// By party: whether it has got what it waited for, and whether it has ended.
    goes_on: Vec<bool>,
    ended: Vec<bool>,
    /// By object and party: whether it still has it.
    has: Vec<Vec<bool>>,
}

impl Situation {
    fn begin(&self) -> State {
        State {
            goes_on: self.waits.iter().map(Vec::is_empty).collect(),
            ended: vec![false; self.waits.len()],
            has: self.holders.iter().map(|holders| vec![true; holders.len()]).collect(),
        }
    }

    /// Whether a party that waits can go on now.
    fn is_served(&self, state: &State, party: usize, wait: Wait) -> bool {
        let (object, writes) = match wait {
            Wait::Join(target) => return state.ended[target],
            Wait::Object { object, writes } => (object, writes),
        };
        let holders = || {
            let all = self.holders[object].iter().zip(&state.has[object]);
            all.filter(|(_, has)| **has).map(|(holder, _)| *holder)
        };
        match self.objects[object] {
            What::Mutex => holders().next().is_none(),
            What::Semaphore => holders().count() < self.holders[object].len() || holders().next().is_none(),
            What::RwLock if writes => holders().next().is_none(),
            What::RwLock => {
                let writer_first = |other: usize| {
                    let waits = self.waits[other].contains(&Wait::Object { object, writes: true });
                    waits && !state.goes_on[other]
                };
                holders().all(|(_, hold)| hold == Hold::Shared) && !(0..party).any(writer_first)
            }
            // Somebody who goes on puts something in, or takes something out.
            What::Full | What::Empty => holders().any(|(owner, _)| state.goes_on[owner]),
        }
    }

    /// Where one step of one party can lead to.
    fn steps(&self, state: &State) -> Vec<State> {
        let mut next = vec![];
        for party in 0..self.waits.len() {
            let mut step = state.clone();
            if !state.goes_on[party] {
                if self.waits[party].iter().any(|wait| self.is_served(state, party, *wait)) {
                    step.goes_on[party] = true;
                    next.push(step);
                }
                continue;
            }
            for (object, holders) in self.holders.iter().enumerate() {
                let held = |(at, (owner, _)): (usize, &(usize, Hold))| {
                    (*owner == party && state.has[object][at]).then_some(at)
                };
                for at in holders.iter().enumerate().filter_map(held) {
                    let is_end = holders[at].1 == Hold::End;
                    if !is_end {
                        let mut released = state.clone();
                        released.has[object][at] = false;
                        next.push(released);
                    }
                }
            }
            step.ended[party] = true;
            next.push(step);
        }
        next.retain(|step| step != state);
        next
    }

    /// Who goes on in no run.
    fn stuck(&self) -> BTreeSet<usize> {
        let (mut seen, mut look) = (HashSet::new(), vec![self.begin()]);
        let mut stuck: BTreeSet<usize> = (0..self.waits.len()).collect();
        while let Some(state) = look.pop() {
            stuck.retain(|party| !state.goes_on[*party]);
            for step in self.steps(&state) {
                if seen.insert(step.clone()) {
                    look.push(step);
                }
            }
        }
        stuck
    }

    /// The same as a recorder would tell it.
    fn story(&self) -> Story {
        let mut story = Story::new();
        let objects = self.objects.iter().zip(10..);
        let objects: Vec<u64> = objects.map(|(what, line)| story.object(what.kind(), line)).collect();
        let parties: Vec<Party> = (0..self.waits.len() as u64)
            .map(|party| match party % 2 {
                0 => story.thread(SPAWNED + party),
                _ => story.task(SPAWNED + party),
            })
            .collect();
        for (object, holders) in self.holders.iter().enumerate() {
            for (owner, hold) in holders {
                let role = match (hold, self.objects[object]) {
                    (Hold::Alone, What::Semaphore) => Role::Permit,
                    (Hold::Alone, _) => Role::Exclusive,
                    (Hold::Shared, _) => Role::Shared,
                    (Hold::End, What::Full) => Role::Receiver,
                    (Hold::End, _) => Role::Sender,
                };
                story.handle(parties[*owner], role, objects[object], 300 + *owner as u64, 1);
            }
        }
        for (party, waits) in self.waits.iter().enumerate() {
            let (line, since) = (WAITS + party as u64, BEGIN + 2 * SECOND + party as u64);
            for wait in waits {
                match *wait {
                    Wait::Join(target) => story.joins(parties[party], parties[target], line),
                    Wait::Object { object, writes } => {
                        let operation = self.objects[object].operation(writes);
                        story.waits_since(since, parties[party], operation, objects[object], line);
                    }
                }
            }
            if parties[party].is_task() && !waits.is_empty() {
                story.parked(parties[party], waits.len() as u64);
            }
        }
        story
    }
}

impl What {
    fn kind(self) -> Kind {
        match self {
            What::Mutex => Kind::Mutex,
            What::RwLock => Kind::RwLock,
            What::Semaphore => Kind::TokioSemaphore,
            What::Full | What::Empty => Kind::TokioChannel,
        }
    }

    fn operation(self, writes: bool) -> Operation {
        match self {
            What::Mutex => Operation::Lock,
            What::RwLock if writes => Operation::Write,
            What::RwLock => Operation::Read,
            What::Semaphore => Operation::Acquire,
            What::Full => Operation::Send,
            What::Empty => Operation::Recv,
        }
    }
}

impl Wait {
    fn object(self) -> Option<usize> {
        match self {
            Wait::Object { object, .. } => Some(object),
            Wait::Join(_) => None,
        }
    }
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        Just(What::Mutex),
        Just(What::RwLock),
        Just(What::Semaphore),
        Just(What::Full),
        Just(What::Empty)
    ]
}

/// Who has an object of this sort.
fn holders(what: What, parties: usize) -> BoxedStrategy<Vec<(usize, Hold)>> {
    let some = |most: usize| proptest::collection::btree_set(0..parties, 0..=most.min(parties));
    let of =
        |hold: Hold| move |owners: BTreeSet<usize>| owners.into_iter().map(|owner| (owner, hold)).collect();
    match what {
        What::Mutex => some(1).prop_map(of(Hold::Alone)).boxed(),
        What::RwLock => {
            prop_oneof![some(1).prop_map(of(Hold::Alone)), some(3).prop_map(of(Hold::Shared))].boxed()
        }
        What::Semaphore => some(2).prop_map(of(Hold::Alone)).boxed(),
        // A channel without its other end would have told the waiter so.
        What::Full | What::Empty => {
            proptest::collection::btree_set(0..parties, 1..=2.min(parties)).prop_map(of(Hold::End)).boxed()
        }
    }
}

fn wait(parties: usize, objects: usize) -> impl Strategy<Value = Wait> {
    prop_oneof![
        4 => (0..objects, any::<bool>()).prop_map(|(object, writes)| Wait::Object { object, writes }),
        1 => (0..parties).prop_map(Wait::Join),
    ]
}

fn situation() -> impl Strategy<Value = Situation> {
    (2..=PARTIES, 1..=OBJECTS).prop_flat_map(|(parties, objects)| {
        let waits = proptest::collection::vec(wait(parties, objects), 0..=1);
        // Of two waits for one object, one would stand behind the other.
        let several = proptest::collection::vec(wait(parties, objects), 2)
            .prop_filter("one object", |waits| waits[0].object() != waits[1].object());
        let waits = prop_oneof![6 => waits, 1 => several];
        let waits = proptest::collection::vec(waits, parties);
        let objects = proptest::collection::vec(what(), objects);
        (objects, waits).prop_flat_map(move |(objects, waits)| {
            let holders: Vec<_> = objects.iter().map(|what| holders(*what, parties)).collect();
            (Just(objects), holders, Just(waits)).prop_map(|(objects, holders, waits)| Situation {
                objects,
                holders,
                waits,
            })
        })
    })
}

/// The parties in these that wait, by their lines.
fn waiting<'a>(parties: impl Iterator<Item = &'a PartyReport>) -> BTreeSet<usize> {
    let waits = parties.flat_map(|party| &party.waits);
    waits.map(|wait| (line(&wait.at) - WAITS) as usize).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn those_are_proved_stuck_that_go_on_in_no_run(situation in situation()) {
        let (stuck, found) = (situation.stuck(), situation.story().firm());
        let proved = || {
            let proved = found.iter().filter(|finding| finding.verdict == Verdict::Proved);
            proved.flat_map(|finding| &finding.parties)
        };
        let members = waiting(proved().filter(|party| party.role == PartyRole::Member));
        prop_assert!(members.is_subset(&stuck), "{members:?} are called stuck, {stuck:?} are");
        // Who is only suspected may be told behind them.
        let named = waiting(proved());
        prop_assert!(stuck.is_subset(&named), "{stuck:?} are stuck, {named:?} are named");
    }
}
