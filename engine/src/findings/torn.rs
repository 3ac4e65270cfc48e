//! LP0024: passes over values that are written together, which found some of different versions.
//!
//! *Proved*: the program itself tells the versions. False positives: writes that change a part of the values and leave the
//! others at their version, which belong under keys of their own.
use super::context::duration;
use super::tell::plural;
use super::{Context, Finding, Place, Verdict};
use crate::model::Owner;

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let torn = context.model.changes.torn.iter().filter_map(|((owner, site), torn)| {
        let Owner::Class(class) = *owner else { return None };
        let mut places =
            vec![Place { at: context.site(*site), label: "this pass found several versions".into() }];
        let (mut notes, mut by) = (vec![], String::new());
        if let Some((writer_site, pass)) = torn.known {
            by = format!(", written at {} meanwhile", context.place(writer_site));
            places.push(Place { at: context.site(writer_site), label: "the newer one was begun here".into() });
            notes.push(format!(
                "one of them: {} was through {} after {} had begun to write",
                context.party_name(pass.party),
                duration(context.model.ns(pass.at.saturating_sub(pass.written))),
                context.party_name(pass.writer)
            ));
        }
        Some(Finding {
            verdict: Verdict::Proved,
            message: format!(
                "{} begun at {} found values of two versions: half old, half new{by}",
                plural(torn.seen.count, "pass", "passes"),
                context.place(*site)
            ),
            count: torn.seen.count,
            at: context.site(*site),
            objects: vec![context.object(class, None)],
            places,
            notes,
            help: "let a reader have one version for the whole pass: `SnapshotMap::load`, and publish the new one whole"
                .into(),
            ..Finding::hazard(context, "LP0024")
        })
    });
    torn.collect()
}
