//! Tracing spans on what is recorded, so that a wait can be read by request.
//!
//! [`layer`] makes a layer for `tracing_subscriber`. The span that a thread is in stands on the waits that begin in it, on
//! the holds that end in it, as far as they are told, and on the tasks that are spawned in it. Of the values of a span's
//! fields one is recorded, the trace id; no other, and nothing of events.
#[cfg(feature = "console")]
mod console;
#[cfg(tokio_unstable)]
mod plain;

#[cfg(feature = "console")]
pub use console::console;

use crate::recorder::is_recording;
use crate::recorder::span::{Live, TraceId, leave};
use std::fmt::{Debug, Write};
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Metadata, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// The field that is taken for the trace id, unless another is named.
pub const TRACE_ID: &str = "trace_id";

/// A layer of a `tracing_subscriber` that tells the recorder which span a thread is in. Made by [`layer`].
#[derive(Clone, Debug)]
pub struct Layer {
    trace_id: Box<str>,
}

/// A layer for `tracing_subscriber`: with it the trace tells in which span, and so in which request, somebody waited.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let subscriber = tracing_subscriber::registry().with(lockprof::layer());
/// # drop(subscriber);
/// ```
pub fn layer() -> Layer {
    Layer { trace_id: TRACE_ID.into() }
}

impl Layer {
    /// Takes the value of this field for the trace id, instead of [`TRACE_ID`]: its first 48 bytes. A span that has no such
    /// field has the trace id of the one around it.
    #[must_use]
    pub fn trace_id_field(self, name: &str) -> Self {
        Self { trace_id: name.into() }
    }

    /// The trace id among these values; `None` where there is none.
    fn trace_id(
        &self,
        metadata: &'static Metadata<'static>,
        record: impl FnOnce(&mut Wanted),
    ) -> Option<TraceId> {
        let field = metadata.fields().field(&self.trace_id)?;
        let mut wanted = Wanted { field, id: None };
        record(&mut wanted);
        wanted.id
    }
}

/// Whether this is what tokio tells of its tasks and resources, for tools: no span of the program.
fn is_of_runtime(metadata: &Metadata<'_>) -> bool {
    match metadata.is_span() {
        true => metadata.name().starts_with("runtime."),
        false => metadata.target().starts_with("runtime::") || metadata.target().starts_with("tokio::"),
    }
}

/// Takes the value of one field, as text.
struct Wanted {
    field: Field,
    id: Option<TraceId>,
}

impl Visit for Wanted {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if *field == self.field {
            let mut id = TraceId::default();
            // What is too long is cut; a value that cannot be written is as good as none.
            self.id = write!(id, "{value:?}").is_ok().then_some(id);
        }
    }
}

/// Gives the innermost span that is recorded, of this one and those around it, to `act`.
fn innermost<'a, S: LookupSpan<'a>, T>(span: Option<SpanRef<'a, S>>, act: impl Fn(Option<&Live>) -> T) -> T {
    let mut next = span;
    while let Some(span) = next {
        if let Some(live) = span.extensions().get::<Live>() {
            return act(Some(live));
        }
        next = span.parent();
    }
    act(None)
}

impl<S> tracing_subscriber::Layer<S> for Layer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|_| is_recording()) else { return };
        let metadata = attributes.metadata();
        if is_of_runtime(metadata) {
            #[cfg(tokio_unstable)]
            plain::begin(&span, attributes);
            return;
        }
        let Some(live) = innermost(span.parent(), |parent| Live::new(metadata, parent)) else { return };
        if let Some(id) = self.trace_id(metadata, |wanted| attributes.record(wanted)) {
            live.set_trace_id(&id);
        }
        span.extensions_mut().insert(live);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let id = self.trace_id(span.metadata(), |wanted| values.record(wanted));
        if let (Some(id), Some(live)) = (id, span.extensions().get::<Live>()) {
            live.set_trace_id(&id);
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let span = context.span(id);
        #[cfg(tokio_unstable)]
        if let Some(span) = span.as_ref().filter(|span| is_of_runtime(span.metadata())) {
            plain::enter(span);
            if !plain::hides(span.name()) {
                return;
            }
        }
        innermost(span, |live| live.map_or_else(leave, Live::enter));
    }

    #[cfg(tokio_unstable)]
    fn on_event(&self, event: &tracing_core::Event<'_>, context: Context<'_, S>) {
        if is_of_runtime(event.metadata()) {
            plain::event(event, context.lookup_current());
        }
    }

    #[cfg_attr(not(tokio_unstable), allow(unused_variables))]
    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        #[cfg(tokio_unstable)]
        if let Some(span) = context.span(id).as_ref().filter(|span| is_of_runtime(span.metadata())) {
            plain::exit(span);
            if !plain::hides(span.name()) {
                return;
            }
        }
        innermost(context.lookup_current(), |live| live.map_or_else(leave, Live::enter));
    }
}
