//! LP0006: watchers that are registered again and again and never released.
//!
//! One live watcher of a class is normal, and so are many that are released as they are replaced. A finding needs
//! several alive in the end, fewer than half ever released, and registrations that went on in the last half of the time
//! between the first and the end.
//!
//! False positives: a fixed set of watchers that a program registers slowly, over more than half of its run.
use super::explain::title;
use super::{Context, Finding, Verdict};
use lockprof_trace::Party;
use std::collections::BTreeMap;

/// Live watchers of one class from which on it counts.
const LEAST: u64 = 2;

/// Watchers alive, by class: who, where and since when.
pub(crate) fn live(context: &Context<'_>) -> BTreeMap<u64, Vec<(Party, u64, u64)>> {
    let mut live: BTreeMap<u64, Vec<(Party, u64, u64)>> = BTreeMap::new();
    for (object, watcher) in &context.model.watchers {
        if let Some((class, _)) = context.model.class_of(*object) {
            live.entry(class).or_default().push(*watcher);
        }
    }
    live.values_mut().for_each(|list| list.sort_by_key(|(party, _, at)| (*at, *party)));
    live
}

pub(super) fn find(context: &Context<'_>) -> Vec<Finding> {
    let model = context.model;
    let leaking = live(context).into_iter().filter_map(|(class, list)| {
        let line = model.timelines.get(&class)?;
        let (alive, released) = (list.len() as u64, line.died);
        let (first, last) = (list.first()?.2, list.last()?.2);
        let span = model.end().saturating_sub(first);
        let distinct = list.iter().filter(|watcher| watcher.2 > first.saturating_add(span / 1_000)).count() as u64;
        let grows = distinct + 1 >= LEAST && last.saturating_sub(first) >= span / 4;
        let kept = released < (alive + released - 1).div_ceil(2);
        (alive >= LEAST && grows && kept).then(|| {
            let at = context.site(model.classes.get(&class).map_or(0, |class| class.site));
            let blocked = list.iter().map(|(_, _, since)| model.ns(model.end().saturating_sub(*since)));
            let age = blocked.clone().max().unwrap_or(0);
            Finding {
                code: "LP0006",
                title: title("LP0006"),
                verdict: Verdict::Suspected,
                message: format!(
                    "{alive} watchers registered at {} are alive and {released} were released: each new one leaves the \
                     last behind, the oldest for {}",
                    context.place(model.classes.get(&class).map_or(0, |class| class.site)),
                    super::context::duration(age)
                ),
                count: alive,
                blocked_ns: 0,
                at,
                parties: vec![],
                more_parties: 0,
                objects: vec![context.object(class, None)],
                places: vec![],
                notes: vec![format!("{} registered in all", line.born)],
                help: "release the old watcher (drop it, or call `release`) where the new one is registered".into(),
                process: context.process,
            }
        })
    });
    leaking.collect()
}
