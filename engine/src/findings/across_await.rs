//! LP0011: a guard of a blocking lock that lives across an `.await`.
//!
//! Another task of the same thread that wants the lock blocks the thread, and with it the task that holds it. Guards of
//! tokio's own locks are made for that, and are not told here. False positives: a lock that only one task ever takes.
use super::{Context, Finding, Place, is_known};
use lockprof_trace::{Kind, Operation};
use std::collections::BTreeMap;

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    let mut seen: BTreeMap<(u64, u64), (u64, Vec<String>)> = BTreeMap::new();
    for (nesting, parties) in model.nested.sorted() {
        if nesting.operation != Operation::Await {
            continue;
        }
        for (id, site) in &nesting.held {
            let blocking =
                !matches!(model.kind_of(*id), Kind::TokioMutex | Kind::TokioRwLock | Kind::TokioSemaphore);
            let class = model.class_of(*id).filter(|_| blocking);
            let Some((class, _)) = class else { continue };
            let (count, who) = seen.entry((class, *site)).or_default();
            *count += parties.len() as u64;
            who.extend(parties.iter().map(|party| spawned(context, *party)));
        }
    }
    let mut found = vec![];
    for ((class, site), (count, mut who)) in seen {
        let at = context.site(site);
        if is_known(known, &at) {
            continue;
        }
        who.sort();
        who.dedup();
        found.push(Finding {
            message: format!(
                "the {} is held across an await from {} on: another task that wants it stops the thread that has to wake the holder",
                context.class_name(class),
                context.place(site)
            ),
            count,
            places: vec![Place { at: at.clone(), label: "taken here, and held while the task waits to be woken".into() }],
            at,
            objects: vec![context.object(class, None)],
            notes: vec![format!("by {}", who.join(", "))],
            help: "let the guard go out of scope before the await, or use a lock of tokio::sync".into(),
            ..Finding::hazard(context, "LP0011")
        });
    }
    found
}

/// "tasks spawned at file:line"; of a task whose line is not known, its name.
fn spawned(context: &Context<'_>, party: lockprof_trace::Party) -> String {
    match context.model.parties.get(party).filter(|facts| facts.class != 0) {
        Some(facts) => context.class_name(facts.class),
        None => context.party_name(party),
    }
}
