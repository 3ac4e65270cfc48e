//! The trace file as the background thread writes it: whole blocks, one behind the other, and what happens where the file
//! can grow no more.
use super::flight::Compaction;
use super::memory::Mapped;
use crate::config::Policy;
use crate::platform;
use lockprof_trace::Loss;
use lockprof_trace::memory::header;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// The trace file. An error ends the writing, never the program.
pub(crate) struct Output {
    memory: &'static Mapped,
    file: File,
    /// Where it is: an absolute path.
    path: PathBuf,
    /// Bytes in the file.
    len: u64,
    limit: u64,
    policy: Policy,
    /// Of a flight recorder: where the part begins that stays whole when the file is thinned out. 0: not known yet.
    newest: u64,
    compaction: Option<Compaction>,
    /// Why nothing is written any more.
    stopped: Option<String>,
}

impl Output {
    /// Writes on in `file`, which lies at `path` and has `len` bytes.
    pub(crate) fn new(memory: &'static Mapped, file: File, path: PathBuf, len: u64) -> Self {
        memory.word(header::FILE_BYTES).store(len, Release);
        platform::note_trace(&file);
        let (limit, policy) = (u64::MAX, Policy::Stop);
        Self { memory, file, path, len, limit, policy, newest: 0, compaction: None, stopped: None }
    }

    /// The file may grow to `limit` bytes: then `policy` says what happens.
    pub(crate) fn limited(mut self, limit: u64, policy: Policy) -> Self {
        (self.limit, self.policy) = (limit, policy);
        self
    }

    /// Bytes in the file.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Why nothing is written any more.
    pub(super) fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// Appends `bytes`, which are whole blocks, with so many events.
    pub(super) fn write(&mut self, bytes: &[u8], events: u64) {
        if bytes.is_empty() {
            return;
        }
        let len = self.len + bytes.len() as u64;
        if self.stopped.is_none() && self.policy == Policy::Stop && len > self.limit {
            self.stop(format!("the trace reached its limit of {} bytes", self.limit));
        }
        if self.stopped.is_some() {
            return self.memory.lost_many(Loss::Limit, events);
        }
        if self.newest == 0 && len > self.limit / 4 {
            self.newest = self.len;
        }
        self.append(bytes, events);
    }

    /// The same, whatever the limit is and whatever happened before: what is written tells of it. Whether it was.
    pub(super) fn write_end(&mut self, bytes: &[u8], events: u64) -> bool {
        self.stopped = None;
        self.append(bytes, events);
        self.stopped.is_none()
    }

    fn append(&mut self, bytes: &[u8], events: u64) {
        match self.file.write_all(bytes) {
            Ok(()) => self.len += bytes.len() as u64,
            Err(error) => {
                // What was written of it is cut off again, if the system lets us.
                drop(self.file.set_len(self.len));
                drop(self.file.seek(SeekFrom::Start(self.len)));
                self.memory.lost_many(Loss::Disk, events);
                self.stop(format!("the trace could not be written: {error}"));
            }
        }
    }

    fn stop(&mut self, reason: String) {
        self.compaction = None;
        super::set_stopped(&reason);
        self.stopped = Some(reason);
    }

    /// Stops where somebody has removed the file: nobody would ever read it, and its space would be kept to the end.
    pub(super) fn look(&mut self) {
        if self.stopped.is_none() && platform::is_removed(&self.file) {
            drop(self.file.set_len(0));
            self.memory.lost(Loss::Disk);
            self.stop("the trace was removed".into());
        }
    }

    /// A flight recorder's other work, a little at a time. Between two passes over the chunks, since the memory must say
    /// how long the file is.
    pub(super) fn tend(&mut self) {
        if self.stopped.is_some() || self.policy == Policy::Stop {
            return;
        }
        let half = self.limit / 2;
        if self.compaction.is_none() && self.len > half && self.len - self.newest > self.limit / 8 {
            match Compaction::begin(&self.path, self.newest) {
                Ok(compaction) => self.compaction = Some(compaction),
                Err(error) => return self.cannot_thin(&error),
            }
        }
        let Some(mut compaction) = self.compaction.take() else { return };
        match compaction.step(self.len) {
            Err(error) => self.cannot_thin(&error),
            Ok(_) if compaction.kept() > half => {
                let limit = self.limit;
                self.memory.lost(Loss::Limit);
                self.stop(format!("the trace reached its limit of {limit} bytes by definitions alone"));
            }
            Ok(true) => self.swap(compaction),
            Ok(false) if self.len > half + half / 2 => self.swap(compaction),
            Ok(false) => self.compaction = Some(compaction),
        }
    }

    fn cannot_thin(&mut self, error: &io::Error) {
        self.memory.lost(Loss::Disk);
        self.stop(format!("the trace could not be thinned out: {error}"));
    }

    /// The thinned file takes the place of the other. Who collects after a kill meanwhile sees that the file is shorter
    /// than the memory says, and takes it as it is.
    fn swap(&mut self, compaction: Compaction) {
        let dropped = compaction.dropped;
        match compaction.finish(self.len) {
            Err(error) => self.cannot_thin(&error),
            Ok((file, len)) => {
                platform::note_trace(&file);
                (self.file, self.len, self.newest) = (file, len, len);
                let pass = self.memory.word(header::PASS).load(Relaxed);
                self.memory.word(header::FILE_BYTES + (pass & 1) as usize).store(len, Release);
                self.memory.word(header::LOST + Loss::Oldest as usize).fetch_add(dropped, Relaxed);
            }
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // From now on the number of its file is the application's, which a fork's child must not close.
        platform::note_no_trace();
    }
}
