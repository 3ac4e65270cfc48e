//! Folded stacks: one line for each path, with its weight, as flame graphs take them.
use crate::findings::Context;
use crate::model::{WaitKey, Who, Whose};
use lockprof_trace::is_library;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

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

/// The same of nanoseconds, in microseconds: what is alike is added up before it is rounded.
fn micros(mut lines: BTreeMap<String, u64>) -> Vec<String> {
    lines.values_mut().for_each(|weight| *weight /= 1_000);
    lines.retain(|_, weight| *weight > 0);
    finish(lines)
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
            add(&mut lines, path, context.model.ns(sum.ticks));
        }
    }
    micros(lines)
}

/// Time waited in microseconds: tracing spans, waiting site, object.
pub fn spans(contexts: &[Context<'_>]) -> Vec<String> {
    let mut lines = BTreeMap::new();
    for context in contexts {
        let tracing = &context.model.tracing;
        for (wait, sum) in &tracing.waits {
            let mut path = process(context, contexts);
            let around: Vec<String> = tracing.chain(wait.span).map(|span| span.name.to_string()).collect();
            path.extend(around.into_iter().rev());
            path.push(format!("{} at {}", wait.operation, context.place(wait.site)));
            path.push(crate::profile::object(context, wait.owner));
            add(&mut lines, path, context.model.ns(sum.ticks));
        }
    }
    micros(lines)
}

/// Time held in microseconds, also by what is held still: object, site that took it.
pub fn holds(contexts: &[Context<'_>]) -> Vec<String> {
    let mut lines = BTreeMap::new();
    for context in contexts {
        for ((owner, site), held) in crate::held::lines(context.model) {
            let mut path = process(context, contexts);
            path.push(crate::profile::object(context, owner));
            path.push(format!("taken at {}", context.place(site)));
            add(&mut lines, path, context.model.ns(held.ticks));
        }
    }
    micros(lines)
}

/// Time on a core in microseconds, as far as it was sampled: who, in which tracing spans, then the stack.
pub fn cpu(contexts: &[Context<'_>]) -> Vec<String> {
    let mut lines = BTreeMap::new();
    for context in contexts {
        for ((whose, stack), (_, ticks)) in &context.model.cpu.samples {
            let mut path = process(context, contexts);
            path.extend(of(context, *whose));
            path.extend(context.whole_stack(*stack).into_iter().rev());
            add(&mut lines, path, context.model.ns(*ticks));
        }
    }
    micros(lines)
}

/// Time on cores and in waits in microseconds: who, in which tracing spans, whether it ran or waited, then the stack.
/// Empty without samples.
pub fn time(contexts: &[Context<'_>]) -> Vec<String> {
    let mut lines = BTreeMap::new();
    for context in contexts.iter().filter(|context| !context.model.cpu.samples.is_empty()) {
        let model = context.model;
        for ((whose, stack), (_, ticks)) in &model.cpu.samples {
            let mut path = process(context, contexts);
            path.extend(of(context, *whose));
            path.push("runs".into());
            path.extend(context.whole_stack(*stack).into_iter().rev());
            add(&mut lines, path, model.ns(*ticks));
        }
        // What of a class's waits is in spans is told of these.
        let mut in_spans: HashMap<&WaitKey, u64> = HashMap::new();
        for ((_, key), ticks) in model.cpu.waits.iter().filter(|((_, key), _)| key.by != 0) {
            crate::stats::add(in_spans.entry(key).or_default(), *ticks);
        }
        let of_classes = model.waits.iter().filter(|(key, _)| key.by != 0).map(|(key, sum)| {
            let outside = sum.ticks.saturating_sub(in_spans.get(key).copied().unwrap_or(0));
            (Whose { who: Who::Class(key.by), span: 0 }, key, outside)
        });
        let told = model.cpu.waits.iter().map(|((whose, key), ticks)| (*whose, key, *ticks));
        for (whose, key, ticks) in of_classes.chain(told) {
            let mut path = process(context, contexts);
            path.extend(of(context, whose));
            path.push(if crate::model::is_idle(key.operation) { "is idle" } else { "waits" }.into());
            path.extend(context.stack(key.stack).into_iter().rev());
            path.push(format!("{} at {}", key.operation, context.place(key.site)));
            path.push(crate::profile::object(context, key.owner));
            add(&mut lines, path, model.ns(ticks));
        }
    }
    micros(lines)
}

/// Whose time it is: the party, then the tracing spans that it was in, outermost first.
fn of(context: &Context<'_>, whose: Whose) -> Vec<String> {
    let mut path: Vec<String> =
        context.model.tracing.chain(whose.span).map(|span| format!("span {}", span.name)).collect();
    path.push(context.who(whose.who));
    path.reverse();
    path
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

/// Folded lines as a tree, for who draws them: the frames in the order of a walk from the root.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tree {
    /// Names of frames.
    pub names: Vec<String>,
    /// Whether the frame of this name belongs to a library or the runtime, not to the program.
    pub library: Vec<bool>,
    /// Depth (from 0), name, and weight of each frame with all above it.
    pub frames: Vec<[u64; 3]>,
}

/// Makes a tree of folded lines, without the frames whose share of all is smaller than `least`.
pub fn tree(lines: &[String], least: f64) -> Tree {
    let mut sorted: Vec<(Vec<&str>, u64)> = lines
        .iter()
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(path, weight)| (path.split(';').collect(), weight.parse().unwrap_or(0)))
        .collect();
    sorted.sort_unstable();
    let total: u64 = sorted.iter().map(|(_, weight)| *weight).fold(0, u64::saturating_add);
    let (mut tree, mut known, mut open) = (Tree::default(), HashMap::new(), vec![]);
    for (path, weight) in sorted {
        let shared = open.iter().zip(&path).take_while(|((name, _), other)| name == *other).count();
        open.truncate(shared);
        for name in &path[shared..] {
            let number = *known.entry(*name).or_insert_with(|| {
                tree.names.push((*name).into());
                tree.library.push(is_library(name));
                tree.names.len() as u64 - 1
            });
            tree.frames.push([open.len() as u64, number, 0]);
            open.push((*name, tree.frames.len() - 1));
        }
        open.iter().for_each(|(_, place)| crate::stats::add(&mut tree.frames[*place][2], weight));
    }
    // What lies above a frame weighs no more than it, so whole branches go.
    tree.frames.retain(|frame| frame[2] as f64 >= least * total as f64);
    tree
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

#[cfg(test)]
mod tests {
    use super::{mean, tree};

    #[test]
    fn a_tree_is_told_from_the_root() {
        let lines = ["main;a 3", "main;a;b (/x/.cargo/registry/y.rs:1) 4", "main;c 2", "rare 0"];
        let tree = tree(&lines.map(String::from), 0.01);
        let told: Vec<(u64, &str, u64)> = tree
            .frames
            .iter()
            .map(|[depth, name, weight]| {
                (*depth, tree.names[*name as usize].split(' ').next().unwrap(), *weight)
            })
            .collect();
        assert_eq!(told, [(0, "main", 9), (1, "a", 7), (2, "b", 4), (1, "c", 2)]);
        assert_eq!(tree.library.iter().filter(|library| **library).count(), 1);
    }

    #[test]
    fn a_mean_has_no_lines_of_functions() {
        let (one, other) = (["f (a.rs:1);lock at a.rs:9 10".into()], ["f (a.rs:3);lock at a.rs:9 20".into()]);
        assert_eq!(mean(&[&one, &other]), ["f;lock at a.rs:9 15"]);
    }
}
