//! CPU samples: where threads run, and for whom.
//!
//! A thread that has run for a period is interrupted. The handler takes its stack by frame pointers and puts it into a free
//! place of a fixed table; the background thread makes events of what stands there. The handler takes no lock, allocates
//! nothing, writes into no chunk, and reads no memory but the thread's own stack, within its bounds; where those are not
//! known it asks the system to. So it can interrupt anything, and wait for nothing; where no place is free the sample is
//! lost, and counted.
//!
//! Profilers that are libraries (`pprof`) sum samples up in a table of their own, under one lock for all threads, and know
//! neither the task that runs nor the time: see `docs/CPU.md`.
use super::areas;
use super::emit::emit_fixed;
use super::local::LOCAL;
use super::memory::{self, RECORDING};
use super::span;
use super::stack::{DEPTH, Way, follow, stack_number};
use crate::clock::ticks;
use crate::platform::{self, Registers, Timers};
use lockprof_trace::{Event, Loss, Party};
use std::ffi::c_void;
use std::io;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize};

/// Samples that can wait for the background thread, which comes by every few milliseconds.
const PLACES: usize = 512;
/// How far a stack reaches up at most, where its bounds are not known.
const REACH: usize = 8 << 20;

const FREE: u32 = 0;
const TAKEN: u32 = 1;
const FULL: u32 = 2;

struct Place {
    state: AtomicU32,
    len: AtomicU32,
    at: AtomicU64,
    party: AtomicU64,
    thread: AtomicU64,
    /// Periods that it stands for.
    periods: AtomicU64,
    /// The tracing span that it ran in, as [`span::keep`] tells it.
    span: AtomicU32,
    frames: [AtomicU64; DEPTH],
}

static TABLE: [Place; PLACES] = [const {
    Place {
        state: AtomicU32::new(FREE),
        len: AtomicU32::new(0),
        at: AtomicU64::new(0),
        party: AtomicU64::new(0),
        thread: AtomicU64::new(0),
        periods: AtomicU64::new(0),
        span: AtomicU32::new(0),
        frames: [const { AtomicU64::new(0) }; DEPTH],
    }
}; PLACES];
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Takes samples while it lives.
pub(crate) struct Sampler {
    timers: Timers,
    period: u64,
}

impl Sampler {
    /// Samples each thread so often in a second of its time, from the first [`Sampler::look`] on.
    ///
    /// # Errors
    /// The program handles the signal itself.
    pub(crate) fn new(per_second: u32) -> io::Result<Self> {
        Ok(Self { timers: Timers::new(interrupted, per_second)?, period: 0 })
    }

    /// Tells time by a clock of so many ticks in 2^32 nanoseconds.
    pub(crate) fn by(self, ticks_per_4s: u64) -> Self {
        let period = ((u128::from(self.timers.period_ns()) * u128::from(ticks_per_4s)) >> 32) as u64;
        Self { period, ..self }
    }

    /// Begins to sample threads that are new.
    pub(crate) fn look(&mut self) {
        self.timers.look();
    }

    /// Tells what was sampled.
    pub(crate) fn tell(&self) {
        for place in TABLE.iter().filter(|place| place.state.load(Acquire) == FULL) {
            let mut frames = [0; DEPTH];
            let len = (place.len.load(Relaxed) as usize).min(DEPTH);
            frames.iter_mut().zip(&place.frames[..len]).for_each(|(to, from)| *to = from.load(Relaxed));
            let stack = stack_number(&frames[..len]).into();
            let (at, os_id) = (place.at.load(Relaxed), place.thread.load(Relaxed));
            let party = Party(place.party.load(Relaxed));
            let ticks = self.period.saturating_mul(place.periods.load(Relaxed));
            let span = span::told(place.span.load(Relaxed));
            place.state.store(FREE, Release);
            emit_fixed::<6>(span, Event::CpuSample { at, party, os_id, stack, ticks });
        }
    }
}

/// The handler of the signal.
extern "C" fn interrupted(_: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    if !RECORDING.load(Relaxed) || info.is_null() || context.is_null() {
        return;
    }
    // SAFETY: what a handler is given.
    let ((thread, periods), registers) = unsafe { (platform::fired(info), platform::registers(context)) };
    let first = NEXT.fetch_add(1, Relaxed);
    // A few places, so that the work is bounded: what is not free now will be soon.
    let free = (0..4)
        .map(|probe| &TABLE[(first + probe) % PLACES])
        .find(|place| place.state.compare_exchange(FREE, TAKEN, Acquire, Relaxed).is_ok());
    let Some(place) = free else { return memory::lost(Loss::Samples) };
    let mut frames = [0; DEPTH];
    let len = stack(&registers, &mut frames);
    place.frames.iter().zip(&frames[..len]).for_each(|(to, frame)| to.store(*frame, Relaxed));
    place.len.store(len as u32, Relaxed);
    place.at.store(ticks(), Relaxed);
    place.party.store(areas::party_if_known().0, Relaxed);
    place.thread.store(thread, Relaxed);
    place.periods.store(periods, Relaxed);
    place.span.store(span::keep(), Relaxed);
    place.state.store(FULL, Release);
}

/// The frames of the interrupted thread, the innermost first, as return addresses.
fn stack(registers: &Registers, frames: &mut [u64; DEPTH]) -> usize {
    let (low, high) = LOCAL.with(|local| local.stack.get());
    // What looks up an address takes it for one to return to, behind the call.
    frames[0] = registers.instruction as u64 + 1;
    if Way::chosen() != Way::FramePointers {
        return 1;
    }
    let rest = &mut frames[1..];
    let (frame, floor) = (registers.frame, registers.stack);
    1 + if (low..high).contains(&floor) {
        // SAFETY: words between the top of the thread's stack and its end.
        follow(rest, frame, floor, high, |frame| Some(unsafe { *(frame as *const [usize; 2]) }))
    } else {
        follow(rest, frame, floor, floor.saturating_add(REACH), platform::peek)
    }
}
