//! Who lives, and who is stuck: Go's goroutine profiles, of threads and tasks.
use super::go;
use lockprof_engine::findings::{Context, Verdict, find};
use lockprof_engine::now::{self, PartyNow};
use lockprof_engine::pprof::{About, Values};
use lockprof_engine::profile::Sample;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::rc::Rc;

/// Those that this profile tells of.
fn parties(name: &str, context: &Context<'_>) -> Vec<PartyNow> {
    let mut parties = now::parties(context);
    if name == "goroutineleak" {
        let firm = find(context).into_iter().filter(|finding| finding.verdict != Verdict::Hazard);
        let stuck: HashSet<_> =
            firm.flat_map(|finding| finding.parties).map(|party| (party.kind, party.id)).collect();
        let kind = |party: &PartyNow| if party.party.is_task() { "task" } else { "thread" };
        // Who is only one of too many may still be at work.
        parties
            .retain(|party| !party.waits.is_empty() && stuck.contains(&(kind(party), party.party.number())));
    }
    parties
}

/// Parties alike in one sample, most first.
fn samples(context: &Context<'_>, parties: &[PartyNow]) -> Vec<Sample> {
    let mut samples: Vec<Sample> = vec![];
    let mut known: HashMap<_, usize> = HashMap::new();
    for party in parties {
        let wait = party.waits.first();
        let key = (party.kind, &party.spawned_at, wait.map(|wait| (wait.operation, &wait.at, wait.stack)));
        let place = *known.entry(key).or_insert(samples.len());
        match samples.get_mut(place) {
            Some(sample) => sample.count += 1,
            None => samples.push(sample(context, party)),
        }
    }
    samples.sort_by_key(|sample| std::cmp::Reverse(sample.count));
    samples
}

fn sample(context: &Context<'_>, party: &PartyNow) -> Sample {
    let wait = party.waits.first();
    let stack = wait.map_or(0, |wait| wait.stack);
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    Sample {
        process: context.process,
        what: "lives",
        operation: wait.map_or("spawned", |wait| wait.operation.name()),
        at: wait.map_or_else(|| party.spawned_at.clone(), |wait| wait.at.clone()),
        stack,
        frames: if stack == 0 { Rc::default() } else { context.frames(stack) },
        object: text(wait.map(|wait| &wait.object)),
        kind: String::new(),
        by: format!("{} spawned at {}", party.kind, go::place(&party.spawned_at)),
        span: String::new(),
        holder: text(wait.and_then(|wait| wait.holders.first())),
        count: 1,
        ns: 0,
        max_ns: 0,
    }
}

/// The profile as `go tool pprof` reads it.
pub(super) fn bytes(name: &str, context: &Context<'_>) -> Vec<u8> {
    let values = Values::Count(if name == "goroutine" { "goroutine" } else { "goroutineleak" });
    let about = About::all(std::slice::from_ref(context), values);
    super::encoded(context, about, &samples(context, &parties(name, context)))
}

/// The same for people, as Go prints it with `debug=1`.
pub(super) fn text(name: &str, context: &Context<'_>) -> String {
    let parties = parties(name, context);
    let mut text = format!("{name} profile: total {}\n", parties.len());
    for sample in samples(context, &parties) {
        // Writing to a string does not fail.
        let _ = write!(text, "{}{}", sample.count, go::stack(context, &sample));
        let _ = writeln!(text, "#\t{}\n", sample.by);
    }
    text
}

/// Each by itself, as Go prints them with `debug=2`, and when it panics.
pub(super) fn stacks(name: &str, context: &Context<'_>) -> String {
    let mut text = String::new();
    for party in parties(name, context) {
        let (wait, minutes) =
            (party.waits.first(), party.waits.iter().map(|wait| wait.since_ns / 60_000_000_000));
        let state = match (wait, party.waits.len()) {
            (Some(_), 2..) => "select",
            (Some(wait), _) => wait.operation.name(),
            (None, _) => party.state.map_or("running", |state| state.name()),
        };
        let since = match minutes.max() {
            None | Some(0) => String::new(),
            Some(minutes) => format!(", {minutes} minutes"),
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "goroutine {} [{state}{since}]:", party.party.0);
        for wait in &party.waits {
            let held = wait.holders.iter().map(|holder| format!(", held by {holder}")).collect::<String>();
            let _ =
                writeln!(text, "{} on {}{held}(...)\n\t{}", wait.operation, wait.object, go::place(&wait.at));
            for frame in context.frames(wait.stack).iter() {
                let (file, line) = (frame.file.as_deref().unwrap_or("?"), frame.line.unwrap_or(0));
                let _ = writeln!(text, "{}(...)\n\t{file}:{line}", frame.function);
            }
        }
        if !party.spawned_at.is_empty() {
            let at = go::place(&party.spawned_at);
            let _ = writeln!(text, "created by {} in goroutine {}\n\t{at}", party.kind, party.parent.0);
        }
        text.push('\n');
    }
    text
}
