//! Semaphores whose permits are messages: whoever has something to tell adds one, and who takes it forgets it or gives it back at once.
//! Who waits there waits for work, as for a message or a signal, and for nobody who holds a permit too long.
//!
//! While somebody waits at a pool, its permits are with others. So a wait that was longer than all holds but one together, and was served
//! all the same, ended with a permit that was added; and where nobody has ever taken one, there was none at first.
use super::Context;
use crate::model::{Held, Owner};
use lockprof_trace::{Kind, Role};
use std::collections::{HashMap, HashSet};

/// A wait is longer than all holds only if it lasted this many times as long: what they sum up to is estimated.
const LONGER: u64 = 2;

/// Classes of such semaphores.
pub(super) struct Messages(HashSet<u64>);

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
        if longest.is_empty() {
            return Self(HashSet::new());
        }
        // The longest is left out: where the semaphore has gone, its forgotten permit is told as one more hold.
        let mut holds: HashMap<u64, (u64, u64)> = HashMap::new();
        for ((owner, _), sum) in &model.holds {
            if let Owner::Class(class) = owner {
                let (total, longest) = holds.entry(*class).or_default();
                *total = total.saturating_add(sum.timed.1.max(sum.coarse.1));
                *longest = sum.max.max(*longest);
            }
        }
        let others = |(class, (total, longest)): (u64, (u64, u64))| (class, total.saturating_sub(longest));
        let mut held: HashMap<u64, u64> = holds.into_iter().map(others).collect();
        // Of the holds that were not told, each was shorter than a step of the coarse clock; those that were forgotten are none.
        for guard in model.handles.iter().filter(|handle| handle.role.is_guard() && !is_forgotten(handle)) {
            if let Some((class, _)) = model.class_of(guard.object) {
                let total = held.entry(class).or_default();
                *total = total.saturating_add(guard.until.unwrap_or(model.end()).saturating_sub(guard.since));
            }
        }
        let told = |(class, longest): (u64, u64)| {
            let held = held.get(&class).copied().unwrap_or(0).saturating_add(model.session.coarse_ticks);
            (longest > held.saturating_mul(LONGER)).then_some(class)
        };
        Self(longest.into_iter().filter_map(told).collect())
    }

    /// Whether the semaphores of this class are such.
    pub(super) fn are(&self, class: u64) -> bool {
        self.0.contains(&class)
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
        known.kind == Kind::TokioSemaphore && all && (self.are(class) || !taken())
    }
}

/// Whether it is a permit that was forgotten, which its holder does not give back.
pub(super) fn is_forgotten(held: &Held) -> bool {
    held.role == Role::Permit && held.global
}
