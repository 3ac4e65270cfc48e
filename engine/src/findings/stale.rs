//! LP0022: reads that returned an older value than one whose write was complete before they began.
//!
//! *Proved*: versions and order are those that the program itself has told. No false positives are known.
use super::context::duration;
use super::tell::plural;
use super::{Context, Finding, Place, Verdict};
use crate::model::Owner;

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let stale = context.model.changes.stale.iter().filter_map(|(read, seen)| {
        let Owner::Class(class) = read.owner else { return None };
        let (place, writer) = (context.place(read.site), context.place(read.writer_site));
        Some(Finding {
            verdict: Verdict::Proved,
            message: format!(
                "{} at {place} returned a value older than the one written at {writer}, of {}",
                plural(seen.count, "read", "reads"),
                plural(seen.keys(), "key", "keys")
            ),
            count: seen.count,
            at: context.site(read.site),
            objects: vec![context.object(class, None)],
            places: vec![
                Place { at: context.site(read.site), label: "read here".into() },
                Place { at: context.site(read.writer_site), label: "written here, and complete".into() },
            ],
            notes: vec![format!(
                "first: {} read it {} after {} had written it",
                context.party_name(seen.first.party),
                duration(context.model.ns(seen.first.at.saturating_sub(seen.first.written))),
                context.party_name(seen.first.writer)
            )],
            help: "keep each value in one place, or drop the copy before the write is told to be complete"
                .into(),
            ..Finding::hazard(context, "LP0022")
        })
    });
    stale.collect()
}
