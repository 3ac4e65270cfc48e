//! Measures one loop over raw and over wrapped primitives, and tells a difference from luck. Knows nothing of locks.
//!
//! Each side is compiled twice. A round makes the objects of all four copies afresh, in another heap than the round
//! before, and runs the copies in random order. The ratio is taken within the round, so that a neighbour on the machine
//! disturbs both sides alike; what the two copies of one side differ by is luck of alignment, and is told as noise.
use crate::{cpu_time, neighbour};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Does the given number of operations.
pub type Loop = Box<dyn FnMut(u64)>;

/// Marks a loop as a copy of its own: the compiler merges copies that are equal to the last instruction.
pub fn copy<const COPY: u64>(mut body: impl FnMut(u64) + 'static) -> Loop {
    Box::new(move |operations| {
        black_box(COPY);
        body(operations);
    })
}

/// The same, of a body that does one operation.
pub fn repeat<const COPY: u64>(mut body: impl FnMut() + 'static) -> Loop {
    copy::<COPY>(move |operations| (0..operations).for_each(|_| body()))
}

const ROUNDS: usize = 64;
/// How often a row waits 10 ms for a core of its own, at most.
pub const PATIENCE: u32 = 500;

pub struct Row {
    pub name: String,
    /// Operations in a slice: about 1 ms.
    pub operations: u64,
    /// Two copies over the raw primitives, then two over the wrapped ones; each makes its objects.
    pub copies: [fn() -> Loop; 4],
}

impl Row {
    /// One line, `ratio NAME VALUE`, and behind it: the noise, what an operation takes on each side, and in how many rounds
    /// this thread was never preempted, and had its core to itself. The noise is the largest of: raw against raw, wrapped
    /// against wrapped, two standard errors.
    pub fn measure(&self) -> String {
        let mut random = Random::new();
        let (mut ballast, mut rounds, mut patience) = (vec![], vec![], PATIENCE);
        for _ in 0..ROUNDS {
            // Holes in the heap, and blocks that stay: what a task costs hangs on what lies free.
            let block = |_| vec![1u8; 16 + random.below(1000)];
            let mut blocks: Vec<_> = (0..200).map(block).collect();
            random.shuffle(&mut blocks);
            ballast.extend(blocks.drain(100..));
            drop(blocks);
            let mut order = [0, 1, 2, 3];
            random.shuffle(&mut order);
            let mut loops = order.map(|copy| (copy, self.copies[copy]()));
            random.shuffle(&mut loops);
            neighbour::wait(&mut patience);
            let (mut spent, mut quiet) = ([0.0; 4], true);
            at_depth(random.below(64), &mut || {
                for (copy, body) in &mut loops {
                    // First a slice to warm up: the others pushed this copy out of the caches.
                    body(self.operations);
                    let (preempted, start) = (preemptions(), cpu_time::of_this_thread());
                    body(self.operations);
                    spent[*copy] = (cpu_time::of_this_thread() - start) / self.operations as f64;
                    quiet &= preemptions() == preempted && neighbour::is_away();
                }
            });
            rounds.push((spent, quiet));
        }
        let quiet = rounds.iter().filter(|round| round.1).count();
        // Rounds with a preemption or a neighbour are left out, unless too few would be left.
        rounds.retain(|round| round.1 || quiet < ROUNDS / 3);
        let rounds: Vec<_> = rounds.into_iter().map(|round| round.0).collect();
        format!("{}  quiet {quiet}/{ROUNDS}", judged(&self.name, &rounds))
    }
}

/// `ratio NAME VALUE`, the noise, and the ns of each side; a round has those of raw twice, then of wrapped twice.
pub fn judged(name: &str, rounds: &[[f64; 4]]) -> String {
    let each = |of: fn([f64; 4]) -> f64| quartiles(rounds.iter().map(|round| of(*round)));
    let [low, ratio, high] = each(|[a, b, c, d]| (c * d / (a * b)).sqrt().ln());
    let error = 1.2533 * (high - low) / 1.349 / (rounds.len() as f64).sqrt();
    let raw_apart = each(|[a, b, _, _]| (a / b).ln())[1].abs();
    let wrapped_apart = each(|[_, _, c, d]| (c / d).ln())[1].abs();
    let (ratio, noise) = (ratio.exp(), raw_apart.max(wrapped_apart).max(2.0 * error));
    let raw_ns = each(|[a, b, _, _]| (a * b).sqrt())[1];
    let ns = each(|[_, _, c, d]| (c * d).sqrt())[1];
    format!("ratio {name:34} {ratio:6.3}  noise {noise:5.3}  raw {raw_ns:8.2} ns  with {ns:8.2} ns")
}

/// Runs it at another place on the stack: where a future lies to a cache line can change its time by a third.
fn at_depth(frames: usize, run: &mut dyn FnMut()) {
    let frame = black_box([0u64; 4]);
    if frames == 0 {
        run();
    } else {
        at_depth(frames - 1, run);
    }
    black_box(frame);
}

fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
}

/// How often this thread was made to give up its core.
fn preemptions() -> i64 {
    // SAFETY: a `rusage` of zeros is valid, and may be written.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage.ru_nivcsw
    }
}

/// Xorshift: cheap enough to stand inside a measured loop.
pub struct Random(u64);

impl Random {
    /// Another sequence each time: else each round would meet its objects in the order that the caches remember.
    pub fn new() -> Self {
        static SEED: AtomicU64 = AtomicU64::new(0x9E37_79B9_7F4A_7C15);
        Self(SEED.fetch_add(0x9E37_79B9_7F4A_7C15, Relaxed) | 1)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        (((self.draw() >> 32) * n as u64) >> 32) as usize
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}
