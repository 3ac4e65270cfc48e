//! Channels: whoever owns the other end may act. Who used an end last owns it; one that was never used may be with anybody.
use super::shared::{Memo, once};
use super::{Builder, LONGER, Level};
use crate::findings::kin::delivered;
use crate::graph::Need;
use crate::model::{Held, OpenWait};
use lockprof_trace::{Operation, Party, Role};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

/// Who most likely owns an end.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Owners {
    These(Vec<usize>),
    /// The children of a party from this place on, but for those that wait for the same.
    Spawned(Party, usize),
}

/// What is known of an end.
struct End {
    owners: Owners,
    /// Who else may have it.
    may: Vec<usize>,
    /// Whether somebody may who is not known.
    outside: bool,
}

/// What was found out about channels.
#[derive(Default)]
pub(super) struct Known<'a> {
    /// The ends of one side of a channel.
    sides: Memo<(u64, Role), Side<'a>>,
    /// Who waits for an object: by who has spawned them, as places among its children.
    likewise: Memo<u64, HashMap<Party, Vec<usize>>>,
}

/// The ends of one side of a channel, and what they are to all who wait for it but those to whom some are something else.
#[derive(Default)]
pub(super) struct Side<'a> {
    /// Whether there are none.
    pub(super) is_empty: bool,
    /// Who most likely owns any, and who else may: nodes, where there are such.
    by: Option<usize>,
    may: Option<usize>,
    /// Those that have spawned many who may own one, and which of these is the first.
    spawners: BTreeMap<Party, usize>,
    /// Those of `by` that wait for something, as one node.
    waiting: OnceCell<Option<usize>>,
    /// Whether somebody may own one who is not known.
    outside: bool,
    /// How many ends each of `by` most likely owns.
    owned: HashMap<usize, usize>,
    /// The ends that are something else to a party.
    apart: HashMap<Party, Vec<&'a Held>>,
    /// Whether all are known who may have these ends, living or ended.
    known: bool,
    /// Whether they are, some have ended, and nothing has ever come through.
    forsaken: bool,
    /// When the first was made of those that were not seen to go anywhere.
    placeless: Option<u64>,
}

impl<'a> Builder<'a> {
    /// Whether somebody has just dropped such an end of the channel, as `main` does when the program ends: until then that
    /// one could have served the wait, and what cannot go on since has had no time to matter. A proof asks for no less time
    /// than a suspicion here: where cores are short, who ends the program may stand still between the drop and the end.
    fn is_dropped_lately(&self, wait: &OpenWait, role: Role) -> bool {
        let model = self.context.model;
        let frozen = wait.until.unwrap_or(model.end());
        let dropped = model.dropped.get(&(wait.object, role)).filter(|at| **at >= wait.since);
        dropped.is_some_and(|at| frozen.saturating_sub(*at) < model.ticks(self.context.options.min_blocked))
    }

    /// Ends of a channel: any of their owners may act. Who used an end last owns it; one that was never used may be
    /// with anybody: captured at a spawn, sent in a message, or put where others find it.
    pub(super) fn ends(&self, wait: &OpenWait, role: Role) -> Need {
        let side = self.side(wait.object, role);
        let outside = side.outside || self.is_dropped_lately(wait, role);
        let mut need = Need { may: side.may.into_iter().collect(), outside, ..Need::default() };
        let own = self.place(wait.party);
        let mut owned = own.and_then(|own| side.owned.get(&own)).copied().unwrap_or(0);
        for end in side.apart.get(&wait.party).into_iter().flatten() {
            let [to_others, to_it] = [None, Some(wait.party)].map(|to| self.end(end, to));
            // Who waits is none of those spawned: they do not wait for the same.
            let counted =
                matches!(to_others.owners, Owners::These(list) if own.is_some_and(|own| list.contains(&own)));
            owned -= usize::from(counted);
            match to_it.owners {
                Owners::These(list) => need.by.extend(list),
                // Of those who receive it matters which of them wait.
                Owners::Spawned(..) if role == Role::Receiver => {
                    need.by.extend(self.each(wait.object, &to_it.owners));
                }
                Owners::Spawned(party, from) => need.by.extend(self.blocks(wait.object, party, from)),
            }
            need.may.extend(to_it.may);
            need.outside |= to_it.outside;
        }
        need.by.extend(own.filter(|_| owned > 0));
        for list in [&mut need.by, &mut need.may] {
            list.sort_unstable();
            list.dedup();
        }
        need.by.extend(side.by);
        need
    }

