//! The wait-for graph: who can never be woken again, and who of them is part of a circle.
//!
//! A party is *stuck* if it waits and each of its waits can be ended by stuck parties only: the greatest set for which
//! that holds, since nobody outside it can end a wait inside, and nobody inside it will act. It is found by starting
//! from all who wait and taking out, one after the other, whoever can still be served. *Members* are the parties on a
//! circle of the stuck set (Tarjan's strongly connected components), and those that wait for somebody who is gone.
//!
//! Where many wait for the same many, these stand behind the parties as one more *node*, with a need of its own: so a
//! thousand waits for a thousand holders are two thousand edges, not a million. Nodes refer to parties, and to nodes
//! before them. A node in a party's `by` stands for all in it but that party: what it is to itself stands there by itself.
use std::collections::{BTreeMap, HashSet};

/// The count of what never comes down to nothing.
const NEVER: usize = usize::MAX;

/// What would end one wait; by default, nobody is known to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Whoever has to act.
    pub by: Vec<usize>,
    /// Whoever could act besides, as far as is known: enough to end the wait, but no reason to say that it is theirs.
    pub may: Vec<usize>,
    /// All of them have to (a lock's holders), or one is enough (a channel's senders).
    pub all: bool,
    /// Somebody who is not known may act: for a wait that needs one, that is enough to end it.
    pub outside: bool,
    /// Somebody who has to act, or all who could, are gone for good.
    pub gone: bool,
}

impl Need {
    /// Whoever counts.
    fn anyone(&self) -> impl Iterator<Item = usize> {
        self.by.iter().chain(self.may.iter().filter(|_| !self.all)).copied()
    }

    /// How many of those that count have to be free before it is met.
    fn left(&self) -> usize {
        let nobody = self.by.is_empty() && self.may.is_empty();
        match self.all {
            true if self.gone || (self.by.is_empty() && !self.outside) => NEVER,
            true => self.by.len(),
            false if self.outside || (nobody && !self.gone) => 0,
            false => 1,
        }
    }

    /// The parties that have to act for this one, nodes taken apart, where there are so many parties.
    pub fn whom(&self, party: usize, waits: &[Vec<Need>], parties: usize) -> Vec<usize> {
        if self.by.iter().all(|by| *by < parties) {
            return self.by.clone();
        }
        let (mut whom, nodes): (Vec<usize>, Vec<usize>) = self.by.iter().partition(|by| **by < parties);
        let inside = behind(nodes, waits, parties).into_iter().flat_map(|node| &waits[node]);
        whom.extend(inside.flat_map(|need| &need.by).filter(|by| **by < parties && **by != party));
        whom.sort_unstable();
        whom.dedup();
        whom
    }
}

/// These nodes and all those in them, in their order.
fn behind(mut look: Vec<usize>, waits: &[Vec<Need>], parties: usize) -> Vec<usize> {
    let mut seen = HashSet::new();
    while let Some(node) = look.pop() {
        if node >= parties && seen.insert(node) {
            look.extend(waits[node].iter().flat_map(|need| &need.by));
        }
    }
    let mut nodes: Vec<usize> = seen.into_iter().collect();
    nodes.sort_unstable();
    nodes
}

/// The greatest set of stuck parties; `waits[p]` are the needs of the open waits of party `p`, of which one is enough.
pub fn stuck(waits: &[Vec<Need>]) -> Vec<bool> {
    let mut left: Vec<Vec<usize>> =
        waits.iter().map(|needs| needs.iter().map(Need::left).collect()).collect();
    let mut dependents = vec![vec![]; waits.len()];
    for (party, needs) in waits.iter().enumerate() {
        for (number, need) in needs.iter().enumerate() {
            need.anyone().for_each(|by| dependents[by].push((party, number)));
        }
    }
    let mut stuck: Vec<bool> = left.iter().map(|left| !left.is_empty() && !left.contains(&0)).collect();
    let mut look: Vec<usize> = (0..waits.len()).filter(|party| !stuck[*party]).collect();
    while let Some(free) = look.pop() {
        for (party, number) in std::mem::take(&mut dependents[free]) {
            let left = &mut left[party][number];
            *left = left.saturating_sub(1);
            if *left == 0 && std::mem::replace(&mut stuck[party], false) {
                look.push(party);
            }
        }
    }
    stuck
}

/// The part a stuck party plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// On a circle, or waiting for who is gone.
    Member,
    /// Waits behind the members; none of them waits for it.
    Bystander,
}

