//! LP0031 and LP0032: why an object is hot, where that is more than that much is done under it.
//!
//! LP0031, a hot shard or key: of many objects of one class, such as the shards of a map, one makes most of the wait, or one key
//! of a map does. LP0032, a lock convoy: everybody waits for a lock that is hardly held: each place in the line costs a change of
//! threads, which takes many times as long as what is done under the lock. Both are told in place of LP0009, by what that is told by (see `hot`).
use super::Context;
use super::context::duration;
use crate::stats::add;
use lockprof_trace::Kind;
use std::collections::HashMap;

/// Objects of the class that were used, at least: of two or three one is always the one with most.
const LEAST_USED: usize = 4;
/// Share of the class's wait that one object makes alone.
const MOST: f64 = 0.5;
/// And this many times what would be its part.
const FAIR: f64 = 3.0;
/// Waits from which on a convoy is told from a few that were unlucky.
const MANY_WAITS: u64 = 1_000;
/// So many times the mean hold a place in the line of a convoy costs.
const DEAR: f64 = 5.0;
/// Holds are known no better than to so many steps of the coarse clock together.
const STEPS: u64 = 8;

/// What helps where it is one key that all want.
const ONE_KEY: &str = "more shards do not help: all want one key; keep it in a place of its own (a copy for each thread, a counter \
                       that is added up), or do less under its lock";

/// What makes an object hot.
pub(super) struct Shape {
    pub(super) code: &'static str,
    pub(super) note: String,
    pub(super) help: &'static str,
}

/// What one object of a class has counted, all its ids together.
#[derive(Default)]
struct Used {
    count: u64,
    wait_ticks: u64,
    hold_ticks: u64,
    instances: u64,
}

/// The shape of the line before a class, where it has one. `waits` and `ticks` are the sums of the waits.
pub(super) fn shape(context: &Context<'_>, class: u64, waits: u64, ticks: u64) -> Option<Shape> {
    let used = used(context, class);
    let key = key_share(context, &used);
    hot_shard(context, &used, key)
        .or_else(|| hot_key(key))
        .or_else(|| convoy(context, class, &used, waits, ticks))
}

fn used(context: &Context<'_>, class: u64) -> HashMap<u64, Used> {
    let mut used: HashMap<u64, Used> = HashMap::new();
    for (id, counted) in &context.model.counts {
        let own = context.model.own(*id);
        if context.model.class_of(own).is_none_or(|known| known.0 != class) {
            continue;
        }
        let object = used.entry(own).or_default();
        add(&mut object.count, counted.count);
        add(&mut object.wait_ticks, counted.wait_ticks);
        add(&mut object.hold_ticks, counted.hold_ticks);
        object.instances = object.instances.max(counted.instances);
    }
    used
}

/// Which share of the wait the key that makes most makes at least, where for most of it the keys are known.
fn key_share(context: &Context<'_>, used: &HashMap<u64, Used>) -> Option<f64> {
    let told = || used.keys().filter_map(|object| context.model.pressure.keys.get(object));
    let (all, known) = (waited(used), told().map(|keys| keys.ticks).fold(0, u64::saturating_add));
    // A key is always in the same shard.
    let most = told().map(|keys| keys.most()).max()?;
    (known as f64 >= MOST * all as f64).then(|| most as f64 / known.max(1) as f64)
}

fn waited(used: &HashMap<u64, Used>) -> u64 {
    used.values().map(|object| object.wait_ticks).fold(0, u64::saturating_add)
}

fn hot_key(key: Option<f64>) -> Option<Shape> {
    let share = key.filter(|share| *share >= MOST)?;
    Some(Shape { code: "LP0031", note: key_note(share), help: ONE_KEY })
}

fn key_note(share: f64) -> String {
    format!("one key makes {:.0} % of the wait", share * 100.0)
}

fn hot_shard(context: &Context<'_>, used: &HashMap<u64, Used>, key: Option<f64>) -> Option<Shape> {
    let others = used.values().filter(|object| object.count > 0).count();
    let (object, hot) = used.iter().max_by_key(|(id, object)| (object.wait_ticks, **id))?;
    let share = hot.wait_ticks as f64 / waited(used).max(1) as f64;
    // An id that many had one after the other is no single object.
    if others < LEAST_USED || hot.instances > 1 || share < MOST.max(FAIR / others as f64) {
        return None;
    }
    let uses: u64 = used.values().map(|object| object.count).fold(0, u64::saturating_add);
    let name = context.model.names.get(object).map(|name| format!(", \"{name}\",")).unwrap_or_default();
    let mut note = format!(
        "one of the {others} that are used{name} makes {:.0} % of the wait, {} together, with {:.0} % of the uses",
        share * 100.0,
        duration(context.model.ns(hot.wait_ticks)),
        100.0 * hot.count as f64 / uses.max(1) as f64
    );
    let help = match key {
        Some(share) if share >= MOST => {
            note += &format!("; {}", key_note(share));
            ONE_KEY
        }
        Some(share) => {
            note += &format!("; no key is known to make more than {:.0} % of it", share * 100.0);
            "keys that are wanted meet in one shard: see what the hasher makes of them, give the map more shards, or do less under \
             its lock"
        }
        None => {
            "more shards do not help where one key is wanted by all; keep what is asked for most in a place of its own (a copy for \
             each thread, a counter that is added up), or do less under its lock"
        }
    };
    Some(Shape { code: "LP0031", note, help })
}

fn convoy(
    context: &Context<'_>,
    class: u64,
    used: &HashMap<u64, Used>,
    waits: u64,
    ticks: u64,
) -> Option<Shape> {
    let model = context.model;
    let excludes = matches!(
        model.classes.get(&class)?.kind,
        Kind::Mutex | Kind::FairMutex | Kind::StdMutex | Kind::TokioMutex
    );
    let sum = |of: fn(&Used) -> u64| used.values().map(of).fold(0, u64::saturating_add);
    let uses = sum(|object| object.count);
    let held = sum(|object| object.hold_ticks).max(model.session.coarse_ticks.saturating_mul(STEPS));
    let length = model.end().saturating_sub(model.session.at).max(1);
    let (mean_hold, mean_wait) = (held as f64 / uses.max(1) as f64, ticks as f64 / waits.max(1) as f64);
    let line = ticks as f64 / length as f64;
    let place = mean_wait / (line + 1.0);
    if !excludes || waits < MANY_WAITS || uses > waits.saturating_mul(2) || place < DEAR * mean_hold {
        return None;
    }
    let time = |ticks: f64| duration(model.ns(ticks as u64));
    Some(Shape {
        code: "LP0032",
        note: format!(
            "{:.0} % of {uses} uses waited, {} each in a line of {line:.1}, for a lock that is held for {}: the way from one to \
             the next is what takes time",
            100.0 * waits as f64 / uses.max(1) as f64,
            time(mean_wait),
            time(mean_hold)
        ),
        help: "take it less often: do several things under one hold, collect by thread and bring together, or use an atomic; a \
               shorter hold does not help, nor does a fair lock",
    })
}
