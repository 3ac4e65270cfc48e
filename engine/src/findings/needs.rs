//! What would end each open wait: the edges of the wait-for graph, with what is not known said on each.
//!
//! Two levels. For a *proof*, whatever the trace cannot show counts as somebody who can act: an unknown owner, an end
//! whose last user is gone, a wait that was given up before (so it has a timeout, or a `select!` around it), a waker
//! that lies elsewhere. For a *suspicion* a wait must be open for `min_blocked`, and then an end whose last user is
//! gone, a free lock, and a full channel that nobody empties count as gone.
use super::context::{Context, SETTLED};
use super::kin::{Kin, delivered, told};
use crate::graph::Need;
use crate::model::{Held, OpenTask, OpenWait, Owner};
use lockprof_trace::{Kind, Loss, Operation, Party, Role, TaskState};
use std::collections::HashMap;
use std::time::Duration;

/// A blocked send is without progress only if it lasts this many times the longest that was served at its line.
const LONGER: u64 = 2;
/// A guard was forgotten only if it is held this many times as long as any before, of which so many are known.
const MUCH_LONGER: u64 = 50;
const LEAST_HOLDS: u64 = 2;

/// The wakers of a task that has cloned none of them, and whose wakers are counted.
const NONE_CLONED: u64 = 1;

/// How much has to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Proof,
    Suspicion,
}

type History = HashMap<(u64, Operation), (u64, u64, u64)>;

/// The needs of the open waits of every party of the frozen state; none for who does not wait, or may be woken. Behind
/// the parties stand the nodes of `Kin`.
pub(super) fn needs(context: &Context<'_>, level: Level) -> Vec<Vec<Need>> {
    let (history, pressing, kin) = (context.history(), pressing(context), Kin::of(context));
    let builder = Builder { context, level, history, pressing, kin };
    let parties = 0..context.frozen.parties.len();
    let mut needs = parties.map(|place| builder.party(place)).chain(builder.kin.nodes()).collect::<Vec<_>>();
    super::runtimes::gate(context, &mut needs);
    needs
}

/// Parties that hold a lock for which others have waited long, at other lines than where it was taken: who waits where
/// the holder has locked is one of a pool, and would do the same.
fn pressing(context: &Context<'_>) -> std::collections::HashSet<Party> {
    let (model, frozen) = (context.model, &context.frozen);
    let least = model.ticks(context.options.min_blocked);
    let mut pressing = std::collections::HashSet::new();
    for (object, queue) in frozen.queues.iter().filter(|(object, _)| **object != 0) {
        let waits = queue.iter().map(|number| &model.open[*number]);
        let long: Vec<&OpenWait> =
            waits.filter(|wait| is_lock(wait.operation) && wait.ticks(model.end()) >= least).collect();
        let guards = frozen.handles_of(model, *object).filter(|handle| handle.role.is_guard());
        let pressed =
            |guard: &&Held| long.iter().any(|wait| wait.party != guard.party && wait.site != guard.site);
        pressing.extend(guards.filter(pressed).map(|guard| guard.party));
    }
    pressing
}

/// Whether an operation waits for whoever holds the object to let go.
pub(super) fn is_lock(operation: Operation) -> bool {
    use Operation::{Acquire, Lock, Read, UpgradableRead, Upgrade, Write};
    matches!(operation, Lock | Read | Write | UpgradableRead | Upgrade | Acquire)
}

/// Whether an operation waits for room in a channel.
pub(super) fn is_send(operation: Operation) -> bool {
    matches!(operation, Operation::Send | Operation::Reserve)
}

struct Builder<'a> {
    context: &'a Context<'a>,
    level: Level,
    history: History,
    pressing: std::collections::HashSet<Party>,
    kin: Kin,
}

