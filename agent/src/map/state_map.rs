//! `StateMap`: a map of states, in which each write says what it expects.
use super::change::{Attempt, Current};
use super::locked::{Locked, Write};
use super::meter::Site;
use lockprof_trace::{Change, Kind};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::error::Error;
use std::fmt::{self, Debug};
use std::hash::{BuildHasher, Hash, RandomState};
use std::mem;
use std::panic::Location;

/// A map of states for many threads and tasks, as of jobs that go from pending over running to done.
///
/// A state is changed by [`compare_and_set`](Self::compare_and_set), which is refused where another was faster. What is
/// refused, and what overwrites blindly ([`set`](Self::set)) or against the declared transitions, is recorded with both
/// parties: who wrote the state that is there, and who wanted another, each with its line and time.
///
/// In the trace a state is known by its name, the first word of its `Debug`, so that what a state carries stays the
/// program's own; and a key by a salted hash.
///
/// ```
/// use lockprof::map::{Refused, StateMap};
///
/// #[derive(Clone, Debug, PartialEq)]
/// enum Job { Pending, Running, Done }
/// use Job::{Done, Pending, Running};
///
/// let jobs = StateMap::with_transitions([(Pending, Running), (Running, Done)]);
/// jobs.insert("mail", Pending)?;
/// jobs.compare_and_set("mail", &Pending, Running)?;
/// // Another who took it for pending is told better.
/// assert_eq!(jobs.compare_and_set("mail", &Pending, Running), Err(Refused::Other(Running)));
/// jobs.compare_and_set("mail", &Running, Done)?;
/// assert_eq!(jobs.compare_and_set("mail", &Done, Running), Err(Refused::Illegal));
/// # Ok::<(), Refused<Job>>(())
/// ```
pub struct StateMap<K, S, H = RandomState> {
    states: Locked<HashMap<K, Current<S>, H>>,
    rule: Option<Rule<S>>,
}

/// Whether the first state may become the second.
type Rule<S> = Box<dyn Fn(&S, &S) -> bool + Send + Sync>;

/// All states, locked for writing.
type States<'a, K, S, H> = Write<'a, HashMap<K, Current<S>, H>>;

/// Why a state was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused<S> {
    /// Another state is there: this one.
    Other(S),
    /// The state that is there may not become the new one.
    Illegal,
    /// The key is not there.
    Absent,
}

impl<S: Debug> fmt::Display for Refused<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Other(state) => write!(f, "another state is there: {state:?}"),
            Refused::Illegal => f.write_str("no such transition is declared"),
            Refused::Absent => f.write_str("no such key"),
        }
    }
}

impl<S: Debug> Error for Refused<S> {}

impl<K, S> StateMap<K, S> {
    /// An empty map in which any state may become any other. Reports name the caller's line.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self::with_hasher(RandomState::new())
    }

    /// An empty map in which a state may become another only as declared here.
    #[must_use]
    #[track_caller]
    pub fn with_transitions(transitions: impl IntoIterator<Item = (S, S)>) -> Self
    where
        S: PartialEq + Send + Sync + 'static,
    {
        let table: Vec<_> = transitions.into_iter().collect();
        Self::with_rule(move |from, to| table.iter().any(|(before, after)| (before, after) == (from, to)))
    }

    /// An empty map in which the first state may become the second where `rule` says so: for states that carry something.
    #[must_use]
    #[track_caller]
    pub fn with_rule(rule: impl Fn(&S, &S) -> bool + Send + Sync + 'static) -> Self {
        Self { rule: Some(Box::new(rule)), ..Self::new() }
    }
}

impl<K, S, H> StateMap<K, S, H> {
    /// An empty map with this hasher, in which any state may become any other; in a constant too.
    #[must_use]
    #[track_caller]
    pub const fn with_hasher(hasher: H) -> Self {
        Self { states: Locked::new(Kind::StateMap, HashMap::with_hasher(hasher)), rule: None }
    }

    /// How many keys there are.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.states.read(Location::caller()).len()
    }

    /// Whether there are no keys.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` for each key, in any order, under the lock.
    #[track_caller]
    pub fn for_each(&self, mut visit: impl FnMut(&K, &S)) {
        let states = self.states.read(Location::caller());
        states.iter().for_each(|(key, current)| visit(key, &current.state));
    }

    fn allows(&self, from: &S, to: &S) -> bool {
        self.rule.as_ref().is_none_or(|rule| rule(from, to))
    }
}

