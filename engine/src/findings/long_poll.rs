//! LP0035: a task that keeps its thread for long, while others are ready to run.
//!
//! A hazard. A poll is seen from outside, without the time in which its thread had no core, and told only where other tasks
//! of its runtime were ready all the while and not polled. Where the task waits on a lock or a channel of threads, that is
//! told with its line (LP0012). False positives: none of a firm verdict; a program may prefer few long polls.
use super::blocking::blocks;
use super::context::duration;
use super::tell::plural;
use super::{Context, Finding, Place};
use crate::model::{LongPoll, Owner};
use lockprof_trace::{Kind, Party};
use std::collections::BTreeMap;

/// A shorter poll is told of none, in nanoseconds: the looks are some milliseconds apart.
const LEAST_NS: u64 = 20_000_000;
/// What the long polls of one line must have cost those that were ready, together.
const COST_NS: u64 = 50_000_000;

/// The long polls of tasks that were spawned at one line.
#[derive(Default)]
struct Polls {
    count: u64,
    cost: u64,
    longest: u64,
    waiting: u64,
    waiter: Party,
}

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    let blocked = blocked(context);
    let mut lines: BTreeMap<u64, Polls> = BTreeMap::new();
    for poll in model.pressure.polls.iter().filter(|poll| is_starving(context, poll)) {
        let class = model.parties.get(poll.task).map_or(0, |facts| facts.class);
        let ns = model.ns(poll.ticks);
        let waits = blocked.get(&class).copied().unwrap_or(0) >= poll.ticks / 2;
        if class == 0 || ns < LEAST_NS || waits {
            continue;
        }
        let polls = lines.entry(class).or_default();
        polls.count += 1;
        polls.cost = polls.cost.saturating_add(ns.saturating_mul(poll.waiting));
        polls.longest = polls.longest.max(ns);
        if poll.waiting > polls.waiting {
            (polls.waiting, polls.waiter) = (poll.waiting, poll.waiter);
        }
    }
    let told = lines.into_iter().filter(|(_, polls)| polls.cost >= COST_NS).map(|(class, polls)| {
        let object = context.object(class, None);
        let at = object.created_at.clone();
        Finding {
            message: format!(
                "a {} keeps its thread for up to {} in one poll, while up to {} ready and not polled",
                context.class_name(class),
                duration(polls.longest),
                plural(polls.waiting, "other task is", "other tasks are")
            ),
            count: polls.count,
            blocked_ns: polls.cost,
            places: vec![Place { at: at.clone(), label: "what is spawned here polls for long".into() }],
            at,
            objects: vec![object],
            notes: vec![format!(
                "{} of 20 ms and more; {} is one of those that waited",
                plural(polls.count, "poll", "polls"),
                context.party_name(polls.waiter)
            )],
            help: "move what computes or blocks into `spawn_blocking` or a thread of its own, or give way in between \
                   (`yield_now().await`)"
                .into(),
            ..Finding::hazard(context, "LP0035")
        }
    });
    told.collect()
}

/// Whether who waited was a task of the same runtime: a blocking job waits for a thread of its own sort.
fn is_starving(context: &Context<'_>, poll: &LongPoll) -> bool {
    let facts = |party| context.model.parties.get(party);
    let (Some(task), Some(waiter)) = (facts(poll.task), facts(poll.waiter)) else { return false };
    let is_task =
        |class: u64| context.model.classes.get(&class).is_some_and(|class| class.kind == Kind::Task);
    is_task(task.class) && is_task(waiter.class) && task.runtime == waiter.runtime
}

/// The longest wait by which tasks of each class blocked their thread, in ticks.
fn blocked(context: &Context<'_>) -> BTreeMap<u64, u64> {
    let mut longest: BTreeMap<u64, u64> = BTreeMap::new();
    for (key, sum) in &context.model.waits {
        let Owner::Class(class) = key.owner else { continue };
        if context.model.classes.get(&class).is_some_and(|class| blocks(class.kind)) {
            let by = longest.entry(key.by).or_default();
            *by = sum.by_task.0.max(*by);
        }
    }
    longest
}
