//! LP0017: subscriptions to a `watch` or `broadcast` channel that are left behind, ever more of them.
//!
//! Each new one is made at the same line for the same channel, those before it live on, of every age (see `kept`), and for most
//! of them nobody waits. *Suspected*: they may be looked at now and then without a wait. False positives: a program that collects
//! receivers over more than half of its run, to hand them out later.
use super::kept::ever_more;
use super::{Context, Finding, Place, Verdict};
use crate::model::Held;
use lockprof_trace::{Kind, Operation, Role};
use std::collections::BTreeMap;

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let (model, frozen) = (context.model, &context.frozen);
    if context.lost_events() || model.abandoned_at.is_some() {
        return vec![];
    }
    let mut lines: BTreeMap<(u64, u64), Vec<&Held>> = BTreeMap::new();
    for held in model.handles.iter().filter(|held| held.role == Role::Receiver && held.until.is_none()) {
        if matches!(model.kind_of(held.object), Kind::TokioWatch | Kind::TokioBroadcast) {
            lines.entry((held.object, held.site)).or_default().push(held);
        }
    }
    let mut found = vec![];
    for ((object, site), kept) in lines {
        let queue = frozen.queues.get(&object).into_iter().flatten().map(|number| &model.open[*number]);
        let waits =
            queue.filter(|wait| matches!(wait.operation, Operation::Recv | Operation::Changed)).count();
        let count = kept.len();
        let Some(born) = ever_more(context, &kept).filter(|_| waits * 2 <= count) else { continue };
        let at = context.site(site);
        // Each in a task of its own: then those grow.
        let grown = |finding: &Finding| finding.code == "LP0007" && finding.count >= count as u64 / 2;
        let Some((class, _)) = model.class_of(object).filter(|_| !known.iter().any(grown)) else { continue };
        let unused = kept.iter().filter(|held| held.count == 0).count();
        let sent = model.counts.get(&object).map_or(0, |counted| counted.count);
        let mut notes = vec![
            format!("{unused} of them have never received anything; somebody waits for {waits}"),
            format!("of those that are left, so many were there at nine moments: {born:?}"),
        ];
        let room = model.objects.get(&object).map_or(0, |object| object.capacity);
        if model.kind_of(object) == Kind::TokioBroadcast && unused > 0 && sent > room {
            notes.push(format!(
                "{sent} messages were sent, and there is room for {room}: those who do not receive have missed the older ones"
            ));
        }
        found.push(Finding {
            verdict: Verdict::Suspected,
            message: format!(
                "{count} subscriptions to the {} that were made at {} are alive, ever more of them, and hardly anybody waits for one",
                context.object_name(object),
                context.place(site)
            ),
            count: count as u64,
            places: vec![Place { at: at.clone(), label: "each subscription that is made here leaves the one before behind".into() }],
            at,
            objects: vec![context.object(class, Some(object))],
            notes,
            help: "drop the old receiver where a new one takes its place, and with whoever it was made for".into(),
            ..Finding::hazard(context, "LP0017")
        });
    }
    found
}