/// Stuck parties that hang together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its parties and their parts, in the order of their places.
    pub parties: Vec<(usize, Part)>,
    /// Whether there is a circle in it.
    pub circle: bool,
}

/// Some of the parties, and whom of them each waits for.
struct Web<'a> {
    /// The parties, in their order.
    parties: &'a [usize],
    /// The edges of each, by places in `parties`; behind these stand the nodes between them.
    edges: Vec<Vec<usize>>,
    /// Those that reach each other share a number.
    component: Vec<usize>,
    /// How many parties are in each component.
    size: Vec<usize>,
}

impl<'a> Web<'a> {
    /// Of these, in their order, where all parties are so many.
    fn of(parties: &'a [usize], waits: &[Vec<Need>], all: usize) -> Self {
        let by = |of: &usize| waits[*of].iter().flat_map(|need| need.by.iter().copied());
        let nodes = behind(parties.iter().flat_map(by).filter(|by| *by >= all).collect(), waits, all);
        let place = |of: usize| match of < all {
            true => parties.binary_search(&of).ok(),
            false => nodes.binary_search(&of).ok().map(|at| parties.len() + at),
        };
        // The first and the last party in each: to one party, a node with nobody else in it is nobody.
        let mut span: Vec<Option<(usize, usize)>> = (0..parties.len()).map(|at| Some((at, at))).collect();
        span.resize(parties.len() + nodes.len(), None);
        let mut edges = vec![vec![]; span.len()];
        for (at, of) in nodes.iter().enumerate().map(|(at, of)| (parties.len() + at, of)) {
            edges[at] = by(of).filter_map(place).filter(|to| span[*to].is_some()).collect();
            let inside = || edges[at].iter().filter_map(|to| span[*to]);
            let ends = inside().map(|(first, _)| first).min().zip(inside().map(|(_, last)| last).max());
            span[at] = ends;
        }
        for (at, of) in parties.iter().enumerate() {
            let counts = |to: &usize| *to < parties.len() || span[*to].is_some_and(|span| span != (at, at));
            edges[at] = by(of).filter_map(place).filter(counts).collect();
        }
        let component = components(&edges);
        let mut size = vec![0; edges.len()];
        component[..parties.len()].iter().for_each(|component| size[*component] += 1);
        Self { parties, edges, component, size }
    }

    /// Whether one can be reached from itself.
    fn is_circular(&self, at: usize) -> bool {
        self.size[self.component[at]] > 1 || self.edges[at].contains(&at)
    }
}

/// Whether some of these parties, in their order, wait for each other in a circle, where all parties are so many.
pub fn is_circle(parties: &[usize], waits: &[Vec<Need>], all: usize) -> bool {
    let web = Web::of(parties, waits, all);
    (0..parties.len()).any(|at| web.is_circular(at))
}

/// Takes the stuck set apart: each group has one core, and whoever waits behind several is told with the first. `stuck` is
/// of the parties alone.
pub fn groups(waits: &[Vec<Need>], stuck: &[bool]) -> Vec<Group> {
    let parties: Vec<usize> = (0..stuck.len()).filter(|party| stuck[*party]).collect();
    let web = Web::of(&parties, waits, stuck.len());
    // What has no way on is a root as well: it waits for who is gone.
    let is_core = |at: usize| {
        let gone = || waits[web.parties[at]].iter().any(|need| need.gone);
        web.is_circular(at) || web.edges[at].is_empty() || gone()
    };
    let mut union: Vec<usize> = (0..web.edges.len()).collect();
    fn root(union: &mut [usize], mut of: usize) -> usize {
        while union[of] != of {
            union[of] = union[union[of]];
            of = union[of];
        }
        of
    }
    for (at, edges) in web.edges.iter().enumerate() {
        for by in edges {
            let (one, other) = (root(&mut union, at), root(&mut union, *by));
            union[one.max(other)] = one.min(other);
        }
    }
    let mut found: BTreeMap<usize, Group> = BTreeMap::new();
    for (at, party) in parties.iter().enumerate() {
        let part = if is_core(at) { Part::Member } else { Part::Bystander };
        let group = found.entry(root(&mut union, at)).or_insert(Group { parties: vec![], circle: false });
        group.parties.push((*party, part));
        group.circle |= web.is_circular(at);
    }
    found.into_values().collect()
}

