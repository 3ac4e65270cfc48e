//! Workers that take turns at a receiver behind a lock: the one in front waits for the next message with the lock held, the
//! others wait for the lock. All of them wait for work: nobody waits for a lock that is held too long.
//!
//! It is known by two things: whoever waits for the lock does so at a line that receives under it, and the lock is held no
//! longer than a message is waited for. Whoever works with the lock still held takes no turns, and is told of as any other.
use super::Context;
use super::locks::innermost;
use crate::model::Owner;
use crate::stats::add;
use lockprof_trace::Operation;
use std::collections::{BTreeMap, BTreeSet};

/// Of the time that the lock is held so much goes by in waiting for a message, at least.
const SHARE: f64 = 0.9;

/// Lines that take a lock to receive under it, each with the lock's class.
pub(super) struct Turns(BTreeSet<(u64, u64)>);

impl Turns {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let model = context.model;
        let mut lines: BTreeMap<(u64, u64), BTreeSet<u64>> = BTreeMap::new();
        for (nesting, _) in model.nested.sorted() {
            let receives = nesting.operation == Operation::Recv;
            if let Some(line) = innermost(context, nesting).filter(|_| receives) {
                lines.entry(line).or_default().insert(nesting.site);
            }
        }
        if lines.is_empty() {
            return Self(BTreeSet::new());
        }
        let (mut received, mut waiting): (BTreeMap<u64, u64>, BTreeMap<u64, BTreeSet<u64>>) =
            Default::default();
        for (key, sum) in &model.waits {
            match (key.operation, key.owner) {
                (Operation::Recv, _) => add(received.entry(key.site).or_default(), sum.ticks),
                (_, Owner::Class(class)) => drop(waiting.entry(class).or_default().insert(key.site)),
                _ => {}
            }
        }
        let takes_turns = |&(class, taken): &(u64, u64), sites: &BTreeSet<u64>| {
            let ticks = sites.iter().filter_map(|site| received.get(site));
            let received = ticks.copied().fold(0, u64::saturating_add);
            received as f64 >= SHARE * held(context, class, taken) as f64
        };
        let lines: BTreeSet<_> =
            lines.iter().filter(|(line, sites)| takes_turns(line, sites)).map(|(line, _)| *line).collect();
        let all_wait_so = |class: u64| {
            let sites = waiting.get(&class);
            sites.is_some_and(|sites| sites.iter().all(|site| lines.contains(&(class, *site))))
        };
        Self(lines.iter().copied().filter(|(class, _)| all_wait_so(*class)).collect())
    }

    /// Whether who takes a lock of this class at this line takes turns.
    pub(super) fn are(&self, class: u64, site: u64) -> bool {
        self.0.contains(&(class, site))
    }
}

/// How long a lock of this class was held from this line on, in ticks: as far as it was timed, and at most.
fn held(context: &Context<'_>, class: u64, taken: u64) -> u64 {
    let model = context.model;
    let known = model.holds.get(&(Owner::Class(class), taken)).copied().unwrap_or_default();
    let is_ours = |object| model.class_of(object).is_some_and(|known| known.0 == class);
    let open = model
        .handles
        .iter()
        .filter(|held| held.site == taken && held.role.is_guard() && is_ours(held.object));
    let open = open.map(|held| held.until.unwrap_or(model.end()).saturating_sub(held.since));
    open.fold(known.timed.1.max(known.coarse.1), u64::saturating_add)
}
