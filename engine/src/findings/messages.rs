//! Semaphores whose permits are messages: whoever has something to tell adds one, and who takes it forgets it or gives it back at once.
//! Who waits there waits for work, as for a message or a signal, and for nobody who holds a permit too long.
//!
//! While somebody waits at a pool, its permits are with others. So a wait that was longer than all holds together, and was served all the
//! same, ended with a permit that was added; and where nobody has ever taken one, there was none at first.
use super::Context;
use crate::model::{Held, Owner};
use lockprof_trace::{Kind, Role};
use std::collections::{HashMap, HashSet};

/// A wait is longer than all holds only if it lasted this many times as long: what they sum up to is estimated.
const LONGER: u64 = 2;

/// Classes of such semaphores.
pub(super) struct Messages {
    /// Those of which that is sure.
    sure: HashSet<u64>,
    /// With those where a wait was longer than all holds but the longest.
    likely: HashSet<u64>,
}

impl Messages {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let model = context.model;
        let is_semaphore =
            |class: &u64| model.classes.get(class).is_some_and(|known| known.kind == Kind::TokioSemaphore);
        let mut longest: HashMap<u64, u64> = HashMap::new();
        for (key, sum) in &model.waits {
            if let Owner::Class(class) = key.owner
                && is_semaphore(&class)
            {
                let served = longest.entry(class).or_default();
                *served = sum.max_done.max(*served);
            }
        }
        // By class: how long all holds were together, and the longest.
        let mut held: HashMap<u64, (u64, u64)> = HashMap::new();
        for ((owner, _), sum) in &model.holds {
            if let Owner::Class(class) = owner {
                let (total, longest) = held.entry(*class).or_default();
                *total = total.saturating_add(sum.timed.1.max(sum.coarse.1));
                *longest = sum.max.max(*longest);
            }
        }
        // Of the holds that were not told, each was shorter than a step of the coarse clock. One that was forgotten is none, but is told
        // as one when its semaphore goes.
        for guard in model.handles.iter().filter(|handle| handle.role.is_guard()) {
            if let Some((class, _)) = model.class_of(guard.object) {
                let (total, _) = held.entry(class).or_default();
                let ticks = guard.until.unwrap_or(model.end()).saturating_sub(guard.since);
                *total = match (is_forgotten(guard), guard.until) {
                    (false, _) => total.saturating_add(ticks),
                    (true, Some(_)) => total.saturating_sub(ticks),
                    (true, None) => *total,
                };
            }
        }
        let of = |but_longest: bool| {
            let told = |(class, wait): (&u64, &u64)| {
                let (total, longest) = held.get(class).copied().unwrap_or_default();
                let held = if but_longest { total.saturating_sub(longest) } else { total };
                let held = held.saturating_add(model.session.coarse_ticks);
                (*wait > held.saturating_mul(LONGER)).then_some(*class)
            };
            longest.iter().filter_map(told).collect()
        };
        Self { sure: of(false), likely: of(true) }
    }

    /// Whether the semaphores of this class are likely to be such: where one has gone, its forgotten permit is told as one more hold.
    /// Was that a hold after all, it is told as a long one (LP0008).
    pub(super) fn may_be(&self, class: u64) -> bool {
        self.likely.contains(&class)
    }

    /// Whether who waits for this object waits for a permit that is to be added: it is such a semaphore, or nobody has ever taken
    /// a permit of it, and none is with anybody who could give it back.
    pub(super) fn come_by(&self, context: &Context<'_>, object: u64) -> bool {
        let model = context.model;
        let Some((class, known)) = model.class_of(object) else { return false };
        let mut guards = context.frozen.handles_of(model, object).filter(|handle| handle.role.is_guard());
        let mut forgotten = false;
        let all = guards.all(|guard| {
            forgotten = true;
            is_forgotten(guard)
        });
        let taken = || forgotten || model.counts.get(&object).is_some_and(|counts| counts.count > 0);
        known.kind == Kind::TokioSemaphore && all && (self.sure.contains(&class) || !taken())
    }
}

/// Whether it is a permit that was forgotten, which its holder does not give back.
pub(super) fn is_forgotten(held: &Held) -> bool {
    held.role == Role::Permit && held.global
}
