//! LP0025: a read lock around something so short that the lock costs more than what it guards.
//!
//! A hazard, told where the lock is read fifty thousand times a second, a quarter of its holds is shorter than the lock's own
//! two atomic operations on a line that all cores share, and writers hardly come and hardly ever stand in a reader's way. What
//! is read for so short a time is a number or a pointer: an atomic does without the lock. False positives: several small
//! values that have to be of one moment, which a snapshot behind a pointer gives as well.
use super::context::duration;
use super::tell::plural;
use super::{Context, Finding, Place};
use crate::model::Owner;
use lockprof_trace::{Count, Kind};
use std::collections::BTreeMap;

/// What a read lock costs where several cores read, in nanoseconds: a shared line goes from core to core twice. With what it
/// takes to measure a hold.
const COST_NS: u64 = 400;
/// Reads from which on it matters.
const LEAST: u64 = 100_000;
/// And in a second.
const LEAST_PER_SECOND: u64 = 50_000;
/// One write in so many reads is too many for a snapshot, which copies.
const READS_A_WRITE: u64 = 1_000;
/// One wait in so many reads, or more: writers do come.
const READS_A_WAIT: u64 = 10_000;

/// Uses of a class.
#[derive(Default)]
struct Uses {
    reads: u64,
    waited: u64,
    writes: u64,
}

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    let seconds = model.ns(model.end().saturating_sub(model.session.at)) / 1_000_000_000;
    let mut classes: BTreeMap<u64, Uses> = BTreeMap::new();
    for (id, counted) in &model.counts {
        let own = model.own(*id);
        let Some((class, known)) = model.class_of(own) else { continue };
        if !matches!(known.kind, Kind::RwLock | Kind::StdRwLock) {
            continue;
        }
        let uses = classes.entry(class).or_default();
        match known.kind.count((id - own) as u32) {
            Count::Reads => {
                uses.reads = uses.reads.saturating_add(counted.count);
                uses.waited = uses.waited.saturating_add(counted.contended);
            }
            _ => uses.writes = uses.writes.saturating_add(counted.count),
        }
    }
    let needless = classes.into_iter().filter_map(|(class, uses)| {
        let Uses { reads, waited, writes } = uses;
        if reads < LEAST.max(LEAST_PER_SECOND.saturating_mul(seconds)) || writes > reads / READS_A_WRITE || waited > reads / READS_A_WAIT {
            return None;
        }
        let held = model.hold_lengths.get(&Owner::Class(class))?;
        let quarter = model.ns(held.quantile(0.25, reads));
        if quarter == 0 || quarter > COST_NS {
            return None;
        }
        let sites = model.holds.iter().filter(|((owner, _), _)| *owner == Owner::Class(class));
        let (_, site) = sites.map(|((_, site), sum)| (sum.timed.0, *site)).max()?;
        let at = context.site(site);
        Some(Finding {
            message: format!(
                "the {} was locked {} for reading, a quarter of the time for no longer than {}, which is less than the lock costs; \
                 there were {} and {} of a reader",
                context.class_name(class),
                plural(reads, "time", "times"),
                duration(quarter),
                plural(writes, "write", "writes"),
                plural(waited, "wait", "waits")
            ),
            count: reads,
            places: vec![Place { at: at.clone(), label: "read here, under a lock that nothing needs".into() }],
            at,
            objects: vec![context.object(class, None)],
            help: "keep the value in an atomic, or behind a pointer that is swapped whole (`ArcSwap`, `SnapshotMap`)".into(),
            ..Finding::hazard(context, "LP0025")
        })
    });
    needless.collect()
}
