//! Folded stacks: one line for each path, with its weight, as flame graphs take them.
use crate::findings::Context;
use crate::model::Model;
use crate::symbols::Frame;
use std::collections::BTreeMap;

/// "function (file:line)".
pub fn frame_name(frame: &Frame) -> String {
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => format!("{} ({file}:{line})", frame.function),
        (Some(file), None) => format!("{} ({file})", frame.function),
        _ => frame.function.clone(),
    }
}

/// Adds a path, root first. What separates frames and weights in the folded form is taken out of the names.
fn add(lines: &mut BTreeMap<String, u64>, path: impl IntoIterator<Item = String>, weight: u64) {
    let clean = |name: String| name.replace(';', ":").replace(['\n', '\r', '\t'], " ");
    let path: Vec<String> = path.into_iter().map(clean).collect();
    if weight > 0 && !path.is_empty() {
        let sum = lines.entry(path.join(";")).or_default();
        *sum = sum.saturating_add(weight);
    }
}

fn finish(lines: BTreeMap<String, u64>) -> Vec<String> {
    lines.into_iter().map(|(path, weight)| format!("{path} {weight}")).collect()
}

/// Time waited in microseconds: stack, waiting site, object.
pub fn waits(contexts: &[Context<'_>]) -> Vec<String> {
    let mut lines = BTreeMap::new();
    for context in contexts {
        for (key, sum) in &context.model.waits {
            let mut path = process(context, contexts);
            path.extend(context.stack(key.stack).into_iter().rev());
            let at = context.wait_at(key.owner, key.site, key.stack);
            path.push(format!(
                "{} at {}",
                key.operation,
                at.rsplit_once(':').map_or("?", |(place, _)| place)
            ));
            path.push(crate::profile::object(context, key.owner));
            add(&mut lines, path, micros(context.model, sum.ticks));
        }
    }
    finish(lines)
}

/// Time held in microseconds: object, site that took it.
pub fn holds(contexts: &[Context<'_>]) -> Vec<String> {
    let mut lines = BTreeMap::new();
    for context in contexts {
        for ((owner, site), sum) in &context.model.holds {
            let mut path = process(context, contexts);
            path.push(crate::profile::object(context, *owner));
            path.push(format!("taken at {}", context.place(*site)));
            add(&mut lines, path, micros(context.model, sum.timed.1.max(sum.coarse.1)));
        }
    }
    finish(lines)
}

/// Tasks and threads that live in the end: chain of spawn lines, then what they wait for.
pub fn tasks(contexts: &[Context<'_>]) -> Vec<String> {
    /// Spawn lines shown above a task: a deeper chain is a loop of tasks that respawn themselves.
    const DEPTH: usize = 12;
    let mut lines = BTreeMap::new();
    for context in contexts {
        for (place, party) in context.frozen.parties.iter().enumerate() {
            let mut chain = vec![];
            let mut next = *party;
            while let Some(facts) = context.model.parties.get(next).filter(|_| chain.len() < DEPTH) {
                chain.push(match facts.class {
                    0 => context.party_name(next),
                    class => context.class_name(class),
                });
                next = facts.parent;
            }
            if chain.is_empty() {
                chain.push(context.party_name(*party));
            }
            let mut path = process(context, contexts);
            path.extend(chain.into_iter().rev());
            let wait = context.frozen.waits_of(context.model, place).last();
            path.push(match wait {
                Some(wait) => {
                    let what = context.waited_for(wait);
                    format!("{} at {} on {what}", wait.operation, context.open_place(wait))
                }
                None => "no recorded wait".into(),
            });
            add(&mut lines, path, 1);
        }
    }
    finish(lines)
}

/// The mean of several runs' folded lines, for a comparison of builds: without the files of functions, whose lines move.
pub fn mean(runs: &[&[String]]) -> Vec<String> {
    let bare = |frame: &str| match frame.rfind(" (").filter(|_| frame.ends_with(')')) {
        Some(end) => frame[..end].to_owned(),
        None => frame.to_owned(),
    };
    let mut lines = BTreeMap::new();
    for line in runs.iter().copied().flatten() {
        let (path, weight) = line.rsplit_once(' ').unwrap_or((line, ""));
        add(&mut lines, path.split(';').map(bare), weight.parse().unwrap_or(0));
    }
    lines.values_mut().for_each(|weight| *weight /= runs.len() as u64);
    lines.retain(|_, weight| *weight > 0);
    finish(lines)
}

/// The process as the root, where there are several.
fn process(context: &Context<'_>, contexts: &[Context<'_>]) -> Vec<String> {
    let session = &context.model.session;
    if contexts.len() < 2 { vec![] } else { vec![format!("process {} {}", session.pid, session.exe)] }
}

fn micros(model: &Model, ticks: u64) -> u64 {
    model.ns(ticks) / 1_000
}
