//! Who spawned whom, and who may have been given what, where the record does not tell.
//!
//! Many parties that may all act stand in the graph as one more node, which is stuck if all of them are: so a thousand
//! waits for any of a thousand parties are two thousand edges, not a million.
use super::Context;
use crate::graph::Need;
use crate::model::{Held, Model};
use lockprof_trace::{Kind, Party, Role};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

/// The nodes that there are always: who listens, who was there by itself, and nobody.
const FIXED: usize = 3;

/// See the module.
pub(super) struct Kin {
    /// Living parties, by who spawned them, in the order of their births.
    children: BTreeMap<Party, Vec<(u64, usize)>>,
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
    /// The first of the nodes that stand for each one's children.
    families: HashMap<Party, usize>,
}

impl Kin {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let (model, parties) = (context.model, &context.frozen.parties);
        let (mut born, mut by_themselves) = (vec![], vec![]);
        let mut children: BTreeMap<Party, Vec<(u64, usize)>> = BTreeMap::new();
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
        let (first, mut families) = (parties.len(), HashMap::new());
        let mut node = first + FIXED + born.len();
        for (party, children) in &children {
            families.insert(*party, node);
            node += before(children.len(), usize::BITS);
        }
        Self { children, ended, born, by_themselves, listeners: listeners(context), first, families }
    }

    /// The living parties that a party has spawned, in the order of their births.
    fn all_children(&self, of: Party) -> &[(u64, usize)] {
        self.children.get(&of).map_or(&[], |children| children)
    }

    /// Which of them it has spawned at this moment or later, as places among them.
    pub(super) fn since(&self, of: Party, since: u64) -> Range<usize> {
        let children = self.all_children(of);
        children.partition_point(|(at, _)| *at < since)..children.len()
    }

    /// These.
    pub(super) fn children(&self, of: Party, range: Range<usize>) -> impl Iterator<Item = usize> {
        self.all_children(of)[range].iter().map(|(_, place)| *place)
    }

    /// The place of a party, born then, among the children of another.
    pub(super) fn child(&self, of: Party, born: (u64, usize)) -> Option<usize> {
        self.all_children(of).binary_search(&born).ok()
    }

    /// The same as few nodes: each stands for a block of twice, four times, and so on as many as one.
    pub(super) fn blocks(&self, of: Party, Range { mut start, end }: Range<usize>) -> Vec<usize> {
        let (mut blocks, count) = (vec![], self.all_children(of).len());
        while start < end {
            let level = (end - start).ilog2().min(start.trailing_zeros());
            match level {
                0 => blocks.extend(self.children(of, start..start + 1)),
                _ => blocks.push(self.families[&of] + before(count, level) + (start >> level)),
            }
            start += 1 << level;
        }
        blocks
    }

    /// Whether somebody has ended whom this party had spawned at that moment or later.
    pub(super) fn has_ended_child(&self, of: Party, since: u64) -> bool {
        self.ended.get(&of).is_some_and(|at| *at >= since)
    }

    /// The living threads that nobody was seen to spawn, if there are any.
    pub(super) fn by_themselves(&self) -> Option<usize> {
        (!self.by_themselves.is_empty()).then_some(self.first + 1)
    }

    /// All that have received messages, and could have been given anything in one.
    pub(super) fn listeners(&self) -> usize {
        self.first
    }

    /// All that were spawned at this moment or later, and could have taken along what was made before.
    pub(super) fn spawned_since(&self, since: u64) -> usize {
        let older = self.born.partition_point(|(at, _)| *at < since);
        self.first + 2 + self.born.len() - older
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
        self.takers().into_iter().chain(self.by_themselves())
    }

    /// The nodes that are no parties, to stand behind them.
    pub(super) fn nodes(&self) -> Vec<Vec<Need>> {
        let mut nodes = vec![any(self.listeners.clone()), any(self.by_themselves.clone()), any(vec![])];
        // Each is one party, and the node before: the youngest first.
        for (_, place) in self.born.iter().rev() {
            nodes.push(any(vec![*place, self.first + nodes.len() - 1]));
        }
        for (party, children) in &self.children {
            for level in 1..usize::BITS {
                for start in (0..children.len() >> level).map(|block| block << level) {
                    let half = 1 << (level - 1);
                    let halves = [start..start + half, start + half..start + 2 * half];
                    let by = halves.into_iter().flat_map(|half| self.blocks(*party, half)).collect();
                    nodes.push(any(by));
                }
            }
        }
        nodes
    }
}

/// How many nodes for blocks of so many children come before those of this level: each has half as many as the one below.
fn before(children: usize, level: u32) -> usize {
    (1..level).map(|level| children >> level).sum()
}

/// What a node has that stands for any of these.
pub(super) fn any(by: Vec<usize>) -> Vec<Need> {
    vec![Need { by, gone: true, ..Need::default() }]
}

fn listeners(context: &Context<'_>) -> Vec<usize> {
    let (model, frozen) = (context.model, &context.frozen);
    let ends = frozen.handles.values().flatten().map(|number| &model.handles[*number]);
    let used =
        ends.filter(|end| end.role == Role::Receiver && end.count > 0 && delivered(model, end.object) > 0);
    let listeners: BTreeSet<usize> = used.filter_map(|end| frozen.index.get(&end.party).copied()).collect();
    listeners.into_iter().collect()
}

/// Whether an object is a channel that messages go through, each to one.
pub(super) fn carries(model: &Model, object: u64) -> bool {
    use Kind::{CrossbeamChannel, StdChannel, TokioChannel, TokioUnbounded};
    matches!(model.kind_of(object), CrossbeamChannel | StdChannel | TokioChannel | TokioUnbounded)
}

/// Who receives what a party has sent, by channels other than this: they could have been given something in a message. Where
/// nobody was seen to receive, it is whoever made the receiver.
pub(super) fn told(context: &Context<'_>, by: Party, except: u64) -> BTreeSet<Party> {
    let (model, frozen) = (context.model, &context.frozen);
    let carries = |object: u64| object != except && carries(model, object);
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
