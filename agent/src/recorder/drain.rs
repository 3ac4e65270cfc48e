//! The background thread: advances the coarse clock, copies event chunks to the trace file, and finds out what would be
//! too dear for the application's own threads. With `output` and `flight` the only file I/O of the agent.
//!
//! A pass copies what is new in all chunks with one write. How far each chunk is copied, and how long the file then is,
//! is kept twice, for even and odd passes: the number of the pass is stored last, so that whoever collects after a kill
//! sees the state before the pass or after it, and cuts off a write that was not concluded.
use super::emit::emit;
use super::memory::{self, Mapped, RECORDING};
use super::output::Output;
use super::pressure::{Looks, is_turn};
use super::unseen::Unseen;
use super::{area, areas, chunk, entry, object, site, stack, wait};
use crate::clock::ticks;
use crate::platform;
use lockprof_trace::file::Block;
use lockprof_trace::memory::{COARSE_SHIFT, ENTRIES, chunks_in_turn, header, snapshot, uncopied, used};
use lockprof_trace::{End, Event, Loss};
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Between two steps of the coarse clock.
pub(crate) const TICK: Duration = Duration::from_millis(4);
/// Ticks between two looks at the tasks, and two passes over the chunks where one is asked for; else there are so many ticks
/// between them that a slow program's few events cost few writes.
const PASS_EVERY: u32 = 2;
const PASS_SLOWLY: u32 = 48;
/// Ticks between two tellings of populations and of sites that only the held lists know, and two looks at the file.
const TELL_EVERY: u32 = 12;
/// Ticks between two looks at the threads of the process.
const LOOK_EVERY: u32 = 48;
/// Chunks that are made at most in one pass. There are as many free ones as threads have used since the last pass.
const MORE: usize = 64;
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
    pub(crate) fn sleep(&self, time: Duration) -> bool {
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
    output: Output,
    block: Block,
    out: Vec<u8>,
    looks: Looks,
    unseen: Unseen,
    #[cfg(feature = "cpu")]
    sampler: Option<super::Sampler>,
}

impl Drain {
    /// Copies from `memory` to `output`.
    pub(crate) fn new(memory: &'static Mapped, output: Output) -> Self {
        Self {
            memory,
            output,
            block: Block::new(),
            out: vec![],
            looks: Looks::default(),
            unseen: Unseen::default(),
            #[cfg(feature = "cpu")]
            sampler: None,
        }
    }

    /// Tells what this one samples.
    #[cfg(feature = "cpu")]
    pub(crate) fn sampled(self, sampler: Option<super::Sampler>) -> Self {
        Self { sampler, ..self }
    }

    /// Works until it is asked to stop, then tells the state of that moment and finishes the file.
    pub(crate) fn run(mut self, stop: &Stop) {
        let mut turn = 0u32;
        let mut last = Instant::now();
        let mut skipped = 0;
        // When the last pass was, and how often one had been asked for by then.
        let mut passed = (turn, chunk::pressed());
        while !stop.sleep(TICK.saturating_sub(last.elapsed())) {
            last = Instant::now();
            turn = turn.wrapping_add(1);
            let now = tick(self.memory);
            if is_turn(self.memory, &mut skipped) {
                wait::find_holders(self.memory);
            }
            #[cfg(feature = "cpu")]
            if let Some(sampler) = &mut self.sampler {
                if turn % TELL_EVERY == 1 {
                    sampler.look();
                }
                sampler.tell();
            }
            if turn.is_multiple_of(TELL_EVERY) {
                // By way of a chunk: what is told there survives a kill at once.
                intern_sites(self.memory, emit);
                object::tell_populations(now, emit);
                self.looks.at_channels(self.memory, emit);
                self.output.look();
                stack::look();
            }
            if turn.is_multiple_of(LOOK_EVERY) {
                self.unseen.look(emit);
            }
            self.output.tend();
            if turn.is_multiple_of(PASS_EVERY) {
                self.looks.at_tasks(self.memory, emit);
                let pressed = chunk::pressed();
                if pressed != passed.1 || turn.wrapping_sub(passed.0) >= PASS_SLOWLY {
                    passed = (turn, pressed);
                    self.pass();
                }
            }
        }
        self.finish();
    }

    /// Copies what is new in the chunks.
    fn pass(&mut self) {
        let pass = self.memory.word(header::PASS).load(Relaxed);
        let chunks = chunks_in_turn(self.memory);
        let busy = chunks.iter().filter(|number| chunk::is_in_use(self.memory, **number)).count();
        let wanted = 2 * busy.max(chunk::SPARE);
        let (all, mut events) = (chunks.len(), 0);
        let Self { memory, block, out, .. } = self;
        #[cfg(feature = "live")]
        let mut live = crate::live::Feed::open();
        for number in chunks.iter().copied() {
            let words = uncopied(*memory, number, pass, &mut |event| {
                #[cfg(feature = "live")]
                live.event(event);
                events += 1;
                push(block, out, event);
            });
            chunk::set_copied(memory, number, pass + 1, words);
        }
        #[cfg(feature = "live")]
        drop(live);
        self.block.finish(&mut self.out);
        self.output.write(&self.out, events);
        self.out.clear();
        self.memory.word(header::FILE_BYTES + ((pass + 1) & 1) as usize).store(self.output.len(), Release);
        self.memory.word(header::PASS).store(pass + 1, Release);
        for number in chunks {
            if chunk::is_done(self.memory, number, pass + 1) {
                chunk::recycle(self.memory, number);
            }
        }
        chunk::stock(self.memory, wanted.saturating_sub(all).min(MORE));
    }

    fn finish(mut self) {
        let now = tick(self.memory);
        #[cfg(feature = "cpu")]
        if let Some(sampler) = self.sampler.take() {
            sampler.tell();
        }
        RECORDING.store(false, Release);
        wait::find_holders(self.memory);
        self.pass();
        // The end is written even where the limit was reached: it is what tells of the loss.
        let Self { memory, output, block, out, looks, unseen, .. } = &mut self;
        let reason = output.stopped().unwrap_or_default().to_owned();
        let mut events = 0;
        let mut put = |event: &Event<'_>| {
            events += 1;
            push(block, out, event);
        };
        if memory.word(header::LOST + Loss::Events as usize).load(Relaxed) != 0 {
            site::tell_again(&mut put);
            object::tell_again(memory, &mut put);
        }
        looks.end(&mut put);
        unseen.end(&mut put);
        intern_sites(memory, &mut put);
        snapshot(*memory, &mut put);
        put(&Event::Finish { at: now, end: End::Finished, reason: reason.into() });
        block.finish(out);
        // Where even that finds no room, the memory stays to be collected, as that of a process that was killed.
        if output.write_end(out, events) {
            memory.word(header::STATE).store(2, Release);
            memory.shared.remove();
        }
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
    areas::each_held(memory, usize::MAX, |_, _, at| site::intern_with(at, &mut tell));
    let count = used(memory, header::ENTRIES, ENTRIES) as u32;
    (1..count).for_each(|number| site::intern_with(entry::site(memory, number), &mut tell));
}

/// What a trace begins with: the session and what belongs to it, and the files that addresses belong to.
pub(crate) fn beginning<'a>(session: impl Iterator<Item = Event<'a>>) -> Vec<u8> {
    let (mut block, mut out) = (Block::new(), lockprof_trace::file::header());
    for event in session {
        #[cfg(feature = "live")]
        crate::live::Feed::open().event(&event);
        push(&mut block, &mut out, &event);
    }
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