impl<K: Eq + Hash, S: Clone + Debug + PartialEq, H: BuildHasher> StateMap<K, S, H> {
    /// A key's state.
    #[track_caller]
    pub fn get<Q>(&self, key: &Q) -> Option<S>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.states.read(Location::caller()).get(key).map(|current| current.state.clone())
    }

    /// Whether the key is there.
    #[track_caller]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.states.read(Location::caller()).contains_key(key)
    }

    /// Puts a new key in: of those who do so at once, one succeeds.
    ///
    /// # Errors
    /// [`Refused::Other`]: the key is there, with this state.
    #[track_caller]
    pub fn insert(&self, key: K, state: S) -> Result<(), Refused<S>> {
        let states = self.states.write(Location::caller());
        match states.get(&key).cloned() {
            None => {
                put(states, key, state);
                Ok(())
            }
            Some(there) => {
                let site = release(states);
                let change = Attempt { change: Change::Exists, expected: None, to: &state };
                change.tell(self.states.meter(), &key, Some(&there), site);
                Err(Refused::Other(there.state))
            }
        }
    }

    /// Writes a key's state, if it is the expected one and may become the new one.
    ///
    /// # Errors
    /// It is not, or may not, or the key is not there.
    #[track_caller]
    pub fn compare_and_set<Q>(&self, key: &Q, expected: &S, new: S) -> Result<(), Refused<S>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut states = self.states.write(Location::caller());
        let site = states.site;
        let there = states.get_mut(key);
        let change = match &there {
            None => Change::Absent,
            Some(there) if there.state != *expected => Change::Stale,
            Some(there) if !self.allows(&there.state, &new) => Change::Forbidden,
            Some(_) => Change::Accepted,
        };
        let before = there.map(|there| match change {
            Change::Accepted => mem::replace(there, Current::new(new.clone(), site)),
            _ => there.clone(),
        });
        release(states);
        let attempt = Attempt { change, expected: Some(expected), to: &new };
        attempt.tell(self.states.meter(), key, before.as_ref(), site);
        match (change, before) {
            (Change::Accepted, _) => Ok(()),
            (Change::Stale, Some(there)) => Err(Refused::Other(there.state)),
            (Change::Forbidden, _) => Err(Refused::Illegal),
            _ => Err(Refused::Absent),
        }
    }

    /// Writes a key's state, whatever is there: where a state is, it is overwritten blindly, even against the declared
    /// transitions, and that is recorded. Returns the state that was there.
    #[track_caller]
    pub fn set(&self, key: K, state: S) -> Option<S> {
        let mut states = self.states.write(Location::caller());
        let site = states.site;
        let Some(there) = states.get_mut(&key) else {
            put(states, key, state);
            return None;
        };
        let change = if self.allows(&there.state, &state) { Change::Blind } else { Change::Illegal };
        let before = mem::replace(there, Current::new(state.clone(), site));
        states.meter.inserted(1);
        release(states);
        let attempt = Attempt { change, expected: None, to: &state };
        attempt.tell(self.states.meter(), &key, Some(&before), site);
        Some(before.state)
    }

    /// Takes a key out; returns its state.
    #[track_caller]
    pub fn remove<Q>(&self, key: &Q) -> Option<S>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut states = self.states.write(Location::caller());
        let removed = states.remove(key)?;
        states.meter.removed(1);
        Some(removed.state)
    }
}

/// Puts in a key that is not there.
fn put<K: Eq + Hash, S, H: BuildHasher>(mut states: States<'_, K, S, H>, key: K, state: S) {
    states.meter.inserted(1);
    let current = Current::new(state, states.site);
    states.room_for_one();
    states.insert(key, current);
}

/// Unlocks: what is told, is told when nobody has to wait for it. Returns where it was locked.
fn release<K, S, H>(states: States<'_, K, S, H>) -> Site {
    states.site
}

impl<K: Debug, S: Debug, H> Debug for StateMap<K, S, H> {
    #[track_caller]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states = self.states.read(Location::caller());
        f.debug_map().entries(states.iter().map(|(key, current)| (key, &current.state))).finish()
    }
}

impl<K, S, H: Default> Default for StateMap<K, S, H> {
    #[track_caller]
    fn default() -> Self {
        Self::with_hasher(H::default())
    }
}