/// The strongly connected component of each node, by a number that its nodes share.
fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let count = edges.len();
    let (mut order, mut low, mut component) = (vec![NONE; count], vec![0; count], vec![NONE; count]);
    let (mut next, mut stack, mut path) = (0, vec![], vec![]);
    for start in 0..count {
        if order[start] != NONE {
            continue;
        }
        path.push((start, 0));
        while let Some((node, edge)) = path.pop() {
            if edge == 0 {
                order[node] = next;
                low[node] = next;
                next += 1;
                stack.push(node);
            }
            if let Some(to) = edges[node].get(edge) {
                path.push((node, edge + 1));
                if order[*to] == NONE {
                    path.push((*to, 0));
                } else if component[*to] == NONE {
                    low[node] = low[node].min(order[*to]);
                }
                continue;
            }
            if let Some((parent, _)) = path.last() {
                low[*parent] = low[*parent].min(low[node]);
            }
            if low[node] == order[node] {
                while let Some(top) = stack.pop() {
                    component[top] = node;
                    if top == node {
                        break;
                    }
                }
            }
        }
    }
    component
}

#[cfg(test)]
mod tests {
    use super::{Group, Need, Part, groups, stuck};
    use proptest::prelude::*;

    fn need(by: &[usize], all: bool) -> Need {
        Need { by: by.into(), may: vec![], all, outside: false, gone: false }
    }

    #[test]
    fn a_circle_its_queue_and_the_living() {
        let waits = [
            vec![need(&[1], true)],
            vec![need(&[0], true)],
            vec![need(&[0], true)],
            vec![],
            vec![need(&[3], true)],
        ];
        let set = stuck(&waits);
        assert_eq!(set, [true, true, true, false, false]);
        let parties = vec![(0, Part::Member), (1, Part::Member), (2, Part::Bystander)];
        assert_eq!(groups(&waits, &set), [Group { parties, circle: true }]);
    }

    #[test]
    fn one_sender_alive_is_enough_and_one_reader_stuck_is_too_much() {
        let channel = [vec![need(&[0, 1], false)], vec![]];
        assert_eq!(stuck(&channel), [false, false]);
        let lock = [vec![need(&[0, 1], true)], vec![]];
        assert_eq!(stuck(&lock), [true, false]);
    }

    #[test]
    fn a_select_is_stuck_only_in_all_its_arms() {
        let waits = [vec![need(&[0], true), need(&[1], false)], vec![]];
        assert_eq!(stuck(&waits), [false, false]);
    }

    /// All sets of waiting parties that hold together, by the definition; the greatest is their union.
    fn by_force(waits: &[Vec<Need>]) -> Vec<bool> {
        let mut union = vec![false; waits.len()];
        for bits in 0..1u32 << waits.len() {
            let set: Vec<bool> = (0..waits.len()).map(|party| bits >> party & 1 == 1).collect();
            let holds = (0..waits.len()).filter(|party| set[*party]).all(|party| {
                !waits[party].is_empty()
                    && waits[party].iter().all(|need| {
                        let (mut inside, mut outside) = (0, usize::from(need.outside));
                        for by in need.by.iter().chain(need.may.iter().filter(|_| !need.all)) {
                            if set[*by] { inside += 1 } else { outside += 1 }
                        }
                        if need.all {
                            need.gone || inside > 0 || (need.by.is_empty() && !need.outside)
                        } else {
                            outside == 0 && (inside > 0 || need.gone)
                        }
                    })
            });
            if holds {
                (0..waits.len()).for_each(|party| union[party] |= set[party]);
            }
        }
        union
    }

    fn needs(parties: usize) -> impl Strategy<Value = Need> {
        let some = || proptest::collection::vec(0..parties, 0..3);
        let rarely = || proptest::bool::weighted(0.1);
        (some(), some(), any::<bool>(), rarely(), rarely()).prop_map(|(by, may, all, outside, gone)| Need {
            by,
            may,
            all,
            outside,
            gone,
        })
    }

    fn situation() -> impl Strategy<Value = Vec<Vec<Need>>> {
        (1usize..8).prop_flat_map(|parties| {
            proptest::collection::vec(proptest::collection::vec(needs(parties), 0..3), parties)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn the_fixpoint_is_the_greatest(waits in situation()) {
            prop_assert_eq!(stuck(&waits), by_force(&waits));
        }

        #[test]
        fn every_group_has_a_member(waits in situation()) {
            let set = stuck(&waits);
            let groups = groups(&waits, &set);
            let told: usize = groups.iter().map(|group| group.parties.len()).sum();
            prop_assert_eq!(told, set.iter().filter(|stuck| **stuck).count());
            for group in groups {
                prop_assert!(group.parties.iter().any(|(_, part)| *part == Part::Member));
            }
        }
    }
}
