//! The background thread: advances the coarse clock, copies event chunks to the trace file, and finds out what would be
//! too dear for the application's own threads. The only file I/O of the agent.
//!
//! A pass copies what is new in all chunks with one write. How far each chunk is copied, and how long the file then is,
//! is kept twice, for even and odd passes: the number of the pass is stored last, so that whoever collects after a kill
//! sees the state before the pass or after it, and cuts off a write that was not concluded.
use super::memory::{self, Mapped, RECORDING};
use super::{area, chunk, entry, object, site};
use crate::clock::ticks;
use crate::platform;
use lockprof_trace::file::Block;
use lockprof_trace::memory::{CHUNKS, COARSE_SHIFT, ENTRIES, header, snapshot, uncopied, used};
use lockprof_trace::{End, Event, Loss};
use std::fs::File;
use std::io::Write;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Between two steps of the coarse clock.
pub(crate) const TICK: Duration = Duration::from_millis(2);
/// Ticks between two passes over the chunks.
const PASS_EVERY: u32 = 4;
/// Ticks between two looks for holders.
const LOOK_EVERY: u32 = 2;
/// Ticks between two tellings of populations, and of sites that only the held lists know.
const TELL_EVERY: u32 = 25;
/// A block is closed when it has grown to this many bytes.
const BLOCK_BYTES: usize = 32 << 10;

/// Asks the background thread to finish.
pub(crate) struct Stop {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(crate) const fn new() -> Self {
        Self { asked: Mutex::new(false), changed: Condvar::new() }
    }

    pub(crate) fn ask(&self) {
        *self.asked.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = true;
        self.changed.notify_all();
    }

    /// Sleeps for a while; whether it was asked.
    fn sleep(&self, time: Duration) -> bool {
        let asked = self.asked.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let slept = self.changed.wait_timeout_while(asked, time, |asked| !*asked);
        *slept.unwrap_or_else(|poisoned| poisoned.into_inner()).0
    }
}

/// Advances the coarse clock to now.
pub(crate) fn tick(memory: &Mapped) -> u64 {
    let now = ticks();
    memory.word(header::SEEN).store(now, Relaxed);
    memory.word(header::COARSE).store(now >> COARSE_SHIFT, Relaxed);
    area::COARSE.0.store(now >> COARSE_SHIFT << 32, Relaxed);
    now
}

/// What the background thread works on.
pub(crate) struct Drain {
    memory: &'static Mapped,
    file: File,
    /// Bytes in the file.
    len: u64,
    limit: u64,
    block: Block,
    out: Vec<u8>,
    /// Why nothing is written any more.
    stopped: Option<String>,
}

impl Drain {
    /// Writes to `file`, which has `len` bytes, up to `limit` bytes.
    pub(crate) fn new(memory: &'static Mapped, file: File, len: u64, limit: u64) -> Self {
        memory.word(header::FILE_BYTES).store(len, Release);
        Self { memory, file, len, limit, block: Block::new(), out: vec![], stopped: None }
    }

    /// Works until it is asked to stop, then tells the state of that moment and finishes the file.
    pub(crate) fn run(mut self, stop: &Stop) {
        let mut turn = 0u32;
        let mut last = Instant::now();
        while !stop.sleep(TICK.saturating_sub(last.elapsed())) {
            last = Instant::now();
            turn = turn.wrapping_add(1);
            let now = tick(self.memory);
            if turn.is_multiple_of(LOOK_EVERY) {
                entry::find_holders(self.memory);
            }
            if turn.is_multiple_of(TELL_EVERY) {
                self.tell(now);
            }
            if turn.is_multiple_of(PASS_EVERY) {
                self.pass();
            }
        }
        self.finish();
    }

    /// Tells what changes slowly.
    fn tell(&mut self, now: u64) {
        let Self { memory, block, out, .. } = self;
        intern_sites(memory, |event| push(block, out, event));
        object::tell_populations(now, |event| push(block, out, event));
    }

