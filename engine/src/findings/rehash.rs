//! LP0023: a map that grows under its lock, while others wait for it.
//!
//! A hazard: a hash map that is full moves all its keys to more room within one insert. It is told where one such move took
//! a millisecond, and waits for the map were together as long as its moves. False positives: a map that is filled once.
use super::context::duration;
use super::tell::plural;
use super::{Context, Finding, Place};
use crate::model::Owner;

/// The longest move must have taken this long, in nanoseconds.
const LEAST_NS: u64 = 1_000_000;

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    let grown = model.changes.grown.iter().filter_map(|(owner, grown)| {
        let Owner::Class(class) = *owner else { return None };
        let waits = model.waits.iter().filter(|(key, _)| key.owner == *owner);
        let waited = waits.map(|(_, sum)| sum.ticks).fold(0, u64::saturating_add);
        if model.ns(grown.max) < LEAST_NS || waited < grown.ticks {
            return None;
        }
        let at = context.site(grown.site);
        Some(Finding {
            message: format!(
                "the {} grew {} under its lock, {} together: the longest took {} to move {} at {}",
                context.class_name(class),
                plural(grown.count, "time", "times"),
                duration(model.ns(grown.ticks)),
                duration(model.ns(grown.max)),
                plural(grown.keys, "key", "keys"),
                context.place(grown.site)
            ),
            count: grown.count,
            blocked_ns: model.ns(waited),
            places: vec![Place { at: at.clone(), label: "this insert moved all keys".into() }],
            at,
            objects: vec![context.object(class, None)],
            notes: vec![format!(
                "growth is {:.1} % of the {} that was waited for the map; the rest are plain operations",
                100.0 * grown.ticks as f64 / waited.max(1) as f64,
                duration(model.ns(waited))
            )],
            help: "make it with the capacity that it will need, or use a sharded map, which moves one shard at a time"
                .into(),
            ..Finding::hazard(context, "LP0023")
        })
    });
    grown.collect()
}