    /// One side of a channel.
    pub(super) fn side(&self, object: u64, role: Role) -> Rc<Side<'a>> {
        once(&self.ends.sides, (object, role), || {
            let (model, frozen) = (self.context.model, &self.context.frozen);
            let ends: Vec<&Held> = frozen.handles_of(model, object).filter(|end| end.role == role).collect();
            let unused = ends.iter().all(|end| end.count == 0) && delivered(model, object) == 0;
            let known = ends.iter().all(|end| self.is_known(end));
            let mut side = Side {
                is_empty: ends.is_empty(),
                outside: ends.is_empty(),
                known,
                forsaken: known && unused && ends.iter().any(|end| self.has_ended(end)),
                placeless: ends.iter().filter(|end| !end.moved).map(|end| end.since).min(),
                ..Side::default()
            };
            let global = frozen.handles_of(model, object).any(|end| end.global);
            if global && ends.iter().all(|end| !end.is_placed()) {
                // Where one end lies in a static, the other does: it is everybody's.
                side.may = self.nodes.any(self.kin.everybody().collect());
            } else {
                self.share(&mut side, &ends);
            }
            side
        })
    }

    /// Tells whose these ends are.
    fn share(&self, side: &mut Side<'a>, ends: &[&'a Held]) {
        let (mut may, mut alike) = (BTreeSet::new(), HashSet::new());
        for end in ends {
            let found = self.end(end, None);
            for party in self.concerned(end, &found.owners, &mut alike) {
                side.apart.entry(party).or_default().push(end);
            }
            match found.owners {
                Owners::These(list) => {
                    list.into_iter().for_each(|owner| *side.owned.entry(owner).or_default() += 1);
                }
                Owners::Spawned(party, from) => {
                    let first = side.spawners.entry(party).or_insert(from);
                    *first = from.min(*first);
                }
            }
            may.extend(found.may);
            side.outside |= found.outside;
        }
        let Some(object) = ends.first().map(|end| end.object) else { return };
        let spawned = side.spawners.iter().flat_map(|(party, from)| self.blocks(object, *party, *from));
        let by: BTreeSet<usize> = side.owned.keys().copied().chain(spawned).collect();
        side.by = self.nodes.any(by.into_iter().collect());
        side.may = self.nodes.any(may.into_iter().collect());
    }

    /// Those who wait for something, of who most likely owns such an end.
    fn waiting(&self, side: &Side<'_>, object: u64) -> Option<usize> {
        *side.waiting.get_or_init(|| {
            let spawned = side.spawners.iter().map(|(party, from)| Owners::Spawned(*party, *from));
            let spawned = spawned.flat_map(|owners| self.each(object, &owners).collect::<Vec<_>>());
            let all: BTreeSet<usize> = side.owned.keys().copied().chain(spawned).collect();
            let waits = &self.context.frozen.waits;
            self.nodes.any(all.into_iter().filter(|owner| !waits[*owner].is_empty()).collect())
        })
    }

    /// Who most likely owns an end, one by one.
    fn each(&self, object: u64, owners: &Owners) -> impl Iterator<Item = usize> {
        let (these, spawned) = match owners {
            Owners::These(list) => (list.clone(), None),
            Owners::Spawned(party, from) => (vec![], Some((*party, *from))),
        };
        let spawned = spawned.into_iter().flat_map(move |(party, from)| {
            let ranges = self.ranges(object, party, from).into_iter();
            ranges.flat_map(move |range| self.kin.children(party, range))
        });
        these.into_iter().chain(spawned)
    }

    /// The nodes for a party's children from this place on, but for those that wait for the same.
    fn blocks(&self, object: u64, party: Party, from: usize) -> Vec<usize> {
        let ranges = self.ranges(object, party, from).into_iter();
        ranges.flat_map(|range| self.kin.blocks(party, range)).collect()
    }

    /// These children, as ranges.
    fn ranges(&self, object: u64, party: Party, mut from: usize) -> Vec<Range<usize>> {
        let mut ranges = vec![];
        let end = self.kin.since(party, 0).end;
        for but in self.likewise(object, party, from).into_iter().chain([end]) {
            ranges.push(from..but);
            from = but + 1;
        }
        ranges
    }

    /// Which children of a party wait for an object, from this place on: they have an end like that of who waits for it.
    fn likewise(&self, object: u64, party: Party, from: usize) -> Vec<usize> {
        let waiting = once(&self.ends.likewise, object, || {
            let (model, frozen) = (self.context.model, &self.context.frozen);
            let queue = frozen.queues.get(&object).into_iter().flatten();
            let child = |number: &usize| {
                let waiting = model.open[*number].party;
                let facts = model.parties.get(waiting)?;
                let child = self.kin.child(facts.parent, (facts.at, self.place(waiting)?))?;
                Some((facts.parent, child))
            };
            let mut waiting: HashMap<Party, Vec<usize>> = HashMap::new();
            for (parent, child) in queue.filter_map(child).collect::<BTreeSet<_>>() {
                waiting.entry(parent).or_default().push(child);
            }
            waiting
        });
        let children = waiting.get(&party).map_or(&[][..], |children| children);
        children[children.partition_point(|child| *child < from)..].to_vec()
    }

    /// What one end is to a party that waits, or to all to which no end is anything else.
    fn end(&self, end: &Held, to: Option<Party>) -> End {
        let spawner = self.spawner(end);
        let owner = self.place(end.party);
        // What was seen in a future may be its spawner's.
        let maker = spawner.map_or(owner, |spawner| self.place(spawner));
        let mut outside = maker.is_none();
        if self.is_owned(end) {
            let owners = Owners::These(owner.into_iter().collect());
            let mut may = self.taken_along(end);
            if self.level == Level::Proof {
                // Since it was used it may have gone along with a message, or to somebody who is not seen.
                may.extend(self.told(end.party, end.object).node);
                outside |= self.may_be_unseen(end.since);
            }
            return End { owners, may, outside };
        }
        // Who waits on a channel has the one end of it, and what is seen of the other is most likely a copy.
        let captured = end.captured && to != Some(end.party);
        let known = owner.filter(|_| end.moved || captured);
        let likely = || self.likely(end.object, to, spawner.unwrap_or(end.party), end.since);
        let owners = known.map_or_else(likely, |owner| Owners::These(vec![owner]));
        outside |= known.is_none() && self.is_hidden(end, to, &owners);
        let mut may: Vec<usize> = owner.into_iter().chain(maker).chain(self.kin.takers()).collect();
        if to.is_some_and(|to| owners == Owners::These(self.place(to).into_iter().collect())) {
            may.extend(self.finders(end));
        }
        // What it took along may be anywhere by now.
        let spread = |party: Party| self.kin.has_ended_child(party, end.since);
        let spread = spread(end.party) || spawner.is_some_and(spread);
        outside |= self.level == Level::Proof && spread;
        End { owners, may, outside }
    }

    /// Whether it is taken to be with the party that it was last seen with.
    fn is_owned(&self, end: &Held) -> bool {
        end.count > 0 || end.moved && self.level == Level::Suspicion
    }

    /// To whom an end may be something else than to all others: who has made it, or else is the only one to have it, and those
    /// to whom it may be hidden. `alike`: ends of which that is known by another.
    fn concerned(
        &self,
        end: &Held,
        owners: &Owners,
        alike: &mut HashSet<(Party, bool, Owners)>,
    ) -> BTreeSet<Party> {
        let (model, frozen) = (self.context.model, &self.context.frozen);
        let mut concerned = BTreeSet::new();
        if self.is_owned(end) {
            return concerned;
        }
        concerned.extend(self.spawner(end).into_iter().chain([end.party]));
        if let Owners::These(list) = owners
            && let [only] = list[..]
        {
            concerned.insert(frozen.parties[only]);
        }
        let may_hide = self.level == Level::Suspicion && self.may_be_unseen(end.since);
        if may_hide
            && alike.insert((end.party, end.captured, owners.clone()))
            && let Some(first) = self.each(end.object, owners).next()
        {
            // It is of no use to itself, and to those for whose end it waits.
            concerned.insert(frozen.parties[first]);
            concerned.extend(frozen.waits_of(model, first).map(|wait| wait.holder));
        }
        concerned.remove(&Party::UNKNOWN);
        concerned
    }

    /// Whether an end that was never used, and was not seen to go anywhere, may be with a thread or task that is not recorded, as one of
    /// a pool that computes. Anything may be, for a proof. For a suspicion one is that nothing has come through of yet, and that
    /// else only those could have who wait for what it brings, or for the end of whom that is: they have no use for it.
    fn is_hidden(&self, end: &Held, from: Option<Party>, likely: &Owners) -> bool {
        let (model, frozen) = (self.context.model, &self.context.frozen);
        let Some(from) = from.filter(|_| self.level == Level::Suspicion) else {
            return self.level == Level::Proof && self.may_be_unseen(end.since);
        };
        let useless = |place: &usize| {
            frozen.parties[*place] == from || frozen.waits_of(model, *place).any(|other| other.holder == from)
        };
        self.may_be_unseen(end.since)
            && delivered(model, end.object) == 0
            && self.each(end.object, likely).all(|place| useless(&place))
    }

    /// Whether a thread or task that is not recorded has run since.
    fn may_be_unseen(&self, since: u64) -> bool {
        let unseen = self.context.model.unseen;
        // Who has not run since it was made has not got it. A proof takes it that there are such where nothing is known.
        unseen.map_or(self.level == Level::Proof, |(others, ran)| others > 0 && ran >= since)
    }

    /// Who may as well have an end that was seen in a future: who spawned that.
    fn spawner(&self, end: &Held) -> Option<Party> {
        let facts = self.context.model.parties.get(end.party).filter(|_| end.captured);
        facts.map(|facts| facts.parent)
    }

    /// Whether all are known who may have an end, living or ended.
    fn is_known(&self, end: &Held) -> bool {
        let known = |party: Party| self.context.has_ended(party) || self.place(party).is_some();
        known(end.party) && self.spawner(end).is_none_or(known)
    }

    /// Whether somebody has ended who may have had an end.
    fn has_ended(&self, end: &Held) -> bool {
        let ended =
            |party: Party| self.context.has_ended(party) || self.kin.has_ended_child(party, end.since);
        ended(end.party) || self.spawner(end).is_some_and(ended)
    }

    /// Who most likely owns an end that was never used: whoever made it; or, where that one is gone, waits on it itself, or
    /// waits for whom it has spawned, those that it has spawned since, or to whom it has sent messages, as one does with a
    /// request that bears the sender for its answer.
    fn likely(&self, object: u64, to: Option<Party>, made_by: Party, since: u64) -> Owners {
        let (model, frozen) = (self.context.model, &self.context.frozen);
        let maker = self.place(made_by);
        let joins = maker
            .is_some_and(|place| frozen.waits_of(model, place).any(|wait| wait.operation == Operation::Join));
        let itself = || Owners::These(maker.into_iter().collect());
        if maker.is_some() && to != Some(made_by) && !joins {
            return itself();
        }
        let spawned = self.kin.since(made_by, since);
        // Who waits for the same has an end like this one's.
        let count = spawned.len() - self.likewise(object, made_by, spawned.start).len();
        if maker.is_some() && to != Some(made_by) && count == 0 {
            return itself();
        }
        if count > 0 {
            return Owners::Spawned(made_by, spawned.start);
        }
        if self.kin.has_ended_child(made_by, since) {
            return Owners::These(vec![]);
        }
        let told = self.told(made_by, object);
        if told.places.is_empty() { itself() } else { Owners::These(told.places.clone()) }
    }

    pub(super) fn send(&self, wait: &OpenWait) -> Need {
        let (mut need, receivers) = (self.ends(wait, Role::Receiver), self.side(wait.object, Role::Receiver));
        let settled = !receivers.is_empty && !self.is_dropped_lately(wait, Role::Receiver);
        if self.level == Level::Suspicion && settled {
            let model = self.context.model;
            let longest = self.history.get(&(wait.site, wait.operation)).map_or(0, |history| history.0);
            let still = !self.is_served(wait) && wait.ticks(model.end()) >= longest.saturating_mul(LONGER);
            if receivers.known && still && !self.is_received(wait.object) {
                need.gone = true;
                need.outside = false;
                // Living owners are told as such; they are not counted on.
                need.may.clear();
                let waits = &self.context.frozen.waits;
                need.by.retain(|owner| waits.get(*owner).is_some_and(|waits| !waits.is_empty()));
                need.by.extend(self.waiting(&receivers, wait.object));
                need.all = true;
            }
        }
        need
    }

    /// Whether somebody waits for a message of a channel: then there is none, and who waits for room there waits for what others
    /// have reserved.
    fn is_received(&self, object: u64) -> bool {
        let (model, frozen) = (self.context.model, &self.context.frozen);
        let mut queue = frozen.queues.get(&object).into_iter().flatten();
        queue.any(|number| model.open[*number].operation == Operation::Recv)
    }

    pub(super) fn receive(&self, wait: &OpenWait) -> Need {
        let (mut need, senders) = (self.ends(wait, Role::Sender), self.side(wait.object, Role::Sender));
        let settled = !self.is_dropped_lately(wait, Role::Sender);
        if self.level == Level::Suspicion && settled && senders.forsaken {
            // Those who live and own an end still count, or may have been given it.
            need.outside = false;
            let may = senders.placeless.map(|since| [self.kin.spawned_since(since), self.kin.listeners()]);
            need.may = may.into_iter().flatten().collect();
            need.gone = true;
        }
        need
    }
}
