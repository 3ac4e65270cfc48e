//! The wait-for graph: who can never be woken again, and who of them is part of a circle.
//!
//! A party is *stuck* if it waits and each of its waits can be ended by stuck parties only: the greatest set for which
//! that holds, since nobody outside it can end a wait inside, and nobody inside it will act. It is found by starting
//! from all who wait and taking out, one after the other, whoever can still be served. *Members* are the parties on a
//! circle of the stuck set (Tarjan's strongly connected components), and those that wait for somebody who is gone.

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
    fn anyone(&self) -> impl Iterator<Item = usize> {
        self.by.iter().chain(&self.may).copied()
    }

    /// Whether it can still be met, by parties that are not stuck.
    fn is_met(&self, stuck: &[bool]) -> bool {
        if self.all {
            !self.gone && !self.by.iter().any(|party| stuck[*party]) && (self.outside || !self.by.is_empty())
        } else {
            let nobody = self.by.is_empty() && self.may.is_empty();
            self.outside || self.anyone().any(|party| !stuck[party]) || (nobody && !self.gone)
        }
    }
}

/// The greatest set of stuck parties; `waits[p]` are the needs of the open waits of party `p`, of which one is enough.
pub fn stuck(waits: &[Vec<Need>]) -> Vec<bool> {
    let mut dependents = vec![vec![]; waits.len()];
    for (party, needs) in waits.iter().enumerate() {
        needs.iter().flat_map(Need::anyone).for_each(|by| dependents[by].push(party));
    }
    let mut stuck: Vec<bool> = waits.iter().map(|needs| !needs.is_empty()).collect();
    let mut look: Vec<usize> = (0..waits.len()).collect();
    while let Some(party) = look.pop() {
        if waits[party].is_empty() || (stuck[party] && waits[party].iter().any(|need| need.is_met(&stuck))) {
            let was = std::mem::replace(&mut stuck[party], false);
            if was || waits[party].is_empty() {
                look.extend(std::mem::take(&mut dependents[party]));
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

/// Takes the stuck set apart: each group has one core, and whoever waits behind several is told with the first.
pub fn groups(waits: &[Vec<Need>], stuck: &[bool]) -> Vec<Group> {
    let edges: Vec<Vec<usize>> = waits
        .iter()
        .enumerate()
        .map(|(party, needs)| {
            let by = needs.iter().filter(|_| stuck[party]).flat_map(|need| &need.by);
            by.copied().filter(|by| stuck[*by]).collect()
        })
        .collect();
    let component = components(&edges);
    let mut size = vec![0usize; waits.len()];
    (0..waits.len()).filter(|party| stuck[*party]).for_each(|party| size[component[party]] += 1);
    let circular = |party: usize| size[component[party]] > 1 || edges[party].contains(&party);
    // What has no way on is a root as well: it waits for who is gone.
    let is_core = |party: usize| {
        stuck[party]
            && (circular(party) || edges[party].is_empty() || waits[party].iter().any(|need| need.gone))
    };
    let mut union: Vec<usize> = (0..waits.len()).collect();
    fn root(union: &mut [usize], mut of: usize) -> usize {
        while union[of] != of {
            union[of] = union[union[of]];
            of = union[of];
        }
        of
    }
    for (party, needs) in edges.iter().enumerate() {
        for by in needs {
            let (one, other) = (root(&mut union, party), root(&mut union, *by));
            union[one.max(other)] = one.min(other);
        }
    }
    let mut found: std::collections::BTreeMap<usize, Group> = std::collections::BTreeMap::new();
    for party in (0..waits.len()).filter(|party| stuck[*party]) {
        let part = if is_core(party) { Part::Member } else { Part::Bystander };
        let group = found.entry(root(&mut union, party)).or_insert(Group { parties: vec![], circle: false });
        group.parties.push((party, part));
        group.circle |= circular(party);
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
