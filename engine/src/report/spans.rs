//! Where requests waited and ran: by the name of the tracing span, and by trace id.
use crate::findings::Context;
use crate::model::{SpanSum, is_idle};
use serde::Serialize;
use std::collections::HashMap;

/// Requests that are told: those that waited longest.
const REQUESTS: usize = 100;

/// What happened in the spans of one name in the same enclosing spans, whatever their trace ids.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SpanReport {
    /// The name, behind those of the spans around it: "request > load".
    pub name: String,
    /// Its target.
    pub target: String,
    /// Where it is made, "file:line:column"; empty where not known.
    pub at: String,
    /// How many trace ids it was seen with.
    pub requests: u64,
    /// Waits in it, those of idle receivers among them.
    pub waits: u64,
    /// How long together, in nanoseconds.
    pub wait_ns: u64,
    /// The part of that which is trouble in itself: without idle receivers.
    pub stood_ns: u64,
    /// The longest wait of that part.
    pub max_ns: u64,
    /// The trace id of that one; empty where it has none.
    pub longest: String,
    /// How long something was held in it, in nanoseconds.
    pub hold_ns: u64,
    /// Tasks that were spawned in it.
    pub tasks: u64,
    /// Time on a core in it as far as it was sampled, in nanoseconds.
    pub cpu_ns: u64,
    /// The process, as a place among `processes`.
    pub process: usize,
}

/// What happened under one trace id.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RequestReport {
    /// The trace id.
    pub trace_id: String,
    /// The name of the span that bears it.
    pub name: String,
    /// Waits, without those of idle receivers.
    pub waits: u64,
    /// How long together, in nanoseconds.
    pub stood_ns: u64,
    /// The longest, in nanoseconds.
    pub max_ns: u64,
    /// What that one did: "lock", "send".
    pub operation: String,
    /// On what.
    pub object: String,
    /// Where, "file:line:column".
    pub at: String,
    /// Time on a core as far as it was sampled, in nanoseconds.
    pub cpu_ns: u64,
    /// The process, as a place among `processes`.
    pub process: usize,
}

/// The spans of a process.
pub(super) fn spans(context: &Context<'_>) -> Vec<SpanReport> {
    let (model, tracing) = (context.model, &context.model.tracing);
    let mut reports: HashMap<(String, u64), SpanReport> = HashMap::new();
    let mut places = HashMap::new();
    for (number, span) in &tracing.known {
        let key = (tracing.path(*number), span.at.line);
        let id = tracing.trace_id(*number);
        let report = reports.entry(key.clone()).or_insert_with(|| SpanReport {
            name: key.0.clone(),
            target: span.target.to_string(),
            at: if span.at.file.is_empty() { String::new() } else { span.at.to_string() },
            process: context.process,
            ..SpanReport::default()
        });
        report.requests += u64::from(!id.is_empty());
        report.tasks += tracing.tasks.get(number).copied().unwrap_or(0);
        report.hold_ns += tracing.holds.get(number).map_or(0, |sum| model.ns(sum.ticks));
        report.cpu_ns += tracing.cpu.get(number).map_or(0, |sum| model.ns(sum.ticks));
        places.insert(*number, key);
    }
    for (wait, sum) in &tracing.waits {
        let Some(report) = places.get(&wait.span).and_then(|key| reports.get_mut(key)) else { continue };
        report.waits += sum.count;
        report.wait_ns += model.ns(sum.ticks);
        if is_idle(wait.operation) {
            continue;
        }
        report.stood_ns += model.ns(sum.ticks);
        let (max, id) = (model.ns(sum.max), tracing.trace_id(wait.span));
        if (max, id) > (report.max_ns, &report.longest) {
            (report.max_ns, report.longest) = (max, id.into());
        }
    }
    let mut reports: Vec<SpanReport> = reports.into_values().collect();
    reports.sort_by(|one, other| {
        let cost = |of: &SpanReport| (of.stood_ns, of.hold_ns, of.wait_ns, of.cpu_ns, of.tasks);
        (cost(other), &one.name, &one.at).cmp(&(cost(one), &other.name, &other.at))
    });
    reports
}

/// The requests of a process that waited longest.
pub(super) fn requests(context: &Context<'_>) -> Vec<RequestReport> {
    let (model, tracing) = (context.model, &context.model.tracing);
    let mut sums = HashMap::new();
    for (wait, sum) in tracing.waits.iter().filter(|(wait, _)| !is_idle(wait.operation)) {
        let id = tracing.trace_id(wait.span);
        if !id.is_empty() {
            let (all, longest) = sums.entry(id).or_insert((SpanSum::default(), wait));
            // The longest lends its place; of equals the same one each time.
            let order = |max: u64, wait: &crate::model::InSpan| (max, wait.site, wait.span);
            if order(sum.max, wait) > order(all.max, longest) {
                *longest = wait;
            }
            all.take(sum);
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(id, (sum, _))| (std::cmp::Reverse(sum.ticks), *id));
    let mut ran: HashMap<&str, u64> = HashMap::new();
    for (span, sum) in &tracing.cpu {
        crate::stats::add(ran.entry(tracing.trace_id(*span)).or_default(), sum.ticks);
    }
    let report = |(id, (sum, longest)): (&str, (SpanSum, &crate::model::InSpan))| RequestReport {
        trace_id: id.into(),
        name: tracing
            .chain(longest.span)
            .find(|span| !span.trace_id.is_empty())
            .map_or_else(String::new, |span| span.name.to_string()),
        waits: sum.count,
        stood_ns: model.ns(sum.ticks),
        max_ns: model.ns(sum.max),
        operation: longest.operation.to_string(),
        object: crate::profile::object(context, longest.owner),
        at: context.wait_at(longest.owner, longest.site, 0),
        cpu_ns: model.ns(ran.get(id).copied().unwrap_or(0)),
        process: context.process,
    };
    sums.into_iter().take(REQUESTS).map(report).collect()
}
