//! Locks, semaphores and what is made once: their holders have to let go, and a guard may be with somebody else by now.
use super::{Builder, Level};
use crate::graph::Need;
use crate::model::{Held, OpenWait, Owner};
use lockprof_trace::{Kind, Loss, Operation, Party, Role};

/// A guard was forgotten only if it is held this many times as long as any before, of which so many are known.
const MUCH_LONGER: u64 = 50;
const LEAST_HOLDS: u64 = 2;

impl Builder<'_> {
    /// A lock or semaphore: its holders have to let go; a reader waits for the writers queued before it.
    pub(super) fn lock(&self, wait: &OpenWait) -> Need {
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
        let mut need = Need { all, ..Need::default() };
        let own = guards.iter().all(|guard| guard.party == wait.party);
        for guard in guards.iter().filter(|guard| conflicts(guard.role)) {
            self.guard(wait, guard, own, &mut need);
        }
        let reads = matches!(wait.operation, Operation::Read | Operation::UpgradableRead);
        if reads && need == (Need { all, ..Need::default() }) && !guards.is_empty() {
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

    /// One guard of what is waited for: whoever has it has to let go. `own`: the waiting one has taken all that there are.
    fn guard(&self, wait: &OpenWait, guard: &Held, own: bool, need: &mut Need) {
        let heirs = self.heirs(wait, guard);
        match self.place(guard.party) {
            // Who waits for what it alone has taken has most likely given it to those who could have got it.
            Some(holder) if own && !heirs.is_empty() => {
                need.by.extend(heirs);
                need.may.push(holder);
            }
            Some(holder) => {
                need.by.push(holder);
                need.may.extend(heirs);
                if guard.travels && own {
                    need.may.extend(self.finders(guard));
                }
                need.gone |= self.level == Level::Suspicion && self.is_kept(guard, holder);
            }
            None if guard.party == Party::UNKNOWN => need.outside = true,
            None => self.left(wait, guard, need),
        }
    }

    /// Who may have a guard that travels besides its party: who was spawned by that since, or got its messages.
    fn heirs(&self, wait: &OpenWait, guard: &Held) -> Vec<usize> {
        if !guard.travels {
            return vec![];
        }
        self.taken_along(guard).chain(self.told(guard.party, wait.object)).collect()
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

    /// Whether what others did lately is in the trace: a flight recorder has forgotten what is old.
    fn is_remembered(&self, wait: &OpenWait) -> bool {
        !self.context.lost(&[Loss::Oldest])
            || self.context.model.earliest.is_some_and(|earliest| earliest <= self.recent(wait))
    }
}
