//! Who spawned whom, and who may have been given what, where the record does not tell.
//!
//! Many parties that may all act stand in the graph as one more node, which is stuck if all of them are: so a thousand
//! waits for any of a thousand parties are two thousand edges, not a million.
use super::Context;
use crate::graph::Need;
use crate::model::{Held, Model};
use lockprof_trace::{Kind, Party, Role};
use std::collections::{BTreeSet, HashMap};

/// See the module.
pub(super) struct Kin {
    /// Living parties, by who spawned them, in the order of their births.
    children: HashMap<Party, Vec<(u64, usize)>>,
    /// When each party spawned the last of those that have ended.
    ended: HashMap<Party, u64>,
    /// Living parties that were spawned, in the order of their births: not `main`, nor foreign threads.
    born: Vec<(u64, usize)>,
    /// Living threads that nobody was seen to spawn: `main`, and foreign ones.
    by_themselves: Vec<usize>,
    /// Parties that have received messages.
    listeners: Vec<usize>,
    /// The first node that is no party.
    first: usize,
}

impl Kin {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let (model, parties) = (context.model, &context.frozen.parties);
        let (mut born, mut by_themselves) = (vec![], vec![]);
        let mut children: HashMap<Party, Vec<(u64, usize)>> = HashMap::new();
        for (place, party) in parties.iter().enumerate() {
            if let Some(facts) = model.parties.get(*party).filter(|facts| facts.class != 0) {
                born.push((facts.at, place));
                children.entry(facts.parent).or_default().push((facts.at, place));
            } else if party.is_thread() {
                by_themselves.push(place);
            }
        }
        born.sort_unstable();
        children.values_mut().for_each(|children| children.sort_unstable());
        let mut ended: HashMap<Party, u64> = HashMap::new();
        for facts in model.parties.recent() {
            let last = ended.entry(facts.parent).or_default();
            *last = facts.at.max(*last);
        }
        Self { children, ended, born, by_themselves, listeners: listeners(context), first: parties.len() }
    }

    /// The living parties that a party has spawned at this moment or later.
    pub(super) fn children(&self, of: Party, since: u64) -> impl Iterator<Item = usize> {
        let children = self.children.get(&of).into_iter().flatten();
        children.filter(move |(at, _)| *at >= since).map(|(_, place)| *place)
    }

    /// Whether somebody has ended whom this party had spawned at that moment or later.
    pub(super) fn has_ended_child(&self, of: Party, since: u64) -> bool {
        self.ended.get(&of).is_some_and(|at| *at >= since)
    }

    /// The living threads that nobody was seen to spawn.
    pub(super) fn by_themselves(&self) -> &[usize] {
        &self.by_themselves
    }

    /// All that have received messages, and could have been given anything in one.
    pub(super) fn listeners(&self) -> usize {
        self.first
    }

    /// All that were spawned at this moment or later, and could have taken along what was made before.
    pub(super) fn spawned_since(&self, since: u64) -> usize {
        self.first + 1 + self.born.partition_point(|(at, _)| *at < since)
    }

    /// All that could have been given anything at all.
    pub(super) fn takers(&self) -> [usize; 2] {
        [self.listeners(), self.spawned_since(0)]
    }

    /// The parties in these.
    pub(super) fn each_taker(&self) -> impl Iterator<Item = usize> {
        self.born.iter().map(|(_, place)| *place).chain(self.listeners.iter().copied())
    }

    /// These, `main`, and whoever else was there by itself.
    pub(super) fn everybody(&self) -> impl Iterator<Item = usize> {
        self.takers().into_iter().chain(self.by_themselves.iter().copied())
    }

    /// The nodes that are no parties, to stand behind them.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Vec<Need>> {
        let any = |by| vec![Need { by, gone: true, ..Need::default() }];
        // Each but the last is one party and the next node.
        let next = self.first + 2..;
        let younger = self.born.iter().zip(next).map(move |((_, place), next)| any(vec![*place, next]));
        std::iter::once(any(self.listeners.clone())).chain(younger).chain([any(vec![])])
    }
}

fn listeners(context: &Context<'_>) -> Vec<usize> {
    let (model, frozen) = (context.model, &context.frozen);
    let ends = frozen.handles.values().flatten().map(|number| &model.handles[*number]);
    let used =
        ends.filter(|end| end.role == Role::Receiver && end.count > 0 && delivered(model, end.object) > 0);
    let listeners: BTreeSet<usize> = used.filter_map(|end| frozen.index.get(&end.party).copied()).collect();
    listeners.into_iter().collect()
}

/// Who receives what a party has sent, by channels other than this: they could have been given something in a message. Where
/// nobody was seen to receive, it is whoever made the receiver.
pub(super) fn told(context: &Context<'_>, by: Party, except: u64) -> BTreeSet<Party> {
    let (model, frozen) = (context.model, &context.frozen);
    let carries = |object: u64| {
        use Kind::{CrossbeamChannel, StdChannel, TokioChannel, TokioUnbounded};
        let kind = model.kind_of(object);
        object != except && matches!(kind, CrossbeamChannel | StdChannel | TokioChannel | TokioUnbounded)
    };
    let sent =
        context.held_by(by).filter(|end| end.role == Role::Sender && end.is_placed() && carries(end.object));
    let mut told = BTreeSet::new();
    for end in sent {
        let receivers = || frozen.handles_of(model, end.object).filter(|end| end.role == Role::Receiver);
        let placed = receivers().any(Held::is_placed);
        told.extend(receivers().filter(|end| end.is_placed() || !placed).map(|end| end.party));
    }
    told
}

/// Messages that went through a channel, or notifications that were given.
pub(super) fn delivered(model: &Model, object: u64) -> u64 {
    let counts = [object, object + 1].map(|id| model.counts.get(&id).map_or(0, |count| count.count));
    counts[0].saturating_add(counts[1])
}
