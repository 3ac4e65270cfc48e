//! Where was waited, who made others wait, and what runs: Go's block, mutex and CPU profiles.
use super::go;
use lockprof_engine::findings::Context;
use lockprof_engine::pprof::{About, Values};
use lockprof_engine::profile::{self, Sample};
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

/// What is waited for as a lock: somebody holds it.
const LOCKS: [&str; 6] = ["lock", "read", "write", "upgradable_read", "upgrade", "init"];

/// All that is recorded for this profile, longest first.
pub(super) fn samples(name: &str, context: &Context<'_>) -> Vec<Sample> {
    let contexts = std::slice::from_ref(context);
    match name {
        "mutex" => by_holder(profile::waits(contexts)),
        "profile" => profile::cpu(contexts),
        _ => profile::waits(contexts),
    }
}

/// Waits for locks, told of the line that held the lock; where that is not known, of the line that waited.
fn by_holder(waits: Vec<Sample>) -> Vec<Sample> {
    let locks = waits.into_iter().filter(|wait| LOCKS.contains(&wait.operation));
    sum(locks.map(|mut wait| {
        if !wait.holder.is_empty() {
            (wait.operation, wait.stack, wait.frames) = ("held", 0, Rc::default());
            wait.at = std::mem::take(&mut wait.holder);
        }
        wait
    }))
}

/// What tells samples apart.
fn key(sample: &Sample) -> (&'static str, String, u64, String, String, String) {
    let Sample { operation, at, stack, object, by, holder, .. } = sample;
    (operation, at.clone(), *stack, object.clone(), by.clone(), holder.clone())
}

/// Brings together those that are alike.
fn sum(samples: impl Iterator<Item = Sample>) -> Vec<Sample> {
    let mut sums: Vec<Sample> = vec![];
    let mut known: HashMap<_, usize> = HashMap::new();
    for sample in samples {
        let place = *known.entry(key(&sample)).or_insert(sums.len());
        match sums.get_mut(place) {
            Some(sum) => {
                sum.count += sample.count;
                sum.ns = sum.ns.saturating_add(sample.ns);
            }
            None => sums.push(sample),
        }
    }
    sums
}

/// The profile as `go tool pprof` reads it; of what was not yet so `before`, `time` ago.
pub(super) fn bytes(
    name: &str,
    context: &Context<'_>,
    before: Option<Vec<Sample>>,
    time: Option<Duration>,
) -> Vec<u8> {
    let mut samples = samples(name, context);
    let values = if name == "profile" { Values::Cpu } else { Values::Contentions };
    let mut about = About::all(std::slice::from_ref(context), values);
    if let Some(time) = time {
        let whole = about.duration_ns;
        about.duration_ns = u64::try_from(time.as_nanos()).map_or(whole, |time| time.min(whole));
        about.time_ns = about.time_ns.saturating_add(whole - about.duration_ns);
    }
    if let Some(before) = before {
        let old: HashMap<_, _> = before.iter().map(|sample| (key(sample), sample)).collect();
        for sample in &mut samples {
            if let Some(old) = old.get(&key(sample)) {
                sample.count = sample.count.saturating_sub(old.count);
                sample.ns = sample.ns.saturating_sub(old.ns);
            }
        }
        samples.retain(|sample| sample.count > 0 || sample.ns > 0);
    }
    super::encoded(context, about, &samples)
}

/// The same for people, as Go prints it with `debug=1`.
pub(super) fn text(name: &str, context: &Context<'_>) -> String {
    let mut text = match name {
        "mutex" => "--- mutex:\ncycles/second=1000000000\nsampling period=1\n",
        _ => "--- contention:\ncycles/second=1000000000\n",
    }
    .to_owned();
    for sample in samples(name, context) {
        // Writing to a string does not fail.
        let _ = write!(text, "{} {}{}", sample.ns, sample.count, go::stack(context, &sample));
        let _ = writeln!(text, "#\tof {}\n", sample.object);
    }
    text
}
