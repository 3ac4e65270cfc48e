//! The flight recorder: a trace whose older part is thinned out, so that the newest events and all definitions stay.
//!
//! The background thread works on it a step at a time beside its other work: it reads the older part back and writes what
//! must stay of it to a file beside the trace, copies the newer part behind it as it is, and puts the new file in the old
//! one's place. Until then the old one is whole, so that a kill at any moment leaves one of the two.
//!
//! What must stay: definitions, births of what still lives, and what a shutdown of a runtime left behind.
use crate::platform;
use lockprof_trace::file::{Block, Reader};
use lockprof_trace::{Event, WaitEnd};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Blocks that one step reads back: some milliseconds at most.
const BLOCKS: usize = 32;
/// Bytes that one step copies.
const COPIED: u64 = 4 << 20;

/// Where the new file is put together.
fn beside(path: &Path) -> PathBuf {
    path.with_added_extension("part")
}

/// A trace that is being thinned out.
pub(super) struct Compaction {
    /// The older part; `None` once it has been read to its end.
    old: Option<Reader<io::Take<File>>>,
    /// The trace, at the place to which the newer part is copied.
    newer: File,
    /// Where that is.
    copied: u64,
    lives: Lives,
    block: Block,
    bytes: Vec<u8>,
    out: File,
    len: u64,
    /// As it was when the older part had been read.
    kept: u64,
    path: PathBuf,
    /// Events that were left out.
    pub(super) dropped: u64,
}

impl Compaction {
    /// Begins to thin out what the trace at `path` has before the byte `newest`, where a block begins.
    pub(super) fn begin(path: &Path, newest: u64) -> io::Result<Self> {
        let mut newer = File::open(path)?;
        newer.seek(SeekFrom::Start(newest))?;
        let old = Reader::new(File::open(path)?.take(newest)).map_err(io::Error::other)?;
        let out = platform::open_trace(&beside(path))?;
        platform::empty_trace(&out)?;
        Ok(Self {
            old: Some(old),
            newer,
            copied: newest,
            lives: Lives::default(),
            block: Block::new(),
            bytes: lockprof_trace::file::header(),
            out,
            len: 0,
            kept: 0,
            path: path.into(),
            dropped: 0,
        })
    }

    /// Works on, for a bounded time. The trace has `len` bytes now. Whether little is left to do.
    pub(super) fn step(&mut self, len: u64) -> io::Result<bool> {
        match &mut self.old {
            Some(_) => self.thin().map(|()| false),
            None => self.copy(len.min(self.copied + COPIED)).map(|()| self.copied == len),
        }
    }

    /// How much of the older part stays, in bytes; 0: not known yet.
    pub(super) fn kept(&self) -> u64 {
        self.kept
    }

    /// Puts the new file in the place of the trace, which has `len` bytes: the file to write to from now on, and its length.
    pub(super) fn finish(mut self, len: u64) -> io::Result<(File, u64)> {
        while self.old.is_some() {
            self.thin()?;
        }
        self.copy(len)?;
        fs::rename(beside(&self.path), &self.path)?;
        Ok((self.out.try_clone()?, self.len))
    }

    fn thin(&mut self) -> io::Result<()> {
        let Self { old: Some(old), lives, block, dropped, .. } = self else { return Ok(()) };
        let mut ended = false;
        for _ in 0..BLOCKS {
            let Some(events) = old.block().map_err(io::Error::other)? else {
                ended = true;
                break;
            };
            for event in events.flatten() {
                match lives.keep(event) {
                    Keep::Now(event) => block.push(&event),
                    Keep::Maybe => {}
                    Keep::Not(count) => *dropped += count,
                }
            }
        }
        if ended {
            lives.0.drain().for_each(|(_, event)| block.push(&event));
            self.old = None;
        }
        self.block.finish(&mut self.bytes);
        self.out.write_all(&self.bytes)?;
        self.len += self.bytes.len() as u64;
        self.bytes.clear();
        if ended {
            self.kept = self.len;
        }
        Ok(())
    }

    /// Copies the newer part up to the byte `end`.
    fn copy(&mut self, end: u64) -> io::Result<()> {
        let wanted = end - self.copied;
        if io::copy(&mut (&mut self.newer).take(wanted), &mut self.out)? != wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.copied = end;
        self.len += wanted;
        Ok(())
    }
}

impl Drop for Compaction {
    fn drop(&mut self) {
        // Where the new file has taken the trace's place, nothing has this name.
        drop(fs::remove_file(beside(&self.path)));
    }
}

/// Births without their ends, and ends without their births: threads write each for itself, so an end may come first.
/// Besides, the last number told of each population.
#[derive(Default)]
struct Lives(HashMap<(What, u64), Event<'static>>);

#[derive(PartialEq, Eq, Hash)]
enum What {
    Birth,
    End,
    Population,
}

enum Keep<'a> {
    Now(Event<'a>),
    /// It depends on what follows.
    Maybe,
    /// So many events are left out.
    Not(u64),
}

impl Lives {
    fn keep<'a>(&mut self, event: Event<'a>) -> Keep<'a> {
        if event.is_definition() {
            return Keep::Now(event);
        }
        let (what, counterpart, id) = match &event {
            Event::Thread { thread: party, .. } | Event::Task { task: party, .. } => {
                (What::Birth, What::End, party.0)
            }
            Event::ThreadEnd { thread: party, .. } | Event::TaskEnd { task: party, .. } => {
                (What::End, What::Birth, party.0)
            }
            // Ids of watchers come again: each birth is matched by one end.
            Event::Watcher { object, .. } => (What::Birth, What::End, object | WATCHER),
            Event::WatcherEnd { object, .. } => (What::End, What::Birth, object | WATCHER),
            Event::Population { class, .. } => {
                self.0.insert((What::Population, *class), event.into_owned());
                return Keep::Maybe;
            }
            Event::HandleEnd { .. } | Event::Wait { end: WaitEnd::Abandoned, .. } => return Keep::Now(event),
            _ => return Keep::Not(1),
        };
        if self.0.remove(&(counterpart, id)).is_some() {
            return Keep::Not(2);
        }
        self.0.insert((what, id), event.into_owned());
        Keep::Maybe
    }
}

/// Tells the ids of watchers from the numbers of parties.
const WATCHER: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use super::*;
    use lockprof_trace::{Outcome, Party};

    fn task(number: u64) -> Event<'static> {
        Event::Task { at: 1, task: Party::task(number), parent: Party::UNKNOWN, class: 1, runtime: 0 }
    }

    fn end(number: u64) -> Event<'static> {
        Event::TaskEnd { at: 2, task: Party::task(number), outcome: Outcome::Finished, polls: 1 }
    }

    #[test]
    fn only_what_lives_stays_in_whatever_order_it_is_told() {
        let mut lives = Lives::default();
        let events = [task(1), end(1), end(2), task(2), task(3), end(4)];
        let dropped: u64 = events
            .into_iter()
            .map(|event| match lives.keep(event) {
                Keep::Not(count) => count,
                _ => 0,
            })
            .sum();
        let mut left: Vec<_> = lives.0.into_values().collect();
        left.sort_by_key(Event::number);
        assert_eq!((dropped, left), (4, vec![task(3), end(4)]));
    }
}
