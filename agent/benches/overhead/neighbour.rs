//! Whether this core has a neighbour: somebody, on a virtual machine mostly a stranger, who uses its other hardware thread.
//!
//! What keeps many of a core's units busy then takes half as long again, while a loop that waits for its two atomic
//! instructions hardly notices. A ratio of one to the other would be luck, and the processor's own time does not tell.
use crate::cpu_time;
use std::env;
use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Tells a child process the shortest time that its parent has seen.
const BEST_OF_PARENT: &str = "LOCKPROF_BENCH_CORE_NS";

/// The shortest time that the loop has taken, in ns.
static BEST: AtomicU64 = AtomicU64::new(u64::MAX);

/// How long, in ns, a loop takes that keeps a core's units of arithmetic busy.
fn core_ns() -> u64 {
    let start = cpu_time::of_this_thread();
    let mut sums = black_box([1u64, 2, 3, 4, 5, 6]);
    for step in 0..4_000 {
        for (sum, turn) in sums.iter_mut().zip([5, 7, 9, 11, 13, 3]) {
            *sum = (*sum ^ step).rotate_left(turn).wrapping_add(step);
        }
    }
    black_box(sums);
    (cpu_time::of_this_thread() - start) as u64
}

/// Whether there is none at this moment.
pub fn is_away() -> bool {
    let now = core_ns();
    let best = BEST.fetch_min(now, Relaxed).min(now);
    now <= best + best / 10
}

/// Waits until there is none: `patience` is how many times 10 ms it may still take.
pub fn wait(patience: &mut u32) {
    while !is_away() && *patience > 0 {
        *patience -= 1;
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// `child` will know what this process knows.
pub fn tell(child: &mut Command) {
    child.env(BEST_OF_PARENT, BEST.load(Relaxed).to_string());
}

/// What the parent has told is known from now on.
pub fn listen() {
    let told = env::var(BEST_OF_PARENT).ok().and_then(|told| told.parse().ok());
    BEST.fetch_min(told.unwrap_or(u64::MAX), Relaxed);
}