    /// Copies what is new in the chunks.
    fn pass(&mut self) {
        let pass = self.memory.word(header::PASS).load(Relaxed);
        let chunks = used(self.memory, header::CHUNKS, CHUNKS);
        let Self { memory, block, out, .. } = self;
        for number in 0..chunks {
            let words = uncopied(*memory, number, pass, &mut |event| push(block, out, event));
            chunk::set_copied(memory, number, pass + 1, words);
        }
        self.write();
        self.memory.word(header::FILE_BYTES + ((pass + 1) & 1) as usize).store(self.len, Release);
        self.memory.word(header::PASS).store(pass + 1, Release);
        for number in 0..chunks {
            if chunk::is_done(self.memory, number, pass + 1) {
                chunk::recycle(self.memory, number);
            }
        }
    }

    /// Writes what has been put together. An error ends the writing, never the program.
    fn write(&mut self) {
        self.block.finish(&mut self.out);
        if self.out.is_empty() {
            return;
        }
        if self.stopped.is_none() && self.len + self.out.len() as u64 > self.limit {
            self.stop(Loss::Limit, format!("the trace reached its limit of {} bytes", self.limit));
        }
        if self.stopped.is_some() {
            self.memory.lost(Loss::Limit);
        } else if let Err(error) = self.file.write_all(&self.out) {
            // What was written of it is cut off again, if the system lets us.
            drop(self.file.set_len(self.len));
            self.stop(Loss::Disk, format!("the trace could not be written: {error}"));
        } else {
            self.len += self.out.len() as u64;
        }
        self.out.clear();
    }

    fn stop(&mut self, loss: Loss, reason: String) {
        self.memory.lost(loss);
        super::set_stopped(&reason);
        self.stopped = Some(reason);
    }

    fn finish(mut self) {
        let now = tick(self.memory);
        RECORDING.store(false, Release);
        entry::find_holders(self.memory);
        self.pass();
        // The end is written even where the limit was reached: it is what tells of the loss.
        let reason = self.stopped.take().unwrap_or_default();
        let Self { memory, block, out, .. } = &mut self;
        let mut put = |event: &Event<'_>| push(block, out, event);
        intern_sites(memory, &mut put);
        snapshot(*memory, &mut put);
        put(&Event::Finish { at: now, end: End::Finished, reason: reason.into() });
        self.limit = u64::MAX;
        self.write();
        self.memory.word(header::STATE).store(2, Release);
        self.memory.shared.remove();
    }
}

fn push(block: &mut Block, out: &mut Vec<u8>, event: &Event<'_>) {
    block.push(event);
    if block.len_bytes() >= BLOCK_BYTES {
        block.finish(out);
    }
}

/// Tells the sites that so far only the held lists and the entries know, as addresses.
fn intern_sites(memory: &Mapped, mut tell: impl FnMut(&Event<'_>)) {
    area::each_held(memory, usize::MAX, |_, _, at| site::intern_with(at, &mut tell));
    let count = used(memory, header::ENTRIES, ENTRIES) as u32;
    (1..count).for_each(|number| site::intern_with(entry::site(memory, number), &mut tell));
}

/// What a trace begins with: the session, and the files that addresses belong to.
pub(crate) fn beginning(session: &Event<'_>) -> Vec<u8> {
    let (mut block, mut out) = (Block::new(), lockprof_trace::file::header());
    push(&mut block, &mut out, session);
    for module in platform::modules() {
        let platform::Module { start, end, offset, bias, path, build_id } = module;
        let (path, build_id) = (path.into(), build_id.into());
        push(&mut block, &mut out, &Event::Module { start, end, offset, bias, path, build_id });
    }
    block.finish(&mut out);
    out
}

/// The memory, for who waits for the background thread.
pub(crate) fn memory_of_this_process() -> Option<&'static Mapped> {
    memory::get().filter(|memory| memory.pid == std::process::id())
}
