//! The end of reading: what was summed by object goes to the object's class.
use super::{HoldSum, Model, Owner, Span, WaitKey, WaitSum};
use crate::stats::{Distribution, Holds};
use foldhash::HashMap;

impl Model {
    /// Everything is told: sums of objects whose class has become known go to the class, and waits that never ended
    /// are summed as well, up to when they were abandoned, or to the end.
    pub fn resolved(mut self) -> Self {
        let end = self.end();
        let mut open = std::mem::take(&mut self.open);
        for wait in &mut open {
            wait.object = self.own(wait.object);
            let owner = if wait.object == 0 { self.joined(wait.holder) } else { self.owner(wait.object) };
            let ticks = wait.until.unwrap_or(end).saturating_sub(wait.since);
            let key = WaitKey {
                owner,
                operation: wait.operation,
                site: wait.site,
                stack: wait.stack,
                holder_site: if wait.operation.is_signal() { 0 } else { wait.holder_site },
                by: self.spawned_as(wait.party),
            };
            self.add_wait(key, (wait.party, wait.within), ticks, None);
        }
        self.open = open;
        let mut handles = std::mem::take(&mut self.handles);
        handles.iter_mut().for_each(|handle| handle.object = self.own(handle.object));
        self.handles = handles;
        if let Some(mut lanes) = self.lanes.take() {
            Span::open(&self).for_each(|span| {
                lanes.add(&Span { within: self.parties.span_of(span.party, span.within), ..span });
            });
            self.lanes = Some(lanes);
        }
        let abandoned_at = self.abandoned_at;
        let mut outlived = std::mem::take(&mut self.outlived).at(abandoned_at);
        outlived.iter_mut().for_each(|wait| wait.object = self.own(wait.object));
        self.open.append(&mut outlived);
        for (object, at, birth) in std::mem::take(&mut self.early) {
            self.watcher_line(object, at, birth);
        }
        self.early.clear();
        self.watchers.retain(|_, watcher| watcher.2 != u64::MAX);
        let (waited, held) = (std::mem::take(&mut self.waits), std::mem::take(&mut self.holds));
        let (site_sums, hold_sums) =
            (std::mem::take(&mut self.site_lengths), std::mem::take(&mut self.hold_lengths));
        let (given, changes) = (std::mem::take(&mut self.delivered), std::mem::take(&mut self.changes));
        let (tracing, cpu) = (std::mem::take(&mut self.tracing), std::mem::take(&mut self.cpu));
        let owner = |of: Owner| match of {
            Owner::Object(object) => self.owner(object),
            known => known,
        };
        let mut waits = HashMap::default();
        for (key, sum) in waited {
            let into: &mut WaitSum = waits.entry(WaitKey { owner: owner(key.owner), ..key }).or_default();
            into.count += sum.count;
            into.ticks = into.ticks.saturating_add(sum.ticks);
            into.max = into.max.max(sum.max);
            into.max_done = into.max_done.max(sum.max_done);
            into.max_ended = into.max_ended.max(sum.max_ended);
            into.given_up += sum.given_up;
            into.by_task = into.by_task.max(sum.by_task);
        }
        let mut wait_lengths: HashMap<Owner, Distribution> = HashMap::default();
        let mut site_lengths: HashMap<(Owner, u64), Distribution> = HashMap::default();
        for ((key, site), lengths) in site_sums {
            wait_lengths.entry(owner(key)).or_default().merge(&lengths);
            site_lengths.entry((owner(key), site)).or_default().merge(&lengths);
        }
        let mut holds: HashMap<(Owner, u64), HoldSum> = HashMap::default();
        for ((key, site), sum) in held {
            let into = holds.entry((owner(key), site)).or_default();
            into.timed = (into.timed.0 + sum.timed.0, into.timed.1.saturating_add(sum.timed.1));
            into.coarse = (into.coarse.0 + sum.coarse.0, into.coarse.1.saturating_add(sum.coarse.1));
            into.max = into.max.max(sum.max);
            into.long += sum.long;
            into.max_by_task = into.max_by_task.max(sum.max_by_task);
            into.max_timed = into.max_timed.max(sum.max_timed);
        }
        let mut hold_lengths: HashMap<Owner, Holds> = HashMap::default();
        for (key, lengths) in hold_sums {
            hold_lengths.entry(owner(key)).or_default().merge(&lengths);
        }
        let changes = changes.by(owner);
        let (tracing, cpu) = (tracing.by(owner), cpu.by(owner));
        let mut delivered: HashMap<Owner, u64> = HashMap::default();
        for (key, count) in given {
            crate::stats::add(delivered.entry(owner(key)).or_default(), count);
        }
        Self {
            waits,
            wait_lengths,
            site_lengths,
            holds,
            hold_lengths,
            delivered,
            changes,
            tracing,
            cpu,
            ..self
        }
    }
}
