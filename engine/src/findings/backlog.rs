//! LP0034: a channel without bound in which messages gather faster than they are received.
//!
//! Pressure, and a hazard: with less to send, or in time, its receiver catches up; if not, memory runs out. The number of
//! messages is looked at in nine moments of the whole recording, as that of tasks in `growth`, and must come to a thousand.
//! False positives: a program that sends all its work ahead, slowly, and is recorded to less than half of it.
use super::growth::{MOMENTS, grows};
use super::{Context, Finding};
use std::collections::BTreeMap;

/// Messages that are worth a word.
const LEAST: u64 = 1_000;

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    if context.lost_events() {
        return vec![];
    }
    let (begin, end) = (model.session.at, model.abandoned_at.unwrap_or(model.end()));
    let mut growing: BTreeMap<u64, (u64, Vec<u64>, u64)> = BTreeMap::new();
    for object in model.pressure.channels() {
        let levels = model.pressure.backlog(object, begin, end, MOMENTS);
        let last = levels.last().copied().unwrap_or(0);
        let Some((class, _)) = model.class_of(object).filter(|_| last >= LEAST && grows(&levels)) else {
            continue;
        };
        let (count, most, which) = growing.entry(class).or_default();
        *count += 1;
        if most.last().is_none_or(|known| *known < last) {
            (*most, *which) = (levels, object);
        }
    }
    let found = growing.into_iter().map(|(class, (count, levels, object))| {
        let last = levels.last().copied().unwrap_or(0);
        let counted = |id: u64| model.counts.get(&id).map_or(0, |counted| counted.count);
        let report = context.object(class, Some(object));
        Finding {
            message: format!(
                "{last} messages wait in the {} in the end, and there are ever more: {} were sent and {} received",
                context.object_name(object),
                counted(object),
                counted(object + 1)
            ),
            count,
            at: report.created_at.clone(),
            objects: vec![report],
            notes: vec![format!("waiting at nine moments: {levels:?}")],
            help: "bound the channel, so that who sends waits for who receives; or receive by several, or send less"
                .into(),
            ..Finding::hazard(context, "LP0034")
        }
    });
    found.collect()
}
