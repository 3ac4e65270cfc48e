//! LP0012: a task that blocks the thread it runs on.
//!
//! While it does, no other task of that worker runs; on a runtime of one thread none at all. It is told of waits of 5 ms and
//! more by a task on a lock, channel or cell that blocks its thread, unless a holder merely lost its core; jobs of
//! `spawn_blocking` may. False positives: a wait
//! inside `block_in_place`, which gives the worker away before.
use super::context::duration;
use super::rare::Holders;
use super::{Context, Finding, Place, is_known};
use crate::model::Owner;
use lockprof_trace::{Kind, Operation, Party};
use std::collections::BTreeMap;

/// A shorter wait is what a lock is for, in nanoseconds.
const LEAST_NS: u64 = 5_000_000;

/// Whether waiting for it blocks the thread.
pub(super) const fn blocks(kind: Kind) -> bool {
    (kind as u8) < Kind::TokioMutex as u8 && !matches!(kind, Kind::Unknown)
        || matches!(
            kind,
            Kind::OnceCell | Kind::SafeMap | Kind::DashMap | Kind::CrossbeamChannel | Kind::Thread
        )
}

/// Waits for one class at one line.
struct Blocked {
    operation: Operation,
    count: u64,
    ticks: u64,
    /// The longest by a task, in ticks, and whose it was.
    longest: (u64, Party),
    /// The stack of that one.
    stack: u64,
}

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    let holders = Holders::of(context);
    let mut seen: BTreeMap<(u64, u64), Blocked> = BTreeMap::new();
    for (key, sum) in &model.waits {
        let Owner::Class(class) = key.owner else { continue };
        if !model.classes.get(&class).is_some_and(|class| blocks(class.kind)) || sum.by_task.0 == 0 {
            continue;
        }
        if model.ns(sum.by_task.0) >= LEAST_NS && holders.are_rarely_long(class, key.holder_site) {
            continue;
        }
        let blocked = seen.entry((class, key.site)).or_insert(Blocked {
            operation: key.operation,
            count: 0,
            ticks: 0,
            longest: (0, Party::UNKNOWN),
            stack: key.stack,
        });
        blocked.count += sum.count;
        blocked.ticks = blocked.ticks.saturating_add(sum.ticks);
        if sum.by_task > blocked.longest {
            (blocked.longest, blocked.operation, blocked.stack) = (sum.by_task, key.operation, key.stack);
        }
    }
    let mut found = vec![];
    for ((class, site), Blocked { operation, count, ticks, longest: (longest, party), stack }) in seen {
        let at = context.wait_at(Owner::Class(class), site, stack);
        let spawned = model.parties.get(party).map_or(0, |facts| facts.class);
        let kind = model.classes.get(&spawned).map(|class| class.kind);
        let ns = model.ns(longest);
        if ns < LEAST_NS || kind == Some(Kind::BlockingTask) || is_known(known, &at) {
            continue;
        }
        found.push(Finding {
            message: format!(
                "a task blocks its worker thread for up to {}: {operation} on the {} at {}",
                duration(ns),
                context.class_name(class),
                context.place(site)
            ),
            count,
            blocked_ns: model.ns(ticks),
            places: vec![Place { at: at.clone(), label: "a task blocks its thread here".into() }],
            at,
            objects: vec![context.object(class, None)],
            notes: vec![format!(
                "the longest by {}, {}; while it lasts, no other task runs on that thread",
                context.party_name(party),
                context.class_name(spawned)
            )],
            help: match operation {
                Operation::Recv | Operation::Send => {
                    "use a channel of tokio::sync, or move the call into spawn_blocking".into()
                }
                Operation::Join => "await a task's handle, or join the thread in spawn_blocking".into(),
                _ => "hold the lock for less, use one of tokio::sync, or move the call into spawn_blocking"
                    .into(),
            },
            ..Finding::hazard(context, "LP0012")
        });
    }
    found
}
