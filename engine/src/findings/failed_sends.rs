//! LP0030: sends that are refused more often than a program may take lightly.
//!
//! A hazard: the program is told of each, and what it does then is its own affair. It is told where more than one in a
//! thousand (`Options::max_failed_sends`) sends of a class are refused, and more than a few. False positives: a program
//! that tries to send and is content with either.
use super::tell::plural;
use super::{Context, Finding};
use crate::model::Model;
use lockprof_trace::Count;
use std::collections::BTreeMap;

/// As many fail where a program shuts down.
const FEW: u64 = 10;

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let sums = of_class(context.model, Count::Sends, Count::Failures);
    let found = sums.into_iter().filter_map(|(class, (sent, failed))| {
        let share = failed as f64 / (sent + failed).max(1) as f64;
        (failed > FEW && share > context.options.max_failed_sends).then(|| {
            let at = context.object(class, None).created_at;
            Finding {
                message: format!(
                    "{} on the {} failed, {:.1} % of all: there was no room in time, or nobody to receive",
                    plural(failed, "send", "sends"),
                    context.class_name(class),
                    share * 100.0
                ),
                count: failed,
                at,
                objects: vec![context.object(class, None)],
                help: "handle the refusal where it is told: give it another way, or more room and time"
                    .into(),
                ..Finding::hazard(context, "LP0030")
            }
        })
    });
    found.collect()
}

/// How often this and that was counted, class by class.
pub(super) fn of_class(model: &Model, this: Count, that: Count) -> BTreeMap<u64, (u64, u64)> {
    let mut sums: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for (id, counted) in &model.counts {
        let own = model.own(*id);
        let Some((number, class)) = model.class_of(own) else { continue };
        let (one, other) = sums.entry(number).or_default();
        match class.kind.count((*id - own) as u32) {
            what if what == this => *one += counted.count,
            what if what == that => *other += counted.count,
            _ => {}
        }
    }
    sums
}
