//! What the commands do. Only here is anything printed, or written to a folder.
mod advise;
mod analyze;
mod check;
mod diff;
mod export;
mod run;
mod shell;
mod top;

use crate::cli::{Ask, Format};
use crate::error::Error;
use crate::folder;
use crate::load::{self, Told};
use crate::modules::{Modules, Process};
use crate::progress::Progress;

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use lockprof_engine::model::Model;
use lockprof_engine::report::TextOptions;
use lockprof_engine::report::{self, Report, shown};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

pub use advise::advise;
pub use analyze::analyze;
pub use check::check;
pub use diff::diff;
pub use export::export;
pub use run::run;
pub use shell::{completions, man};
pub use top::top;

/// Traces that were read, each of one process.
#[derive(Default)]
struct Recording {
    models: Vec<Model>,
    modules: Modules,
    notes: Vec<String>,
    /// Where they were read from.
    paths: Vec<PathBuf>,
    /// Whether some could not be read.
    incomplete: bool,
    /// Those that are not whole, and what happened to each.
    broken: Vec<(PathBuf, String)>,
}

impl Recording {
    /// Reads these traces, each once. What is wrong with one of them is told, and the others are read.
    fn load(paths: &[PathBuf]) -> Self {
        Self::load_into(paths, Model::new)
    }

    /// The same, with what a timeline is drawn from.
    fn load_drawn(paths: &[PathBuf]) -> Self {
        Self::load_into(paths, Model::with_lanes)
    }

    fn load_into(paths: &[PathBuf], empty: fn() -> Model) -> Self {
        let mut recording = Recording::default();
        let mut named = BTreeSet::new();
        for path in paths {
            // One that is not there is told by who opens it.
            if path.canonicalize().is_ok_and(|path| !named.insert(path)) {
                recording.notes.push(format!("{}: named more than once, and read once", path.display()));
                continue;
            }
            let (mut model, mut process) = (empty(), Process::default());
            let progress = Progress::new(!is_quiet());
            let read = load::read_apart(path, &progress, |told| match told {
                Told::Event(event) => {
                    process.event(event);
                    model.event(event);
                }
                Told::Holds(key, times) => model.holds(key, times),
            });
            match read {
                Ok(loaded) => {
                    recording.notes.extend(loaded.notes);
                    recording.broken.extend(loaded.broken.map(|broken| (path.clone(), broken)));
                    recording.models.push(model);
                    recording.modules.add(process);
                    recording.paths.push(path.clone());
                }
                Err(error) => {
                    complain(&error);
                    recording.incomplete = true;
                }
            }
        }
        recording
    }

    /// Analyzes what was read.
    fn report(mut self, ask: &Ask) -> Report {
        self.modules.look_in(&ask.symbols);
        let mut report = lockprof_engine::analyze(self.models, &ask.options(), &self.modules);
        report.broken = !self.broken.is_empty();
        report.notes = self.notes;
        report.notes.extend(self.modules.notes());
        report.notes.iter().for_each(note);
        report
    }
}

/// Prints a report in the form that was asked for, to a stream that takes colours out where they are not wanted.
fn print(report: &Report, format: Format, out: &mut dyn Write) -> Result<(), Error> {
    print_as(format, report, out, || {
        let mut options = TextOptions { color: true, ..TextOptions::default() };
        options.width = columns().unwrap_or(options.width);
        report::text::render(report, &options)
    })
}

/// Columns of the terminal; else those that the environment tells.
fn columns() -> Option<usize> {
    let terminal = terminal_size::terminal_size().map(|(columns, _)| columns.0.into());
    terminal.or_else(|| std::env::var("COLUMNS").ok()?.parse().ok())
}

/// Prints something in the form that was asked for.
fn print_as(
    format: Format,
    what: &impl Serialize,
    out: &mut dyn Write,
    text: impl FnOnce() -> String,
) -> Result<(), Error> {
    let printed = match format {
        Format::Text => out.write_all(text().as_bytes()),
        Format::Json => serde_json::to_writer_pretty(&mut *out, what)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
    };
    match printed.and_then(|()| out.flush()) {
        // Who reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(Error::Print),
    }
}

/// Writes a report's files into a folder, which is made where it is not there.
fn write(report: &Report, dir: &Path) -> Result<(), Error> {
    let wrote = folder::write(report, dir);
    wrote.map_err(|error| Error::Output(dir.into(), error))
}

/// Tells the whole story behind a finding's code.
pub fn explain(code: &str) -> Result<u8, Error> {
    let text = lockprof_engine::findings::explain(code).ok_or_else(|| Error::NoCode(code.into()))?;
    match writeln!(anstream::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Print(error)),
        _ => Ok(0),
    }
}

/// Says what went wrong.
pub fn complain(error: &Error) {
    say(AnsiColor::Red.on_default().bold(), "error", error);
}

/// Whether nothing is said but errors. One command line is one process, and whoever says something asks here.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on nothing is said but errors, and what was asked for.
pub fn quieten() {
    QUIET.store(true, Ordering::Relaxed);
}

fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Says what the reader of a report should know.
fn note(text: impl Display) {
    if is_quiet() {
        return;
    }
    say(AnsiColor::Yellow.on_default().bold(), "note", &text);
}

/// Nobody can be told that nobody can be told. A trace may come from anybody, and paths that it names are in what is said.
fn say(style: Style, kind: &str, text: &dyn Display) {
    let text = shown(&text.to_string());
    let mut stderr = AutoStream::new(io::stderr(), ColorChoice::Auto);
    drop(writeln!(stderr, "{style}{kind}{style:#}: {text}"));
}