impl Builder<'_> {
    /// How long a state must have lasted.
    fn least(&self) -> Duration {
        match self.level {
            Level::Proof => SETTLED,
            Level::Suspicion => self.context.options.min_blocked,
        }
    }

    fn party(&self, place: usize) -> Vec<Need> {
        let (model, party) = (self.context.model, self.context.frozen.parties[place]);
        let waits = self.context.frozen.waits_of(model, place);
        let waits: Vec<&OpenWait> = waits.filter(|wait| wait.operation != Operation::BlockOn).collect();
        let least = self.least();
        let task = model.open_tasks.get(&party);
        let awake = task.is_some_and(|task| self.is_awake(task, &waits));
        if awake || waits.iter().any(|wait| wait.ticks(model.end()) < model.ticks(least)) {
            return vec![];
        }
        let wakers = task.map_or(0, |task| task.wakers);
        if waits.is_empty() && task.is_some_and(|task| self.is_forgotten(task, least)) {
            return vec![Need { by: vec![], may: vec![], all: true, outside: false, gone: true }];
        }
        if wakers > waits.len() as u64 + 1 && self.level == Level::Proof {
            return vec![];
        }
        // Who gives up when its time is up, acts again.
        if waits.iter().any(|wait| wait.limited || self.is_given_up(wait, wakers > 0)) {
            return vec![];
        }
        // Who may send or else stop, as by `select!`, is not counted on to be stopped.
        let sends = self.level == Level::Suspicion && waits.iter().any(|wait| is_send(wait.operation));
        let counted = |wait: &&OpenWait| !sends || is_send(wait.operation);
        waits.into_iter().filter(counted).map(|wait| self.need(wait)).collect()
    }

    /// Whether a task is about to be polled. One that is ready only since others were dropped in a shutdown, never is again.
    fn is_awake(&self, task: &OpenTask, waits: &[&OpenWait]) -> bool {
        let woken_late = self
            .context
            .model
            .abandoned_at
            .is_some_and(|at| task.polled < at && waits.iter().any(|wait| wait.since < at));
        match task.state {
            TaskState::New => true,
            TaskState::Ready => !woken_late,
            _ => false,
        }
    }

    /// Whether a task has parked without leaving its waker anywhere: nothing will ever poll it.
    fn is_forgotten(&self, task: &OpenTask, least: Duration) -> bool {
        let model = self.context.model;
        let parked = model.end().saturating_sub(task.polled) >= model.ticks(least);
        task.state == TaskState::Parked && task.polls > 0 && task.wakers == NONE_CLONED && parked
    }

    /// Whether waits at this line have been given up before: then there is a way out that the trace does not show,
    /// unless all wakers are accounted for. A suspicion needs this wait to be longer than all those before.
    fn is_given_up(&self, wait: &OpenWait, counted: bool) -> bool {
        let Some((_, longest, given_up)) = self.history.get(&(wait.site, wait.operation)) else {
            return false;
        };
        let ticks = wait.ticks(self.context.model.end());
        match self.level {
            _ if *given_up == 0 || counted => false,
            Level::Proof => true,
            Level::Suspicion => ticks < longest.saturating_mul(LONGER),
        }
    }

    fn need(&self, wait: &OpenWait) -> Need {
        let handles = || self.context.frozen.handles_of(self.context.model, wait.object);
        let of_role = |role: Role| handles().filter(move |handle| handle.role == role).collect::<Vec<_>>();
        let mut need = match wait.operation {
            // Who holds it, or has its other end, is not recorded.
            _ if self.context.model.kind_of(wait.object) == Kind::TokioResource => {
                Need { by: vec![], may: vec![], all: false, outside: true, gone: false }
            }
            operation if is_lock(operation) => self.lock(wait),
            Operation::Init => {
                let mut need = self.lock(wait);
                need.gone = false;
                need
            }
            operation if is_send(operation) => self.send(wait, &of_role(Role::Receiver)),
            Operation::Closed => self.ends(wait, &of_role(Role::Receiver)),
            Operation::Recv | Operation::Changed => self.receive(wait, &of_role(Role::Sender)),
            Operation::Join => self.join(wait),
            Operation::Barrier => self.signal(wait),
            operation => {
                let senders = of_role(Role::Sender);
                if operation.is_signal() && senders.is_empty() {
                    self.signal(wait)
                } else {
                    self.ends(wait, &senders)
                }
            }
        };
        if self.level == Level::Proof && !is_lock(wait.operation) && wait.operation != Operation::Join {
            // A lost handle could be the one that serves the wait.
            need.outside |= self.context.lost(&[Loss::Entries, Loss::Events, Loss::Limit, Loss::Disk]);
        }
        let joins = wait.operation == Operation::Join && !need.outside;
        if self.level == Level::Suspicion
            && !is_lock(wait.operation)
            && !joins
            && self.pressing.contains(&wait.party)
        {
            // Who keeps others waiting with a lock, while it waits for something else, is as good as stuck.
            need = Need { all: true, outside: false, gone: true, ..need };
        }
        need
    }

    /// The end of a party; or of any in a set, which are taken to be those that the waiting one has spawned.
    fn join(&self, wait: &OpenWait) -> Need {
        let mut need = Need { by: vec![], may: vec![], all: false, outside: false, gone: false };
        if wait.holder == Party::UNKNOWN {
            need.by.extend(self.kin.children(wait.party, 0));
            need.outside = need.by.is_empty();
            if self.level == Level::Proof {
                // The set may have been filled by others: but with whatever was spawned.
                need.may.push(self.kin.spawned_since(0));
                need.outside |= self.context.lost(&[Loss::Entries, Loss::Events, Loss::Limit, Loss::Disk]);
            }
        } else {
            need.by.extend(self.place(wait.holder));
            need.outside = need.by.is_empty();
        }
        need
    }

    fn place(&self, party: Party) -> Option<usize> {
        self.context.frozen.index.get(&party).copied()
    }

    /// A lock or semaphore: its holders have to let go; a reader waits for the writers queued before it.
    fn lock(&self, wait: &OpenWait) -> Need {
        let (model, frozen) = (self.context.model, &self.context.frozen);
        let guards: Vec<&Held> =
            frozen.handles_of(model, wait.object).filter(|handle| handle.role.is_guard()).collect();
        let conflicts = |role: Role| match wait.operation {
            Operation::Read => role == Role::Exclusive,
            Operation::UpgradableRead => matches!(role, Role::Exclusive | Role::Upgradable),
            Operation::Upgrade => role == Role::Shared,
            _ => true,
        };
        let all = wait.operation != Operation::Acquire;
        let mut need = Need { by: vec![], may: vec![], all, outside: false, gone: false };
        for guard in guards.iter().filter(|guard| conflicts(guard.role)) {
            match self.place(guard.party) {
                // Who waits for what it has taken itself has most likely given it to those who could have got it.
                Some(holder) if guard.party == wait.party && !self.heirs(wait, guard).is_empty() => {
                    need.by.extend(self.heirs(wait, guard));
                    need.may.push(holder);
                }
                Some(holder) => {
                    need.by.push(holder);
                    need.may.extend(self.heirs(wait, guard));
                    if guard.travels && guard.party == wait.party {
                        need.may.extend(self.finders(guard));
                    }
                    need.gone |= self.level == Level::Suspicion && self.is_kept(guard, holder);
                }
                None if guard.party == Party::UNKNOWN => need.outside = true,
                None => self.left(wait, guard, &mut need),
            }
        }
        let reads = matches!(wait.operation, Operation::Read | Operation::UpgradableRead);
        if reads
            && need == (Need { by: vec![], may: vec![], all, outside: false, gone: false })
            && !guards.is_empty()
        {
            let queue =
                frozen.queues.get(&wait.object).into_iter().flatten().map(|number| &model.open[*number]);
            let before = queue.filter(|other| {
                matches!(other.operation, Operation::Write | Operation::Upgrade) && other.since <= wait.since
            });
            need.by.extend(before.filter_map(|other| self.place(other.party)));
        }
        if need.by.is_empty() && !need.gone && !need.outside {
            need.outside = true;
            if self.level == Level::Suspicion && self.is_orphaned(wait) {
                (need.outside, need.gone) = (false, true);
            }
        }
        need.by.sort_unstable();
        need.by.dedup();
        if need.all && !need.gone && !need.may.is_empty() {
            // Of one guard, any of those may be the one that has it; of several it is not known who has which.
            need.all = false;
            need.outside |= need.by.len() > 1;
        }
        need
    }

    /// Who may have taken along what a party has: those that it has spawned since.
    fn taken_along(&self, held: &Held) -> impl Iterator<Item = usize> {
        self.kin.children(held.party, held.since)
    }

    /// Who may have a guard that travels besides its party: who was spawned by that since, or got its messages.
    fn heirs(&self, wait: &OpenWait, guard: &Held) -> Vec<usize> {
        if !guard.travels {
            return vec![];
        }
        self.taken_along(guard).chain(self.told(guard.party, wait.object)).collect()
    }

    /// Who may find what a party has left where it has locked something: `main` too, and whoever else was there by itself. A guard
    /// that travels may have been left elsewhere.
    fn finders(&self, left: &Held) -> Vec<usize> {
        let travels = left.travels && self.level == Level::Proof;
        let by_themselves = self.kin.by_themselves().iter().filter(|_| left.shelved || travels);
        by_themselves.copied().chain(self.kin.takers().into_iter().filter(|_| travels)).collect()
    }

    /// Whether a guard was most likely forgotten by a party that goes on: it waits for nothing, and has held the lock far
    /// longer than ever one was held that was taken at this line.
    fn is_kept(&self, guard: &Held, holder: usize) -> bool {
        let model = self.context.model;
        let owner = model.class_of(guard.object).map(|(class, _)| Owner::Class(class));
        let Some(holds) = owner.and_then(|owner| model.holds.get(&(owner, guard.site))) else { return false };
        let longest = holds.max.max(2 * model.session.coarse_ticks);
        let held = guard.until.unwrap_or(model.end()).saturating_sub(guard.since);
        self.context.frozen.waits[holder].is_empty()
            && holds.timed.0 + holds.coarse.0 >= LEAST_HOLDS
            && held >= longest.saturating_mul(MUCH_LONGER)
    }

    /// A guard whose holder has ended: it has gone to others, or it has leaked.
    fn left(&self, wait: &OpenWait, guard: &Held, need: &mut Need) {
        let heirs = self.heirs(wait, guard);
        if heirs.is_empty() || self.level == Level::Proof {
            self.leaked(wait, need);
        } else {
            need.by.extend(heirs);
        }
    }

    /// A guard whose holder has ended. A guard of std cannot have gone elsewhere; another one may.
    fn leaked(&self, wait: &OpenWait, need: &mut Need) {
        let kind = self.context.model.kind_of(wait.object);
        let stays = matches!(kind, Kind::StdMutex | Kind::StdRwLock);
        let counts = stays || self.level == Level::Suspicion;
        if wait.operation == Operation::Acquire {
            // One permit that is gone proves nothing while others come back.
            need.gone |= self.level == Level::Suspicion;
        } else if counts {
            need.gone = true;
        } else {
            need.outside = true;
        }
    }

    /// A lock that nobody holds, for which somebody has waited all the same, and no one else has got it since.
    fn is_orphaned(&self, wait: &OpenWait) -> bool {
        let model = self.context.model;
        let losses = [Loss::Entries, Loss::Objects, Loss::Holds, Loss::Events, Loss::Limit, Loss::Disk];
        // Only of the first shutdown is it known who held what.
        let known = wait.until.is_none_or(|until| {
            model
                .abandoned_at
                .is_some_and(|at| until.saturating_sub(at) <= model.ticks(self.context.options.min_blocked))
        });
        // What came free a moment ago is about to be taken.
        let free_lately = model.released.get(&wait.object).is_some_and(|at| *at >= self.recent(wait));
        known
            && !free_lately
            && !self.context.lost(&losses)
            && self.is_remembered(wait)
            && !self.is_served(wait)
    }

    /// Since when it matters to this wait what others did.
    fn recent(&self, wait: &OpenWait) -> u64 {
        let model = self.context.model;
        wait.until.unwrap_or(model.end()).saturating_sub(model.ticks(self.context.options.min_blocked))
    }

    /// Whether what others did lately is in the trace: a flight recorder has forgotten what is old.
    fn is_remembered(&self, wait: &OpenWait) -> bool {
        !self.context.lost(&[Loss::Oldest])
            || self.context.model.earliest.is_some_and(|earliest| earliest <= self.recent(wait))
    }

    /// Whether others have got through on this object while this one waited.
    fn is_served(&self, wait: &OpenWait) -> bool {
        let (model, recent) = (self.context.model, self.recent(wait));
        let served = |operation: Operation| model.served.get(&(wait.object, operation));
        Operation::ALL.iter().any(|operation| {
            let alike = is_send(*operation) == is_send(wait.operation)
                && is_lock(*operation) == is_lock(wait.operation);
            alike && served(*operation).is_some_and(|at| *at >= recent)
        })
    }

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
    fn ends(&self, wait: &OpenWait, ends: &[&Held]) -> Need {
        let outside = ends.is_empty() || self.is_dropped_lately(wait, ends[0].role);
        let mut need = Need { by: vec![], may: vec![], all: false, outside, gone: false };
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

    /// Who receives what a party has sent, other than by this object: it may have been given something in a message.
    fn told(&self, by: Party, except: u64) -> impl Iterator<Item = usize> {
        told(self.context, by, except).into_iter().filter_map(|party| self.place(party))
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

    /// A signal that anybody could give who knows of it, or a barrier to which anybody could come. If all are stuck who could
    /// have been told of it, nobody is suspected to be left who will; a signal that has been given before may also come from a
    /// thread that is not recorded.
    fn signal(&self, wait: &OpenWait) -> Need {
        let model = self.context.model;
        let facts = model.parties.get(wait.party);
        let parent = facts.map_or(Party::UNKNOWN, |facts| facts.parent);
        // Nobody was there before `main`. It may well wait for the end of the program, which a thread of a library tells it.
        let is_main = facts.is_some_and(|facts| self.context.is_main(facts));
        let first = is_main && model.unseen.is_some_and(|(others, _)| others == 0);
        let is_known = first || self.place(parent).is_some() || self.context.has_ended(parent);
        let parent = self.place(parent);
        let awaits = |place: usize| {
            let wait = |wait: &OpenWait| wait.operation == Operation::BlockOn;
            self.context.frozen.waits_of(model, place).any(wait)
        };
        let is_signalled = self.context.is_signalled(wait);
        let given = is_signalled && model.unseen.is_none_or(|(others, _)| others > 0);
        // Who gave a signal, though in vain, can give another.
        let giver = self.place(wait.holder);
        // So can `main`, and whoever else was there by itself.
        let others = if is_signalled { self.kin.by_themselves() } else { &[] };
        let may =
            parent.into_iter().chain(giver).chain(others.iter().copied()).chain(self.kin.takers()).collect();
        // Whoever blocks on a future may wait for more than what is recorded.
        let blocks = || parent.into_iter().chain(self.kin.each_taker()).any(awaits);
        let open = self.level == Level::Proof || given || !is_known || blocks();
        Need { by: vec![], may, all: false, outside: open, gone: !open }
    }

    fn send(&self, wait: &OpenWait, receivers: &[&Held]) -> Need {
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

    fn receive(&self, wait: &OpenWait, senders: &[&Held]) -> Need {
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
