//! Locks, semaphores and what is made once: their holders have to let go, and a guard may be with somebody else by now.
use super::shared::{Memo, once};
use super::{Builder, Level};
use crate::graph::Need;
use crate::model::{Held, OpenWait, Owner};
use lockprof_trace::{Kind, Loss, Operation, Party, Role};
use std::collections::HashSet;

/// A guard was forgotten only if it is held this many times as long as any before, of which so many are known.
const MUCH_LONGER: u64 = 50;
const LEAST_HOLDS: u64 = 2;

/// What was found out about locks.
#[derive(Default)]
pub(super) struct Known {
    /// Who holds all of an object.
    sole: Memo<u64, Holders>,
    /// By object, by what is done, and by whether the waiting one holds all of it.
    guards: Memo<(u64, Operation, bool), Guards>,
    /// Those that wait to write: since when, and the node of this one and all before.
    writers: Memo<u64, Vec<(u64, usize)>>,
}

/// Who holds an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holders {
    Nobody,
    One(Party),
    Several,
}

/// What all need alike who wait for one object in one way.
struct Guards {
    /// Whoever holds it, in order.
    by: Vec<usize>,
    gone: bool,
    /// What stands for the need; nothing where the guards tell of nobody.
    node: Option<usize>,
}

impl Builder<'_> {
    /// A lock or semaphore: its holders have to let go; a reader waits for the writers queued before it.
    pub(super) fn lock(&self, wait: &OpenWait) -> Need {
        let holders = *once(&self.locks.sole, wait.object, || self.holders(wait.object));
        let key = (wait.object, wait.operation, holders == Holders::One(wait.party));
        let guards = once(&self.locks.guards, key, || self.guards(key));
        if let Some(node) = guards.node {
            let own = self.place(wait.party).filter(|own| guards.by.binary_search(own).is_ok());
            return Need {
                by: own.into_iter().chain([node]).collect(),
                gone: guards.gone,
                ..Need::default()
            };
        }
        let reads = matches!(wait.operation, Operation::Read | Operation::UpgradableRead);
        if reads && holders != Holders::Nobody {
            let by = self.writers_before(wait);
            if !by.is_empty() {
                return Need { by, ..Need::default() };
            }
        }
        let gone = self.level == Level::Suspicion && self.is_orphaned(wait);
        let all = wait.operation != Operation::Acquire;
        self.made(wait.operation, Need { all, outside: !gone, gone, ..Need::default() })
    }

    fn holders(&self, object: u64) -> Holders {
        let mut guards = self.guards_of(object).map(|guard| guard.party);
        match guards.next() {
            None => Holders::Nobody,
            Some(first) if guards.all(|other| other == first) => Holders::One(first),
            Some(_) => Holders::Several,
        }
    }

    fn guards_of(&self, object: u64) -> impl Iterator<Item = &Held> {
        let handles = self.context.frozen.handles_of(self.context.model, object);
        handles.filter(|handle| handle.role.is_guard())
    }

    /// The need of who waits for an object in this way, as far as it follows from the guards. `own`: the waiting one has taken all
    /// that there are.
    fn guards(&self, (object, operation, own): (u64, Operation, bool)) -> Guards {
        let conflicts = |role: Role| match operation {
            Operation::Read => role == Role::Exclusive,
            Operation::UpgradableRead => matches!(role, Role::Exclusive | Role::Upgradable),
            Operation::Upgrade => role == Role::Shared,
            _ => true,
        };
        let nobody = Need { all: operation != Operation::Acquire, ..Need::default() };
        let (mut need, mut listed) = (nobody.clone(), HashSet::new());
        let mut guards: Vec<&Held> = self.guards_of(object).filter(|guard| conflicts(guard.role)).collect();
        // Whoever was spawned since a party took a guard, was since it took those before: the first has the heirs of all.
        guards.sort_by_key(|guard| guard.since);
        for guard in guards {
            self.guard(operation, guard, own, &mut need, &mut listed);
        }
        if need == nobody {
            return Guards { by: vec![], gone: false, node: None };
        }
        for list in [&mut need.by, &mut need.may] {
            list.sort_unstable();
            list.dedup();
        }
        if need.all && !need.gone && !need.may.is_empty() {
            // Of one guard, any of those may be the one that has it; of several it is not known who has which.
            need.all = false;
            need.outside |= need.by.len() > 1;
        }
        let need = self.made(operation, need);
        Guards { by: need.by.clone(), gone: need.gone, node: Some(self.nodes.node(need)) }
    }

    /// What is made once may be made by another where its maker is gone.
    fn made(&self, operation: Operation, mut need: Need) -> Need {
        if operation == Operation::Init {
            need.gone = false;
            need.outside |= self.may_have_lost_handles();
        }
        need
    }

    /// One guard of what is waited for: whoever has it has to let go. `listed`: whose heirs are known.
    fn guard(
        &self,
        operation: Operation,
        guard: &Held,
        own: bool,
        need: &mut Need,
        listed: &mut HashSet<Party>,
    ) {
        let heirs = self.heirs(guard);
        let mut list = |by: &mut Vec<usize>| {
            if listed.insert(guard.party) {
                by.extend(self.kin.children(guard.party, self.kin.since(guard.party, guard.since)));
                by.extend(&self.told(guard.party, guard.object).places);
            }
        };
        match self.place(guard.party) {
            // Who waits for what it alone has taken has most likely given it to those who could have got it.
            Some(holder) if own && !heirs.is_empty() => {
                list(&mut need.by);
                need.may.push(holder);
            }
            Some(holder) => {
                // A permit that was forgotten comes back by somebody else, if at all.
                need.outside |= guard.global && self.level == Level::Proof;
                need.by.push(holder);
                need.may.extend(heirs);
                if guard.travels && own {
                    need.may.extend(self.finders(guard));
                }
                need.gone |= self.level == Level::Suspicion && self.is_kept(guard, holder);
            }
            None if guard.party == Party::UNKNOWN => need.outside = true,
            // It has gone to others, or it has leaked.
            None if heirs.is_empty() || self.level == Level::Proof => self.leaked(operation, guard, need),
            None => list(&mut need.by),
        }
    }

    /// Who may have a guard that travels besides its party: who was spawned by that since, or got its messages. Where there
    /// are such, nodes.
    fn heirs(&self, guard: &Held) -> Vec<usize> {
        if !guard.travels {
            return vec![];
        }
        let children = self.taken_along(guard).into_iter();
        children.chain(self.told(guard.party, guard.object).node).collect()
    }

    /// The writers that are queued before a reader: who waits behind them, waits for each.
    fn writers_before(&self, wait: &OpenWait) -> Vec<usize> {
        let writes = |other: &OpenWait| matches!(other.operation, Operation::Write | Operation::Upgrade);
        let (model, frozen) = (self.context.model, &self.context.frozen);
        let writers = once(&self.locks.writers, wait.object, || {
            let queue = frozen.queues.get(&wait.object).into_iter().flatten();
            let mut nodes: Vec<(u64, usize)> = vec![];
            for other in queue.map(|number| &model.open[*number]).filter(|other| writes(other)) {
                let before = nodes.last().map(|(_, node)| *node);
                let by = self.place(other.party).into_iter().chain(before).collect();
                nodes.push((other.since, self.nodes.node(Need { by, all: true, ..Need::default() })));
            }
            nodes
        });
        let before = writers.partition_point(|(since, _)| *since <= wait.since);
        let Some((_, node)) = before.checked_sub(1).map(|last| writers[last]) else { return vec![] };
        let itself =
            |other: &OpenWait| writes(other) && other.object == wait.object && other.since <= wait.since;
        let own = self.place(wait.party).filter(|own| frozen.waits_of(model, *own).any(itself));
        own.into_iter().chain([node]).collect()
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

    /// A guard whose holder has ended. A guard of std cannot have gone elsewhere; another one may.
    fn leaked(&self, operation: Operation, guard: &Held, need: &mut Need) {
        let kind = self.context.model.kind_of(guard.object);
        let stays = matches!(kind, Kind::StdMutex | Kind::StdRwLock);
        let counts = stays || self.level == Level::Suspicion;
        if operation == Operation::Acquire {
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

    /// Whether what others did lately is in the trace: a flight recorder has forgotten what is old.
    fn is_remembered(&self, wait: &OpenWait) -> bool {
        !self.context.lost(&[Loss::Oldest])
            || self.context.model.earliest.is_some_and(|earliest| earliest <= self.recent(wait))
    }
}
