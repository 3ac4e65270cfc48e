//! LP0010: locks taken in different orders, which did not meet in this run.
//!
//! Each lock taken under another is an edge from the outer to the inner one. A circle of edges is a hazard where parties
//! that lived at the same time can stand in it (Havelund's *GoodLock*): each edge by another party, no common lock around
//! two of them (a gate), and on each lock at least one of the two that meet there excludes the other. Tries and waits with
//! a time limit make no edge: the recorder tells none of them. False positives: parties that something else than a lock
//! keeps apart, a channel say.
use super::{Context, Finding, Place, is_known};
use crate::model::Nesting;
use lockprof_trace::{Operation, Party};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Locks in a circle, at most.
const LONGEST: usize = 4;
/// Steps of the search for circles: a program whose locks are taken together at random has more than anyone can use.
const STEPS: usize = 1 << 20;

/// One lock taken under another.
#[derive(Clone, Copy)]
struct Edge<'a> {
    /// Object, whether it is shared, and where it was taken.
    outer: (u64, bool, u64),
    inner: (u64, bool, u64),
    nesting: &'a Nesting,
    parties: &'a [Party],
}

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let mut search = Search { context, edges: BTreeMap::new(), steps: 0, found: BTreeMap::new() };
    let nestings = context.model.nested.sorted();
    for (nesting, parties) in &nestings {
        search.add(nesting, parties);
    }
    let objects: Vec<u64> = search.edges.keys().copied().collect();
    for object in objects {
        search.from(object, &mut vec![]);
    }
    let found = search.found.into_values();
    let bit =
        |circle: &Circle<'_>| circle.edges.iter().all(|edge| is_known(known, &context.site(edge.outer.2)));
    found.filter(|circle| !bit(circle)).map(|circle| tell(context, &circle)).collect()
}

struct Search<'a> {
    context: &'a Context<'a>,
    /// By the outer lock.
    edges: BTreeMap<u64, Vec<Edge<'a>>>,
    steps: usize,
    /// By their lines.
    found: BTreeMap<Vec<(u64, u64)>, Circle<'a>>,
}

/// A circle, and the number of circles of objects that it stands for.
struct Circle<'a> {
    edges: Vec<Edge<'a>>,
    count: u64,
}

impl<'a> Search<'a> {
    fn add(&mut self, nesting: &'a Nesting, parties: &'a [Party]) {
        use Operation::{Acquire, Lock, Read, UpgradableRead, Write};
        let model = self.context.model;
        let taken = |id: u64, site: u64| {
            let object = model.own(id);
            is_exclusive_kind(self.context, object).then_some((object, id != object, site))
        };
        if !matches!(nesting.operation, Lock | Read | Write | UpgradableRead | Acquire) {
            return;
        }
        let Some(mut inner) = taken(nesting.object, nesting.site) else { return };
        inner.1 &= nesting.operation == Read;
        for (id, site) in &nesting.held {
            if let Some(outer) = taken(*id, *site).filter(|outer| outer.0 != inner.0) {
                self.edges.entry(outer.0).or_default().push(Edge { outer, inner, nesting, parties });
            }
        }
    }

    /// Follows the edges from `object`; circles are found from their smallest object.
    fn from(&mut self, object: u64, path: &mut Vec<Edge<'a>>) {
        for edge in self.edges.get(&object).cloned().unwrap_or_default() {
            self.steps += 1;
            if self.steps > STEPS {
                return;
            }
            let start = path.first().map_or(object, |first| first.outer.0);
            let meets = path.last().is_none_or(|last| !(last.inner.1 && edge.outer.1));
            if edge.inner.0 < start || !meets || !path.iter().all(|other| self.may_meet(other, &edge)) {
                continue;
            }
            path.push(edge);
            if edge.inner.0 == start {
                if !(edge.inner.1 && path[0].outer.1) && path.len() > 1 {
                    self.keep(path);
                }
            } else if path.len() < LONGEST && path.iter().all(|other| other.outer.0 != edge.inner.0) {
                self.from(edge.inner.0, path);
            }
            path.pop();
        }
    }

