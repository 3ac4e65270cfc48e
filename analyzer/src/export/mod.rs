//! Traces in the forms that other tools read; one form a file.
//!
//! Profiles (pprof, folded, speedscope, CSV) sum up and are made of the model. Timelines (Firefox Profiler, Perfetto,
//! OpenTelemetry, Parquet) tell each wait and hold: their writers get the spans of a second reading of the traces.
mod csv;
mod firefox;
mod folded;
mod otlp;
#[cfg(feature = "parquet")]
mod parquet;
mod perfetto;
mod speedscope;

use crate::error::Error;
use crate::load;
use crate::progress::Progress;
use clap::ValueEnum;
use lockprof_engine::findings::Context;
use lockprof_engine::model::{Doing, Model, Span};
use lockprof_engine::pprof::{self, About, Values};
use lockprof_engine::profile::{self, Sample};
use lockprof_trace::{Event, WaitEnd};
use std::io::{self, Write};
use std::path::PathBuf;

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// For `go tool pprof`, Pyroscope, Parca: gzipped, with Go's contentions and delay
    Pprof,
    /// One line a stack, for flame graphs
    Folded,
    /// For profiler.firefox.com: a lane for each thread, and for the tasks of each spawn line
    Firefox,
    /// For speedscope.app
    Speedscope,
    /// For ui.perfetto.dev: a lane for each thread and task
    Perfetto,
    /// One row for waits, or holds, alike
    Csv,
    /// OpenTelemetry traces, a span for each wait and hold, as lines of JSON
    OtlpJson,
    /// A table of each wait and hold, for DuckDB, pandas, Spark
    #[cfg(feature = "parquet")]
    Parquet,
}

impl To {
    /// Whether it is nothing for a terminal.
    pub fn is_binary(self) -> bool {
        !matches!(self, To::Folded | To::Firefox | To::Speedscope | To::Csv | To::OtlpJson)
    }

    /// Whether it is a profile, which is of one thing; a timeline shows waits and holds.
    pub fn is_profile(self) -> bool {
        matches!(self, To::Pprof | To::Folded | To::Speedscope | To::Csv)
    }
}

/// What a profile is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Of {
    /// Time waited
    Wait,
    /// Time held
    Hold,
    /// Time waited, by tracing span
    Span,
    /// Time on a core, as far as it was sampled
    Cpu,
}

impl Of {
    /// Whether there is any of it in these.
    pub fn is_in(self, models: &[Model]) -> bool {
        models.iter().any(|model| match self {
            Of::Wait => !model.waits.is_empty(),
            Of::Hold => {
                !model.holds.is_empty()
                    || model.handles.iter().any(|held| held.role.is_guard() && held.until.is_none())
            }
            Of::Span => !model.tracing.waits.is_empty(),
            Of::Cpu => !model.cpu.samples.is_empty(),
        })
    }

    /// What is not there, and how it would be.
    pub fn missing(self) -> &'static str {
        match self {
            Of::Wait => "no wait was recorded",
            Of::Hold => "no hold that has ended was measured, and nothing is held in the end",
            Of::Span => "no wait was recorded in a tracing span; see the feature `tracing` of the agent",
            Of::Cpu => {
                "where threads run was not sampled; record with the feature `cpu` of the agent, and \
                 LOCKPROF=profile,cpu=99"
            }
        }
    }
}

/// What is exported.
pub struct Source<'a> {
    /// The processes.
    pub contexts: &'a [Context<'a>],
    /// Their traces, in the same order.
    pub traces: &'a [PathBuf],
    /// Shows how far it is where they are read again.
    pub progress: Progress,
}

impl Source<'_> {
    /// Writes it in this form. Timelines show waits and holds together and do not look at `of`.
    ///
    /// # Errors
    /// A trace cannot be read again, or `out` not be written.
    pub fn write(&self, to: To, of: Of, out: &mut (dyn Write + Send)) -> Result<(), Error> {
        match to {
            To::Pprof => {
                let values = if of == Of::Cpu { Values::Cpu } else { Values::Contentions };
                let about = About::all(self.contexts, values);
                pprof::write(self.contexts, about, &self.samples(of), out).map_err(Error::Print)
            }
            To::Folded => folded::write(self, of, out).map_err(Error::Print),
            To::Speedscope => speedscope::write(self, of, out).map_err(Error::Print),
            To::Csv => csv::write(self, of, out).map_err(Error::Print),
            To::Firefox => firefox::write(self, out),
            To::Perfetto => perfetto::write(self, out),
            To::OtlpJson => otlp::write(self, out),
            #[cfg(feature = "parquet")]
            To::Parquet => parquet::write(self, out),
        }
    }

    fn samples(&self, of: Of) -> Vec<Sample> {
        match of {
            Of::Wait => profile::waits(self.contexts),
            Of::Hold => profile::holds(self.contexts),
            Of::Span => profile::spans(self.contexts),
            Of::Cpu => profile::cpu(self.contexts),
        }
    }

    /// Reads the traces again and gives each wait and hold; those that never ended come last of each process. The first
    /// error of `take` ends it.
    fn spans(&self, mut take: impl FnMut(&Context<'_>, &Span) -> io::Result<()>) -> Result<(), Error> {
        for (context, path) in self.contexts.iter().zip(self.traces) {
            let (mut done, mut next) = (Ok(()), 0);
            load::read(path, &self.progress, |event| {
                let told = std::mem::take(&mut next);
                if let Event::Within { span } = event {
                    next = *span;
                }
                if done.is_ok()
                    && let Some(span) = Span::of(event)
                {
                    let within = context.model.parties.span_of(span.party, told);
                    done = take(context, &Span { within, ..span });
                }
            })?;
            done.and_then(|()| Span::open(context.model).try_for_each(|span| take(context, &span)))
                .map_err(Error::Print)?;
        }
        Ok(())
    }

    /// When the first process began, in nanoseconds since 1970.
    fn began(&self) -> u64 {
        self.contexts.iter().map(|context| context.model.session.unix_ns).min().unwrap_or(0)
    }
}

/// A point in time of a process, in nanoseconds since 1970.
fn unix_ns(context: &Context<'_>, ticks: u64) -> u64 {
    let session = &context.model.session;
    session.unix_ns.saturating_add(context.model.ns(ticks.saturating_sub(session.at)))
}

/// What a span is called: "lock parking_lot::Mutex created at src/main.rs:3".
fn title(context: &Context<'_>, span: &Span) -> String {
    let object = match span.object {
        0 => "the end of a task or thread".into(),
        object => context.object_name(object),
    };
    match span.doing {
        Doing::Wait(operation, _) => format!("{operation} {object}"),
        Doing::Hold | Doing::Keep => format!("held {object}"),
    }
}

/// What is worth knowing of a span, by name; nothing is empty.
fn facts(context: &Context<'_>, span: &Span) -> Vec<(&'static str, String)> {
    let end = match span.doing {
        Doing::Wait(_, None) | Doing::Keep => "never",
        Doing::Wait(_, Some(WaitEnd::Done)) | Doing::Hold => "",
        Doing::Wait(_, Some(end)) => end.name(),
    };
    let holder = if span.holder.0 == 0 { String::new() } else { context.party_name(span.holder) };
    let facts = [
        ("at", context.site(span.site)),
        ("kind", context.model.kind_of(span.object).to_string()),
        ("held by", holder),
        ("held from", context.site(span.holder_site)),
        ("ended", end.into()),
        ("spawned at", context.spawned_at(span.party)),
        ("in", context.model.tracing.path(span.within)),
        ("trace id", context.model.tracing.trace_id(span.within).into()),
    ];
    facts.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}
