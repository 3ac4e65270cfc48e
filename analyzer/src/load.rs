//! Traces from files: opened with care, completed from what their process left in memory, and given event by event.
//!
//! What is missing or damaged does not stop the reading where something is left to read; it is told in [`Loaded::notes`].
mod apart;

use crate::collect::{self, Found, Left};
use crate::error::Error;
use crate::progress::Progress;
use lockprof_trace::file::{self, HoldKey, HoldTime, Reader};
use lockprof_trace::{End, Event};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Damages that are told one by one; there may be any number.
const DAMAGES_TOLD: usize = 3;

/// How often a trace is opened that a flight recorder writes anew meanwhile, and how long it is waited for that in between.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(1);

/// What is known of a trace once it was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What a reader of the report should know about the trace: what is missing, and why.
    pub notes: Vec<String>,
    /// How many events were read.
    pub events: u64,
    /// What happened to it, where it is not whole: "damaged at byte 4711". A trace that was collected from memory is whole, and
    /// so is one that is still written.
    pub broken: Option<String>,
}

/// Reads the trace at `path` and gives its events to `sink`, in the order of the file; `progress` shows how far it is.
///
/// # Errors
/// There is no trace to read there.
pub fn read(path: &Path, progress: &Progress, mut sink: impl FnMut(&Event<'_>)) -> Result<Loaded, Error> {
    read_with(path, progress, |reader, met| in_order(reader, met, &mut sink))
}

/// The same for a sink that adds up: holds that have all but their times in common come together, behind what else their
/// block tells.
///
/// # Errors
/// As those of [`read`].
pub fn read_apart(path: &Path, progress: &Progress, mut sink: impl FnMut(Told<'_>)) -> Result<Loaded, Error> {
    read_with(path, progress, |reader, met| apart::read(reader, met, &mut sink))
}

/// What [`read_apart`] gives.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// An event. Holds are only among them where they belong to the [`Event::Within`] before them.
    Event(&'a Event<'a>),
    /// Holds that happened in no tracing span.
    Holds(HoldKey, &'a [HoldTime]),
}

type From<'a> = Box<dyn Read + 'a>;

fn read_with(
    path: &Path,
    progress: &Progress,
    decode: impl FnOnce(&mut Reader<From<'_>>, &mut Met),
) -> Result<Loaded, Error> {
    let wrong = |error| Error::Trace(path.into(), error);
    let mut loaded = Loaded::default();
    let mut tries = 1..=TRIES;
    let (mut file, left) = loop {
        let last = tries.next() == Some(TRIES);
        let file = open(path)?;
        let Some(session) = collect::Session::of(&file).map_err(wrong)? else { break (file, None) };
        match collect::left(&session, path, &file, last) {
            Ok(Found::Anew) => thread::sleep(PAUSE),
            Ok(Found::Left(left)) => break (file, Some(left)),
            Ok(Found::Nothing) => break (file, None),
            Err(reason) => {
                loaded.notes.push(reason);
                break (file, None);
            }
        }
    };
    file.seek(SeekFrom::Start(0)).map_err(|error| wrong(error.into()))?;
    let bytes = file.metadata().map_or(0, |facts| facts.len());
    let file = progress.of(file, path, bytes);
    let from: From<'_> = match &left {
        None => Box::new(file),
        Some(Left { file_bytes, events, note, short }) => {
            loaded.notes.extend(note.clone());
            loaded.broken = short.then(|| "shorter than its recorder wrote it".into());
            Box::new(file.take(*file_bytes).chain(&events[..]))
        }
    };
    let (mut reader, mut met) = (Reader::new(from).map_err(wrong)?, Met::default());
    decode(&mut reader, &mut met);
    loaded.tell(path, met, reader.cut())?;
    Ok(loaded)
}

fn in_order(reader: &mut Reader<From<'_>>, met: &mut Met, sink: &mut impl FnMut(&Event<'_>)) {
    loop {
        match reader.block() {
            Ok(Some(events)) => {
                for event in events {
                    match event {
                        Ok(event) => {
                            met.event(&event);
                            sink(&event);
                        }
                        Err(error) => _ = met.error(error),
                    }
                }
            }
            Ok(None) => break,
            Err(error) => {
                if !met.error(error) {
                    break;
                }
            }
        }
    }
    met.skipped += reader.skipped();
}

impl Loaded {
    /// Says what was met on the way.
    fn tell(&mut self, path: &Path, met: Met, cut: Option<u64>) -> Result<(), Error> {
        self.events = met.events;
        if self.events == 0 {
            return Err(met
                .failed
                .map_or_else(|| Error::NoSession(path.into()), |error| Error::Trace(path.into(), error)));
        }
        let path = path.display();
        self.broken = self.broken.take().or_else(|| met.broken(cut));
        self.notes.extend(met.failed.map(|error| format!("{path}: {error}; what follows is not analyzed")));
        let damages = met.damages.iter();
        self.notes.extend(
            damages.map(|damage| format!("{path}: {damage}; the rest is analyzed without that block")),
        );
        if met.damaged > DAMAGES_TOLD {
            self.notes.push(format!("{path}: damaged in {} places", met.damaged));
        }
        if let Some(cut) = cut {
            self.notes.push(format!("{path}: cut off in the block at byte {cut}; all before it is analyzed"));
        }
        if met.skipped > 0 {
            let skipped = met.skipped;
            self.notes.push(format!(
                "{path}: {skipped} events of a newer lockprof are not understood and passed over"
            ));
        }
        if !met.finished && self.notes.is_empty() {
            self.notes.push(format!(
                "{path}: ends without the state at the end, and its process left no memory to collect it from; open \
                 waits are not known"
            ));
        }
        Ok(())
    }
}

/// What was met on the way through a trace.
#[derive(Default)]
struct Met {
    events: u64,
    /// The state at the end was among them.
    finished: bool,
    /// So was the state at this moment, of a process that runs still.
    live: bool,
    skipped: u64,
    damaged: usize,
    /// The first of the damages.
    damages: Vec<file::Error>,
    /// Why it could not be read to its end.
    failed: Option<file::Error>,
}

impl Met {
    fn event(&mut self, event: &Event<'_>) {
        self.events += 1;
        if let Event::Finish { end, .. } = event {
            self.finished |= matches!(end, End::Finished | End::Collected);
            self.live |= matches!(end, End::Cut);
        }
    }

    /// What happened to the trace, where it is not whole.
    fn broken(&self, cut: Option<u64>) -> Option<String> {
        if let Some(error) = self.damages.first().or(self.failed.as_ref()) {
            Some(error.to_string())
        } else if let Some(cut) = cut {
            Some(format!("cut off in the block at byte {cut}"))
        } else if !self.finished && !self.live {
            Some("cut off before the state at its end".into())
        } else {
            None
        }
    }

    /// Takes an error; whether there may be more to read behind it.
    fn error(&mut self, error: file::Error) -> bool {
        match error {
            file::Error::Corrupt { .. } => {
                self.damaged += 1;
                if self.damages.len() < DAMAGES_TOLD {
                    self.damages.push(error);
                }
                true
            }
            error => {
                self.failed = Some(error);
                false
            }
        }
    }
}

/// Opens what can be a trace: a regular file. Nothing else, which might block or never end.
pub fn open(path: &Path) -> Result<File, Error> {
    let fail = |error| Error::open(path.into(), error);
    let facts = fs::metadata(path).map_err(fail)?;
    if facts.is_dir() {
        return Err(Error::Folder(path.into()));
    }
    if !facts.is_file() {
        return Err(Error::Special(path.into()));
    }
    File::open(path).map_err(fail)
}
