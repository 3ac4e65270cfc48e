//! LP0026: a wait for a group that returned before all who work were added to it.
//!
//! Told of adds by parties that were there when the wait returned, and had been spawned by who waited: the wait was meant for
//! them. *Suspected*: the program may wait for those alone that have begun. False positives: workers that live long and add
//! themselves for each job, if who has spawned them only wants to see them idle for a moment.
use super::context::duration;
use super::tell::plural;
use super::{Context, Finding, Place, Verdict};
use crate::model::{Instance, Owner};

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let late = context.model.changes.late.iter().filter_map(|(key, adds)| {
        let Owner::Class(class) = key.owner else { return None };
        let meant = |add: &&Instance| {
            let adder = context.model.parties.get(add.party);
            adder.is_some_and(|adder| adder.parent == add.writer && adder.at < add.written)
        };
        let adds: Vec<&Instance> = adds.iter().filter(meant).collect();
        let first = adds.iter().min_by_key(|add| add.at)?;
        let (site, waiter_site) = (context.site(key.site), context.site(key.waiter_site));
        let spawned = context.spawned_at(first.party);
        let mut places = vec![
            Place { at: site.clone(), label: "added here, by who is to be waited for".into() },
            Place { at: waiter_site, label: "this wait had returned by then".into() },
        ];
        if !spawned.is_empty() {
            places.push(Place { at: spawned, label: "spawned here before the wait: add here".into() });
        }
        Some(Finding {
            verdict: Verdict::Suspected,
            message: format!(
                "the wait at {} returned before {} at {} to the {}: those whom it was to wait for had been spawned, and had not \
                 added themselves yet",
                context.place(key.waiter_site),
                plural(adds.len() as u64, "add", "adds"),
                context.place(key.site),
                context.class_name(class)
            ),
            count: adds.len() as u64,
            at: site,
            objects: vec![context.object(class, None)],
            places,
            notes: vec![format!(
                "first: {} added {} after the wait of {} had returned",
                context.party_name(first.party),
                duration(context.model.ns(first.at.saturating_sub(first.written))),
                context.party_name(first.writer)
            )],
            help: "add before the spawn, or spawn into a `JoinSet` or a scope, which cannot forget anybody".into(),
            ..Finding::hazard(context, "LP0026")
        })
    });
    late.collect()
}
