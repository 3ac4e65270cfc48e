//! Workers that take turns at a receiver behind a lock: the one in front waits for the next message with the lock held, the
//! others wait for the lock. All of them wait for work: nobody waits for a lock that is held too long.
//!
//! It is known by two things: whoever takes the lock does so at a line that receives under it, and the lock is held no longer
//! than a message is waited for. Whoever works with the lock still held takes no turns, and is told of as any other. One who is
//! alone in taking the lock keeps nobody from sending either.
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
        let mut received: BTreeMap<u64, u64> = BTreeMap::new();
        for (key, sum) in model.waits.iter().filter(|(key, _)| key.operation == Operation::Recv) {
            add(received.entry(key.site).or_default(), sum.ticks);
        }
        let takes_turns = |&(class, taken): &(u64, u64), sites: &BTreeSet<u64>| {
            let ticks = sites.iter().filter_map(|site| received.get(site));
            let received = ticks.copied().fold(0, u64::saturating_add);
            received as f64 >= SHARE * held(context, class, taken) as f64
        };
        let lines: BTreeSet<_> =
            lines.iter().filter(|(line, sites)| takes_turns(line, sites)).map(|(line, _)| *line).collect();
        let others: BTreeSet<u64> =
            takers(context).filter(|taker| !lines.contains(taker)).map(|(class, _)| class).collect();
        Self(lines.into_iter().filter(|(class, _)| !others.contains(class)).collect())
    }

    /// Whether who takes a lock of this class at this line takes turns.
    pub(super) fn are(&self, class: u64, site: u64) -> bool {
        self.0.contains(&(class, site))
    }
}

/// The lines that are known to take, or to wait for, a lock, each with the lock's class.
fn takers<'a>(context: &'a Context<'_>) -> impl Iterator<Item = (u64, u64)> + 'a {
    let model = context.model;
    let class = |owner: &Owner| if let Owner::Class(class) = owner { Some(*class) } else { None };
    let waited = model.waits.keys().filter_map(move |key| Some((class(&key.owner)?, key.site)));
    let held = model.holds.keys().filter_map(move |(owner, site)| Some((class(owner)?, *site)));
    let open = model.handles.iter().filter(|held| held.role.is_guard());
    waited.chain(held).chain(open.filter_map(|held| Some((model.class_of(held.object)?.0, held.site))))
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
