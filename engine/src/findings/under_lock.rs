//! LP0014: a wait for something else while a lock is held.
//!
//! Whoever shall end the wait may need the lock: then it is a deadlock. It is told where the longest wait at the line took
//! a millisecond or more. False positives: the one who ends the wait never takes that lock; then it is only slow. Workers
//! that take turns at a receiver are not told (see `turns`).
use super::context::duration;
use super::locks::innermost;
use super::turns::Turns;
use super::{Context, Finding, Place, is_known};
use lockprof_trace::Operation;
use std::collections::BTreeMap;

/// A shorter wait is no wait worth telling, in nanoseconds.
const LEAST_NS: u64 = 1_000_000;

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    let mut longest: BTreeMap<(u64, Operation), u64> = BTreeMap::new();
    for (key, sum) in &model.waits {
        let ticks = longest.entry((key.site, key.operation)).or_default();
        *ticks = (*ticks).max(sum.max);
    }
    let turns = Turns::of(context);
    // By what is waited at which line, under which line.
    let mut seen = BTreeMap::new();
    for (nesting, parties) in model.nested.sorted() {
        let waits = !super::needs::is_lock(nesting.operation) && nesting.operation != Operation::Await;
        let ns = longest.get(&(nesting.site, nesting.operation)).map_or(0, |ticks| model.ns(*ticks));
        let lock = innermost(context, nesting).filter(|(class, site)| !turns.are(*class, *site));
        let Some((class, site)) = lock.filter(|_| waits && ns >= LEAST_NS) else { continue };
        seen.entry((nesting.site, site)).or_insert((nesting, class, ns, parties));
    }
    let mut found = vec![];
    for ((site, taken), (nesting, class, ns, parties)) in seen {
        let (at, under) = (context.site(site), context.site(taken));
        let told = |finding: &Finding| finding.code == "LP0008" && finding.at == under;
        if is_known(known, &at) || is_known(known, &under) || known.iter().any(told) {
            continue;
        }
        let what = match model.class_of(nesting.object) {
            Some((of, _)) => format!(" on the {}", context.class_name(of)),
            None => String::new(),
        };
        let who = parties.first().map(|party| context.party_name(*party)).unwrap_or_default();
        found.push(Finding {
            message: format!(
                "{} waits up to {} at {} ({}{what}) while it holds the {}, taken at {}",
                who,
                duration(ns),
                context.place(site),
                nesting.operation,
                context.class_name(class),
                context.place(taken)
            ),
            count: parties.len() as u64,
            at,
            objects: vec![context.object(class, None)],
            places: vec![
                Place { at: context.site(site), label: "the wait".into() },
                Place { at: under, label: "the lock that is held meanwhile is taken here".into() },
            ],
            help: "release the lock before the wait: who shall end it may need the lock itself".into(),
            ..Finding::hazard(context, "LP0014")
        });
    }
    found
}
