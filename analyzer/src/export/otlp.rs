//! OpenTelemetry's traces in their JSON coding, as the collector's file exporter writes and its file receiver reads them:
//! a request a line. A span for each wait and hold, in one trace for each process.
use super::{Source, facts, title, unix_ns};
use crate::error::Error;
use lockprof_engine::findings::Context;
use lockprof_engine::model::Span;
use serde::Serialize;
use std::io::{self, Write};

/// Spans in one line.
const BATCH: usize = 512;
const KIND_INTERNAL: u8 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource,
    scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Serialize)]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: &'a [Told],
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

/// Numbers of 64 bits are texts, ids are hexadecimal.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    trace_id: String,
    span_id: String,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
}

#[derive(Serialize)]
struct Attribute {
    key: String,
    value: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Value {
    string_value: String,
}

impl Attribute {
    fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self { key: key.into(), value: Value { string_value: text.into() } }
    }
}

pub(super) fn write(source: &Source<'_>, out: &mut dyn Write) -> Result<(), Error> {
    let (mut batch, mut of, mut last) = (vec![], 0, 0u64);
    source.spans(|context, span| {
        if batch.len() >= BATCH || of != context.process {
            line(&source.contexts[of], &batch, out)?;
            batch.clear();
            of = context.process;
        }
        last += 1;
        batch.push(told(context, span, last));
        Ok(())
    })?;
    match source.contexts.get(of) {
        Some(context) => line(context, &batch, out).map_err(Error::Print),
        None => Ok(()),
    }
}

fn told(context: &Context<'_>, span: &Span, number: u64) -> Told {
    let session = &context.model.session;
    let who = Attribute::new("lockprof.party", context.party_name(span.party));
    let more = facts(context, span).into_iter();
    let more = more.map(|(name, text)| Attribute::new(format!("lockprof.{}", name.replace(' ', "_")), text));
    Told {
        // Neither may be zero.
        trace_id: format!("{:016x}{:016x}", session.unix_ns, session.pid | 1 << 63),
        span_id: format!("{number:016x}"),
        name: title(context, span),
        kind: KIND_INTERNAL,
        start_time_unix_nano: unix_ns(context, span.begin).to_string(),
        end_time_unix_nano: unix_ns(context, span.end).to_string(),
        attributes: std::iter::once(who).chain(more).collect(),
    }
}

fn line(context: &Context<'_>, spans: &[Told], out: &mut dyn Write) -> io::Result<()> {
    if spans.is_empty() {
        return Ok(());
    }
    let session = &context.model.session;
    let name = session.exe.rsplit('/').next().unwrap_or_default();
    let attributes = vec![
        Attribute::new("service.name", name),
        Attribute::new("process.executable.path", &*session.exe),
        Attribute::new("process.pid", session.pid.to_string()),
    ];
    let scope = Scope { name: "lockprof", version: env!("CARGO_PKG_VERSION") };
    let spans =
        ResourceSpans { resource: Resource { attributes }, scope_spans: [ScopeSpans { scope, spans }] };
    serde_json::to_writer(&mut *out, &Request { resource_spans: [spans] })?;
    out.write_all(b"\n")
}
