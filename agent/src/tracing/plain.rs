//! Tasks and waits of code that uses tokio plainly, as tokio itself tells of them with `--cfg tokio_unstable` and its feature
//! `tracing`.
//!
//! A spawned task is a span, entered while it is polled and closed when it is gone: how it ended tokio does not say. A lock,
//! semaphore, barrier or oneshot channel is a span, and each operation on it another one, in which events tell whether it
//! was ready. What the wrappers record is left out here, and so are timers, since they make nobody wait for somebody.
use super::TraceId;
use crate::recorder::{
    Polling, Task, Wait, drop_object, foreign, is_own_poll, is_own_spawn, is_recording, new_foreign,
};
use lockprof_trace::{Kind, Operation, Outcome, WaitEnd};
use std::fmt::{Debug, Write};
use tracing_core::Event;
use tracing_core::field::{Field, Visit};
use tracing_core::span::Attributes;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

const SPAWN: &str = "runtime.spawn";
const RESOURCE: &str = "runtime.resource";
const OPERATION: &str = "runtime.resource.async_op";
const POLL: &str = "runtime.resource.async_op.poll";

/// A task that is a span.
struct PlainTask {
    task: Option<Task>,
    polling: Option<Polling>,
}

impl Drop for PlainTask {
    fn drop(&mut self) {
        self.polling = None;
        if let Some(task) = self.task.take() {
            task.finish(Outcome::Finished);
        }
    }
}

/// A resource that is a span; it has an id once somebody waits for it.
struct Resource {
    site: u64,
    id: u32,
}

impl Drop for Resource {
    fn drop(&mut self) {
        if self.id != 0 {
            drop_object(self.id);
        }
    }
}

/// An operation on a resource, and its wait, if it has one.
struct PlainWait {
    operation: Operation,
    wait: Option<Wait>,
}

/// What tokio tells in fields.
#[derive(Default)]
struct Fields {
    site: (String, u64, u64),
    kind: Text,
    source: Text,
    timer: bool,
    internal: bool,
    ready: Option<bool>,
}

/// A short text, without an allocation.
#[derive(Default)]
struct Text(TraceId);

impl Text {
    fn is(&self, wanted: &str) -> bool {
        self.0.as_bytes() == wanted.as_bytes()
    }

    fn contains(&self, part: &str) -> bool {
        self.0.as_bytes().windows(part.len()).any(|window| window == part.as_bytes())
    }

    fn set(&mut self, value: &dyn Debug) {
        self.0 = TraceId::default();
        // What is too long is cut.
        let _ = write!(self.0, "{value:?}");
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "loc.file" => self.site.0 = value.into(),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "loc.line" => self.site.1 = value,
            "loc.col" => self.site.2 = value,
            _ => {}
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "is_internal" => self.internal = value,
            "is_ready" => self.ready = Some(value),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "kind" => {
                self.kind.set(value);
                self.timer = self.kind.is("timer");
            }
            "source" => self.source.set(value),
            _ => {}
        }
    }
}

impl Fields {
    fn site(&self) -> u64 {
        let (file, line, column) = &self.site;
        if file.is_empty() { 0 } else { foreign(file, *line, *column) }
    }

    fn operation(&self) -> Operation {
        let known = [
            ("Mutex::lock", Operation::Lock),
            ("RwLock::read", Operation::Read),
            ("RwLock::write", Operation::Write),
            ("Semaphore::acquire", Operation::Acquire),
            ("Barrier::wait", Operation::Barrier),
            ("Receiver::", Operation::Recv),
        ];
        let found = known.into_iter().find(|(source, _)| self.source.contains(source));
        found.map_or(Operation::Unknown, |(_, operation)| operation)
    }
}

/// A span of the runtime is made.
pub(super) fn begin<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>, attributes: &Attributes<'_>) {
    let mut fields = Fields::default();
    match span.name() {
        SPAWN if !is_own_spawn() => {
            attributes.record(&mut fields);
            let kind = match () {
                _ if fields.kind.is("task") || fields.kind.is("local") => Kind::Task,
                _ if fields.kind.is("blocking") => Kind::BlockingTask,
                _ => return,
            };
            // Its wakers are not counted.
            let task = Task::spawn_at(kind, fields.site(), 0);
            span.extensions_mut().insert(PlainTask { task, polling: None });
        }
        RESOURCE => {
            attributes.record(&mut fields);
            if !fields.internal && !fields.timer {
                span.extensions_mut().insert(Resource { site: fields.site(), id: 0 });
            }
        }
        OPERATION => {
            attributes.record(&mut fields);
            let operation = fields.operation();
            span.extensions_mut().insert(PlainWait { operation, wait: None });
        }
        _ => {}
    }
}

/// A span is entered: a task's poll begins.
pub(super) fn enter<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) {
    if span.name() == SPAWN
        && let Some(plain) = span.extensions_mut().get_mut::<PlainTask>()
    {
        plain.polling = plain.task.as_mut().and_then(Task::poll);
    }
}

/// A span is left: a task's poll ends.
pub(super) fn exit<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) {
    if span.name() == SPAWN
        && let Some(plain) = span.extensions_mut().get_mut::<PlainTask>()
    {
        plain.polling = None;
    }
}

/// Whether a thread is in another span of the program's because it is in this one of the runtime's.
pub(super) fn hides(name: &str) -> bool {
    name == SPAWN
}

/// The runtime tells what an operation came to, in the span of its poll.
pub(super) fn event<'a, S: LookupSpan<'a>>(event: &Event<'_>, current: Option<SpanRef<'a, S>>) {
    let Some(operation) = current.filter(|span| span.name() == POLL).and_then(|poll| poll.parent()) else {
        return;
    };
    let Some(resource) = operation.parent() else { return };
    let mut fields = Fields::default();
    event.record(&mut fields);
    match fields.ready {
        Some(true) => {
            let wait = operation.extensions_mut().get_mut::<PlainWait>().and_then(|plain| plain.wait.take());
            if let Some(wait) = wait {
                wait.end(WaitEnd::Done);
            }
        }
        Some(false) if is_recording() && !is_own_poll() => {
            let (id, site) = match resource.extensions_mut().get_mut::<Resource>() {
                None => return,
                Some(of) => {
                    if of.id == 0 {
                        of.id = new_foreign(Kind::TokioResource, of.site);
                    }
                    (of.id, of.site)
                }
            };
            if let Some(plain) = operation.extensions_mut().get_mut::<PlainWait>()
                && plain.wait.is_none()
            {
                plain.wait = Wait::begin_foreign(id, plain.operation, site);
            }
        }
        _ => {}
    }
}
