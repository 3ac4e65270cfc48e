//! Traces from files: opened with care, completed from what their process left in memory, and given event by event.
//!
//! What is missing or damaged does not stop the reading where something is left to read; it is told in [`Loaded::notes`].
use crate::collect::{self, Left};
use crate::error::Error;
use crate::progress::Progress;
use lockprof_trace::file::{self, Reader};
use lockprof_trace::{End, Event};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Damages that are told one by one; there may be any number.
const DAMAGES_TOLD: usize = 3;

/// What is known of a trace once it was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What a reader of the report should know about the trace: what is missing, and why.
    pub notes: Vec<String>,
    /// How many events were read.
    pub events: u64,
}

/// Reads the trace at `path` and gives its events to `sink`, in the order of the file; `progress` shows how far it is.
///
/// # Errors
/// There is no trace to read there.
pub fn read(path: &Path, progress: &Progress, mut sink: impl FnMut(&Event<'_>)) -> Result<Loaded, Error> {
    let mut file = open(path)?;
    let wrong = |error| Error::Trace(path.into(), error);
    let session = collect::Session::of(&file).map_err(wrong)?;
    let mut loaded = Loaded::default();
    let left = match session.map(|session| collect::left(&session, path, &file)).transpose() {
        Ok(left) => left.flatten(),
        Err(reason) => {
            loaded.notes.push(reason);
            None
        }
    };
    file.seek(SeekFrom::Start(0)).map_err(|error| wrong(error.into()))?;
    let bytes = file.metadata().map_or(0, |facts| facts.len());
    let file = progress.of(file, path, bytes);
    match left {
        None => loaded.read(path, file, &mut sink)?,
        Some(Left { file_bytes, events, note }) => {
            loaded.notes.extend(note);
            loaded.read(path, file.take(file_bytes).chain(&events[..]), &mut sink)?;
        }
    }
    Ok(loaded)
}

impl Loaded {
    fn read(&mut self, path: &Path, from: impl Read, sink: &mut impl FnMut(&Event<'_>)) -> Result<(), Error> {
        let mut reader = Reader::new(from).map_err(|error| Error::Trace(path.into(), error))?;
        let mut finished = false;
        let mut damages = vec![];
        loop {
            match reader.block() {
                Ok(Some(events)) => {
                    for event in events {
                        match event {
                            Ok(event) => {
                                self.events += 1;
                                finished |= matches!(
                                    event,
                                    Event::Finish { end: End::Finished | End::Collected, .. }
                                );
                                sink(&event);
                            }
                            Err(error) => damages.push(error),
                        }
                    }
                }
                Ok(None) => break,
                Err(error @ file::Error::Corrupt { .. }) => damages.push(error),
                Err(error) if self.events == 0 => return Err(Error::Trace(path.into(), error)),
                Err(error) => {
                    self.notes.push(format!("{}: {error}; what follows is not analyzed", path.display()));
                    break;
                }
            }
            damages.truncate(DAMAGES_TOLD);
        }
        for damage in damages {
            self.notes.push(format!("{}: {damage}; the rest is analyzed without that block", path.display()));
        }
        if reader.damaged() > DAMAGES_TOLD as u64 {
            self.notes.push(format!("{}: damaged in {} places", path.display(), reader.damaged()));
        }
        if let Some(cut) = reader.cut() {
            self.notes.push(format!(
                "{}: cut off in the block at byte {cut}; all before it is analyzed",
                path.display()
            ));
        }
        if reader.skipped() > 0 {
            let skipped = reader.skipped();
            self.notes.push(format!(
                "{}: {skipped} events of a newer lockprof are not understood and passed over",
                path.display()
            ));
        }
        if self.events == 0 {
            return Err(Error::NoSession(path.into()));
        }
        if !finished && self.notes.is_empty() {
            self.notes.push(format!(
                "{}: ends without the state at the end, and its process left no memory to collect it from; open \
                 waits are not known",
                path.display()
            ));
        }
        Ok(())
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
