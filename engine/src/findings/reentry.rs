//! LP0013: a party acquires what it holds already.
//!
//! Where a try failed because the party itself holds the lock, the same line with a plain acquire is a deadlock. A second
//! read by a reader is one as soon as a writer queues between the two: it is told where the lock has writers at all. One
//! future of a task that waits for another of the same task (`join!`, `buffered`) is let in by it, and an owned guard may be with
//! somebody else: where that came about, or may yet, nothing is told. False positives: a back-off that is meant to meet its own lock.
use super::{Context, Finding, Place, is_known};
use crate::model::{OpenWait, Owner};
use lockprof_trace::{Kind, Operation};
use std::collections::BTreeSet;

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    let (mut told, mut found) = (BTreeSet::new(), vec![]);
    for (nesting, parties) in model.nested.sorted() {
        let object = model.own(nesting.object);
        let held = nesting.held.iter().find(|(id, _)| nesting.object != 0 && model.own(*id) == object);
        let (Some((id, taken)), Some((class, facts))) = (held, model.class_of(object)) else { continue };
        if !super::locks::is_lock_kind(facts.kind) {
            continue;
        }
        let reads = nesting.operation == Operation::Read && *id != object;
        // A reader of a `dashmap` passes writers that queue.
        let may_queue = facts.kind != Kind::DashMap;
        let writes = may_queue && model.counts.get(&object).is_some_and(|writes| writes.count > 0);
        let (at, first) = (context.site(nesting.site), context.site(*taken));
        let is_let_in = is_async(facts.kind) && is_served(context, class, nesting.site);
        if is_let_in || reads && !writes || is_known(known, &at) || !told.insert((nesting.site, *taken)) {
            continue;
        }
        let (lock, place, before) =
            (context.class_name(class), context.place(nesting.site), context.place(*taken));
        let who = parties.first().map(|party| context.party_name(*party)).unwrap_or_default();
        let message = match reads {
            true => format!(
                "{who} reads the {lock} at {place} while it reads it already from {before} on: a writer that queues between the two stops both"
            ),
            false => format!(
                "{who} tried to take the {lock} at {place}, which it holds itself from {before} on: without the try it would wait for itself"
            ),
        };
        found.push(Finding {
            message,
            count: parties.len() as u64,
            places: vec![
                Place { at: at.clone(), label: "taken again here".into() },
                Place { at: first, label: "taken first here, and held".into() },
            ],
            at,
            objects: vec![context.object(class, None)],
            help: match reads {
                true => "pass the first guard on, or use read_recursive where the lock has it".into(),
                false => "pass the guard, or what it guards, to who needs it".into(),
            },
            ..Finding::hazard(context, "LP0013")
        });
    }
    found
}

/// Whether who waits for a lock of this kind leaves its thread to others, and its task to the task's other futures.
const fn is_async(kind: Kind) -> bool {
    matches!(kind, Kind::TokioMutex | Kind::TokioRwLock)
}

/// Whether a wait for this class at this line ever got what it waited for, or may yet.
fn is_served(context: &Context<'_>, class: u64, site: u64) -> bool {
    let model = context.model;
    let is_open =
        |wait: &OpenWait| wait.site == site && model.class_of(wait.object).is_some_and(|(of, _)| of == class);
    let mut waits = model.waits.iter();
    waits.any(|(key, sum)| key.owner == Owner::Class(class) && key.site == site && sum.max_done > 0)
        || model.open.iter().any(is_open)
}
