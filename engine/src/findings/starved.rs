//! LP0033: a writer that waits while readers come and go.
//!
//! A hazard. It is told where a wait to write was many times as long as the longest hold of the lock, and writers cannot have
//! taken up the time: then readers who came later went before it, again and again. Locks that let a waiting writer go first do
//! not show it, unless readers pass it on purpose (`read_recursive`). False positives: a writer that was woken, and had no
//! core for as long.
use super::context::duration;
use super::tell::plural;
use super::{Context, Finding, Place};
use crate::model::Owner;
use lockprof_trace::{Count, Operation};
use std::collections::BTreeMap;

const CODE: &str = "LP0033";
/// A shorter wait is none to speak of, in nanoseconds.
const LEAST_NS: u64 = 100_000_000;
/// So many times the longest hold the wait must have lasted.
const TIMES: u64 = 10;
/// And at least so many reads came in that time.
const READS: u64 = 100;

/// Waits to write, on one class at one line.
#[derive(Default)]
struct Waits {
    count: u64,
    ticks: u64,
    longest: u64,
    stack: u64,
}

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    let length = model.end().saturating_sub(model.session.at).max(1);
    let mut lines: BTreeMap<(u64, u64), Waits> = BTreeMap::new();
    for (key, sum) in &model.waits {
        let Owner::Class(class) = key.owner else { continue };
        if !matches!(key.operation, Operation::Write | Operation::Upgrade) {
            continue;
        }
        let waits = lines.entry((class, key.site)).or_default();
        waits.count += sum.count;
        waits.ticks = waits.ticks.saturating_add(sum.ticks);
        if sum.max >= waits.longest {
            (waits.longest, waits.stack) = (sum.max, key.stack);
        }
    }
    let starved = lines.into_iter().filter_map(|((class, site), waits)| {
        if model.ns(waits.longest) < LEAST_NS {
            return None;
        }
        let hold = longest_hold(context, class);
        let (reads, written) = reads_and_writing(context, class);
        let came = (u128::from(reads) * u128::from(waits.longest) / u128::from(length)) as u64;
        if waits.longest < hold.saturating_mul(TIMES) || written > waits.longest / 2 || came < READS {
            return None;
        }
        let at = context.wait_at(Owner::Class(class), site, waits.stack);
        Some(Finding {
            message: format!(
                "a writer waited {} at {} for the {}, whose longest hold is {}: readers that came later went first",
                duration(model.ns(waits.longest)),
                context.place(site),
                context.class_name(class),
                duration(model.ns(hold))
            ),
            count: waits.count,
            blocked_ns: model.ns(waits.ticks),
            places: vec![Place { at: at.clone(), label: "a writer is passed by readers here".into() }],
            at,
            objects: vec![context.object(class, None)],
            notes: vec![format!(
                "{} came while it waited, by the mean; all writers together held it for {}",
                plural(came, "read", "reads"),
                duration(model.ns(written))
            )],
            help: "use a lock that lets a waiting writer go first, and `read` rather than `read_recursive`; or let readers work on a \
                   copy (an `Arc` that is swapped)"
                .into(),
            ..Finding::hazard(context, CODE)
        })
    });
    starved.collect()
}

/// Whether it is known that waits for this class, so many nanoseconds together, are a starved writer's for the most part.
pub(super) fn is_known(context: &Context<'_>, known: &[Finding], class: u64, waited_ns: u64) -> bool {
    let object = [context.object(class, None)];
    let mut starved = known.iter().filter(|finding| finding.code == CODE);
    starved.any(|finding| finding.objects == object && finding.blocked_ns >= waited_ns / 2)
}

/// The longest hold of a class that is known, in ticks: no less than what the coarse clock can tell.
fn longest_hold(context: &Context<'_>, class: u64) -> u64 {
    let model = context.model;
    let ended = model.holds.iter().filter(|((owner, _), _)| *owner == Owner::Class(class));
    let open = model.handles.iter().filter(|held| {
        held.role.is_guard() && model.class_of(held.object).is_some_and(|known| known.0 == class)
    });
    let open = open.map(|held| held.until.unwrap_or(model.end()).saturating_sub(held.since));
    let longest = ended.map(|(_, hold)| hold.max).chain(open).max().unwrap_or(0);
    longest.max(2 * model.session.coarse_ticks)
}

/// How often a class was read, and how long it was held for writing, in ticks.
fn reads_and_writing(context: &Context<'_>, class: u64) -> (u64, u64) {
    let (mut reads, mut written) = (0u64, 0u64);
    for (id, counted) in &context.model.counts {
        let own = context.model.own(*id);
        let Some((_, known)) = context.model.class_of(own).filter(|known| known.0 == class) else { continue };
        match known.kind.count((id - own) as u32) {
            Count::Reads => reads = reads.saturating_add(counted.count),
            Count::Writes => written = written.saturating_add(counted.hold_ticks),
            _ => {}
        }
    }
    (reads, written)
}
