//! Channels: whoever owns the other end may act. Who used an end last owns it; one that was never used may be with anybody.
use super::{Builder, LONGER, Level};
use crate::findings::kin::delivered;
use crate::graph::Need;
use crate::model::{Held, OpenWait};
use lockprof_trace::{Operation, Party, Role};

impl Builder<'_> {
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
    pub(super) fn ends(&self, wait: &OpenWait, ends: &[&Held]) -> Need {
        let outside = ends.is_empty() || self.is_dropped_lately(wait, ends[0].role);
        let mut need = Need { outside, ..Need::default() };
        let mut handles = self.context.frozen.handles_of(self.context.model, wait.object);
        if handles.any(|end| end.global) && ends.iter().all(|end| !end.is_placed()) {
            // Where one end lies in a static, the other does: it is everybody's.
            need.may.extend(self.kin.everybody());
            return need;
        }
        for end in ends {
            let spawner = self.spawner(end);
            let owner = self.place(end.party);
            // What was seen in a future may be its spawner's.
            let maker = spawner.map_or(owner, |spawner| self.place(spawner));
            need.outside |= maker.is_none();
            if end.count > 0 || end.moved && self.level == Level::Suspicion {
                need.by.extend(owner);
                need.may.extend(self.taken_along(end));
            } else {
                // Who waits on a channel has the one end of it, and what is seen of the other is most likely a copy.
                let captured = end.captured && end.party != wait.party;
                let known = owner.filter(|_| end.moved || captured);
                let likely = || self.likely(wait, spawner.unwrap_or(end.party), end.since);
                let by = known.map_or_else(likely, |owner| vec![owner]);
                need.outside |= known.is_none() && self.is_hidden(wait, end.since, &by);
                if by == self.place(wait.party).as_slice() {
                    need.may.extend(self.finders(end));
                }
                need.by.extend(by);
                need.may.extend(owner.into_iter().chain(maker));
                need.may.extend(self.kin.takers());
                // What it took along may be anywhere by now.
                let spread = |party: Party| self.kin.has_ended_child(party, end.since);
                let spread = spread(end.party) || spawner.is_some_and(spread);
                need.outside |= self.level == Level::Proof && spread;
            }
        }
        for list in [&mut need.by, &mut need.may] {
            list.sort_unstable();
            list.dedup();
        }
        need
    }

    /// Whether an end that was never used, and was not seen to go anywhere, may be with a thread or task that is not recorded, as one of
    /// a pool that computes. Anything may be, for a proof. For a suspicion one is that nothing has come through of yet, and that
    /// else only those could have who wait for what it brings, or for the end of whom that is: they have no use for it.
    fn is_hidden(&self, wait: &OpenWait, since: u64, likely: &[usize]) -> bool {
        let (model, frozen) = (self.context.model, &self.context.frozen);
        let useless = |place: &usize| {
            frozen.parties[*place] == wait.party
                || frozen.waits_of(model, *place).any(|other| other.holder == wait.party)
        };
        match self.level {
            // Who has not run since it was made has not got it.
            Level::Proof => model.unseen.is_none_or(|(others, ran)| others > 0 && ran >= since),
            Level::Suspicion => {
                model.unseen.is_some_and(|(others, ran)| others > 0 && ran >= since)
                    && delivered(model, wait.object) == 0
                    && likely.iter().all(useless)
            }
        }
    }

    /// Who may as well have an end that was seen in a future: who spawned that.
    fn spawner(&self, end: &Held) -> Option<Party> {
        let facts = self.context.model.parties.get(end.party).filter(|_| end.captured);
        facts.map(|facts| facts.parent)
    }

    /// Whether all are known who may have these ends, living or ended.
    fn are_known(&self, ends: &[&Held]) -> bool {
        let known = |party: Party| self.context.has_ended(party) || self.place(party).is_some();
        ends.iter().all(|end| known(end.party) && self.spawner(end).is_none_or(known))
    }

    /// Who most likely owns an end that was never used: whoever made it; or, where that one is gone, waits on it itself, or
    /// waits for whom it has spawned, those that it has spawned since, or to whom it has sent messages, as one does with a
    /// request that bears the sender for its answer.
    fn likely(&self, wait: &OpenWait, made_by: Party, since: u64) -> Vec<usize> {
        let (model, frozen) = (self.context.model, &self.context.frozen);
        let maker = self.place(made_by);
        let joins = maker
            .is_some_and(|place| frozen.waits_of(model, place).any(|wait| wait.operation == Operation::Join));
        if maker.is_some() && made_by != wait.party && !joins {
            return maker.into_iter().collect();
        }
        let spawned = self.kin.children(made_by, since);
        // Who waits for the same has an end like this one's.
        let likewise =
            |place: &usize| frozen.waits_of(model, *place).any(|other| other.object == wait.object);
        let spawned: Vec<usize> = spawned.filter(|place| !likewise(place)).collect();
        if maker.is_some() && made_by != wait.party && spawned.is_empty() {
            return maker.into_iter().collect();
        }
        if !spawned.is_empty() || self.kin.has_ended_child(made_by, since) {
            return spawned;
        }
        let told: Vec<usize> = self.told(made_by, wait.object).collect();
        if told.is_empty() { maker.into_iter().collect() } else { told }
    }

    pub(super) fn send(&self, wait: &OpenWait, receivers: &[&Held]) -> Need {
        let mut need = self.ends(wait, receivers);
        let settled = !receivers.is_empty() && !self.is_dropped_lately(wait, Role::Receiver);
        if self.level == Level::Suspicion && settled {
            let model = self.context.model;
            let longest = self.history.get(&(wait.site, wait.operation)).map_or(0, |history| history.0);
            let alone = self.are_known(receivers);
            let still = !self.is_served(wait) && wait.ticks(model.end()) >= longest.saturating_mul(LONGER);
            if alone && still {
                need.gone = true;
                need.outside = false;
                // Living owners are told as such; they are not counted on.
                need.may.clear();
                need.by.retain(|owner| !self.context.frozen.waits[*owner].is_empty());
                need.all = true;
            }
        }
        need
    }

    pub(super) fn receive(&self, wait: &OpenWait, senders: &[&Held]) -> Need {
        let mut need = self.ends(wait, senders);
        let ended = self.are_known(senders);
        let some_ended = senders.iter().any(|end| {
            let gone =
                |party: Party| self.context.has_ended(party) || self.kin.has_ended_child(party, end.since);
            gone(end.party) || self.spawner(end).is_some_and(gone)
        });
        let never =
            senders.iter().all(|end| end.count == 0) && delivered(self.context.model, wait.object) == 0;
        let settled = !self.is_dropped_lately(wait, Role::Sender);
        if self.level == Level::Suspicion && settled && ended && some_ended && never {
            // Those who live and own an end still count, or may have been given it.
            need.outside = false;
            let placeless = senders.iter().filter(|end| !end.moved).map(|end| end.since).min();
            let may = placeless.map(|since| [self.kin.spawned_since(since), self.kin.listeners()]);
            need.may = may.into_iter().flatten().collect();
            need.gone = true;
        }
        need
    }
}