    fn keep(&mut self, path: &[Edge<'a>]) {
        let mut lines: Vec<(u64, u64)> = path.iter().map(|edge| (edge.outer.2, edge.inner.2)).collect();
        lines.sort_unstable();
        self.found.entry(lines).or_insert_with(|| Circle { edges: path.to_vec(), count: 0 }).count += 1;
    }

    /// Whether two parties may stand at these edges at one time.
    fn may_meet(&self, one: &Edge<'_>, other: &Edge<'_>) -> bool {
        let gates = |edge: &Edge<'_>| -> HashMap<u64, bool> {
            let held = edge.nesting.held.iter().map(|(id, _)| (self.context.model.own(*id), *id));
            let others = held.filter(|(object, _)| *object != edge.outer.0 && *object != edge.inner.0);
            others.map(|(object, id)| (object, id != object)).collect()
        };
        let (ours, theirs) = (gates(one), gates(other));
        let gated =
            ours.iter().any(|(gate, shared)| theirs.get(gate).is_some_and(|also| !(*shared && *also)));
        let pairs =
            || one.parties.iter().flat_map(|one| other.parties.iter().map(move |other| (*one, *other)));
        !gated && pairs().any(|(one, other)| self.overlap(one, other))
    }

    /// Whether these parties, or others of their spawn lines, lived at one time.
    fn overlap(&self, one: Party, other: Party) -> bool {
        let parties = &self.context.model.parties;
        let (Some(ours), Some(theirs)) = (parties.get(one), parties.get(other)) else { return true };
        // A task does what others of its line do; one thread told for another only where it was told itself.
        let many = |party: Party, class: u64| {
            party.is_task() && parties.tallies.get(&class).is_some_and(|tally| tally.spawned > 1)
        };
        if many(one, ours.class) || many(other, theirs.class) {
            return true;
        }
        let ended = |end: Option<(u64, _)>| end.map_or(u64::MAX, |(at, _)| at);
        one != other && ours.at < ended(theirs.end) && theirs.at < ended(ours.end)
    }
}

/// A lock, or a semaphore of one permit.
fn is_exclusive_kind(context: &Context<'_>, object: u64) -> bool {
    let Some((_, class)) = context.model.class_of(object) else { return false };
    match class.kind {
        lockprof_trace::Kind::TokioSemaphore => {
            context.model.objects.get(&object).is_some_and(|object| object.capacity == 1)
        }
        kind => super::locks::is_lock_kind(kind),
    }
}

fn tell(context: &Context<'_>, Circle { edges, count }: &Circle<'_>) -> Finding {
    let names: BTreeSet<String> = edges.iter().map(|edge| context.object_name(edge.outer.0)).collect();
    let names: Vec<String> = names.into_iter().collect();
    let what = match &names[..] {
        [one] => format!("two of the {one}"),
        [one, other] => format!("the {one} and the {other}"),
        _ => format!("the {}", names.join(", the ")),
    };
    let ways = if edges.len() == 2 { "in both orders".into() } else { format!("in {} orders", edges.len()) };
    let mut places = vec![];
    let mut notes = vec![];
    for edge in edges {
        let (outer, inner) = (context.object_name(edge.outer.0), context.object_name(edge.inner.0));
        let add = |site, label| Place { at: context.site(site), label };
        places.push(add(edge.inner.2, format!("here the {inner} is taken under the {outer}")));
        places.push(add(edge.outer.2, format!("the {outer} is taken here")));
        let who: Vec<String> = edge.parties.iter().take(3).map(|party| context.party_name(*party)).collect();
        notes.push(format!(
            "{} took the {outer} at {}, then the {inner} at {}",
            who.join(", "),
            context.place(edge.outer.2),
            context.place(edge.inner.2)
        ));
    }
    if *count > 1 {
        notes.push(format!("{count} sets of such locks were seen in it"));
    }
    let classes: BTreeSet<u64> =
        edges.iter().filter_map(|edge| Some(context.model.class_of(edge.outer.0)?.0)).collect();
    Finding {
        message: format!("{what} are taken {ways}: two parties that meet there wait for each other for ever"),
        count: *count,
        at: edges.first().map(|edge| context.site(edge.inner.2)).unwrap_or_default(),
        objects: classes.into_iter().map(|class| context.object(class, None)).collect(),
        places,
        notes,
        help: "take them in one order everywhere, or copy what is needed out of the first before taking the second"
            .into(),
        ..Finding::hazard(context, "LP0010")
    }
}
