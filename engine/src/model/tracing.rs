//! What happened in which tracing span: waits, holds and spawned tasks, summed.
//!
//! What a task does outside of any span counts as done in the span that it was spawned in: a request's work stays the
//! request's, though its tasks be not instrumented.
use super::Owner;
use crate::stats::add;
use lockprof_trace::{Event, Operation};
use std::collections::HashMap;

/// Spans around a span that are looked at: a chain that is longer is damaged.
const DEPTH: usize = 64;

/// A span: all of one place in one enclosing span, with one trace id.
#[derive(Clone, Debug)]
pub struct TracingSpan {
    /// The span around it; 0: none.
    pub parent: u64,
    /// Its name.
    pub name: Box<str>,
    /// Its target.
    pub target: Box<str>,
    /// Where it is made; an empty file where not known.
    pub at: super::Site,
    /// Its own trace id; empty where it has none.
    pub trace_id: Box<str>,
    /// The first one that was told of its place in spans of the same places, whatever the trace ids.
    pub like: u64,
}

/// Waits alike in one span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InSpan {
    /// The span.
    pub span: u64,
    /// What was waited for.
    pub owner: Owner,
    /// Doing what.
    pub operation: Operation,
    /// Where.
    pub site: u64,
}

/// Sums over what happened in a span. Lengths in ticks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpanSum {
    /// How many.
    pub count: u64,
    /// How long together.
    pub ticks: u64,
    /// The longest.
    pub max: u64,
}

impl SpanSum {
    /// Adds one of this length.
    pub fn one(&mut self, ticks: u64) {
        self.take(&SpanSum { count: 1, ticks, max: ticks });
    }

    /// Adds another sum.
    pub fn take(&mut self, other: &SpanSum) {
        self.count += other.count;
        add(&mut self.ticks, other.ticks);
        self.max = self.max.max(other.max);
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct TracingSpans {
    /// By number.
    pub known: HashMap<u64, TracingSpan>,
    /// Waits, those among them that never ended.
    pub waits: HashMap<InSpan, SpanSum>,
    /// Holds that were noticed or timed, by span.
    pub holds: HashMap<u64, SpanSum>,
    /// Tasks spawned, by span.
    pub tasks: HashMap<u64, u64>,
    /// Time on a core as far as it was sampled, by span.
    pub cpu: HashMap<u64, SpanSum>,
    /// The first span of each place, by what is alike.
    places: HashMap<(u64, Box<str>, super::Site), u64>,
}

impl TracingSpans {
    /// Takes the definition of a span.
    pub(super) fn define(&mut self, event: &Event<'_>) {
        if let Event::Span { span, parent, name, target, file, line, trace_id } = event {
            let at = super::Site { file: file.as_ref().into(), line: *line, column: 1 };
            let (name, target): (Box<str>, Box<str>) = (name.as_ref().into(), target.as_ref().into());
            let place = (self.like(*parent), name.clone(), at.clone());
            let like = *self.places.entry(place).or_insert(*span);
            let trace_id = trace_id.as_ref().into();
            let known = TracingSpan { parent: *parent, name, target, at, trace_id, like };
            self.known.insert(*span, known);
        }
    }

    /// The span that stands for all of the place of this one; itself where it is not known yet.
    pub(super) fn like(&self, span: u64) -> u64 {
        self.known.get(&span).map_or(span, |known| known.like)
    }

    /// A span and those around it, innermost first.
    pub fn chain(&self, span: u64) -> impl Iterator<Item = &TracingSpan> {
        let first = self.known.get(&span);
        std::iter::successors(first, |inner| self.known.get(&inner.parent)).take(DEPTH)
    }

    /// The trace id of a span, which may be that of one around it; empty where there is none.
    pub fn trace_id(&self, span: u64) -> &str {
        self.chain(span).map(|span| &*span.trace_id).find(|id| !id.is_empty()).unwrap_or_default()
    }

    /// The names of a span and those around it, outermost first: "request > load".
    pub fn path(&self, span: u64) -> String {
        let mut names: Vec<&str> = self.chain(span).map(|span| &*span.name).collect();
        names.reverse();
        names.join(" > ")
    }

    /// Brings together what is known of the same objects by now.
    pub(super) fn by(self, owner: impl Fn(Owner) -> Owner) -> Self {
        let mut waits: HashMap<InSpan, SpanSum> = HashMap::with_capacity(self.waits.len());
        for (key, sum) in self.waits {
            waits.entry(InSpan { owner: owner(key.owner), ..key }).or_default().take(&sum);
        }
        Self { waits, ..self }
    }
}
