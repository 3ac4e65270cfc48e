//! Rows of two threads, each on a core of its own: what they get done where they contend, what each does beside the other
//! on locks of its own, and what a wait costs in which a thread sleeps.
use crate::cpu_time;
use crate::harness::{Random, judged};
use std::hint::black_box;
use std::mem;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// What one side came to in one round: ns, and the share of acquires that found the lock taken.
type Figures = (f64, f64);

/// A row: one side over raw locks, the other over wrapped ones.
pub struct Pair {
    pub name: String,
    pub raw: fn() -> Figures,
    pub wrapped: fn() -> Figures,
}

const ROUNDS: usize = 40;
const OPERATIONS: u64 = 50_000;

impl Pair {
    /// One line as that of a [`Row`](crate::harness::Row), and behind it the contended share of each side, where it is not 0.
    /// Each side runs twice a round, so that raw against raw shows what the measuring is worth.
    pub fn measure(&self) -> String {
        if cores().len() < 2 {
            return format!("left out {}: it takes two cores", self.name);
        }
        let (mut random, mut rounds, mut shares) = (Random::new(), vec![], [0.0; 4]);
        for _ in 0..ROUNDS {
            let mut order = [0, 1, 2, 3];
            random.shuffle(&mut order);
            let mut spent = [0.0; 4];
            for side in order {
                let (ns, share) = if side < 2 { (self.raw)() } else { (self.wrapped)() };
                spent[side] = ns;
                shares[side] += share / ROUNDS as f64;
            }
            rounds.push(spent);
        }
        let line = judged(&self.name, &rounds);
        let [raw, again, wrapped, twice] = shares.map(|share| 100.0 * share);
        if raw + wrapped == 0.0 {
            return line;
        }
        format!("{line}  contended: raw {raw:.1} % and {again:.1} %, with {wrapped:.1} % and {twice:.1} %")
    }
}

/// The cores that this process may run on.
fn cores() -> Vec<usize> {
    // SAFETY: a set of zeros is an empty one, and may be written.
    let set: libc::cpu_set_t = unsafe {
        let mut set = mem::zeroed();
        libc::sched_getaffinity(0, mem::size_of_val(&set), &mut set);
        set
    };
    // SAFETY: `core` is below the size of the set.
    (0..libc::CPU_SETSIZE as usize).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) }).collect()
}

/// Leaves the calling thread on this core.
fn pin(core: usize) {
    // SAFETY: a set of zeros is an empty one; `core` comes from such a set.
    unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, mem::size_of_val(&set), &set);
    }
}

/// Runs `each` on two pinned threads that begin together, and returns what they return.
fn both<T: Send>(each: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (cores, start) = (cores(), Barrier::new(2));
    std::thread::scope(|scope| {
        let begin = |which: usize| {
            pin(cores[which]);
            start.wait();
            each(which)
        };
        let threads = [0, 1].map(|which| scope.spawn(move || begin(which)));
        threads.map(|thread| thread.join().expect("no body panics")).into_iter().collect()
    })
}

/// Some nanoseconds of work that nothing can shorten.
fn work(steps: u32) {
    let mut value = black_box(1u64);
    for _ in 0..steps {
        value = black_box(value.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1);
    }
}

/// Two threads take one lock; ns of both together for an acquire, by the wall clock. What each does outside is of random length,
/// some steps and up to so many more: of equal length, the two would fall into step, and how would hang on a nanosecond.
macro_rules! contended {
    ($module:ident, $inside:literal, $outside:literal + $more:literal) => {{
        let operations = u32::max(4_000_000 / ($inside + $outside + $more / 2), 80);
        let lock = $module::Mutex::new(0u64);
        let figures = both(|_| {
            let (begin, mut taken, mut random) = (Instant::now(), 0u32, Random::new());
            for _ in 0..operations {
                taken += u32::from(lock.is_locked());
                let mut held = lock.lock();
                *held += 1;
                work($inside);
                drop(held);
                work($outside + random.below($more) as u32);
            }
            (
                begin.elapsed().as_nanos() as f64 / f64::from(operations),
                f64::from(taken) / f64::from(operations),
            )
        });
        (figures[0].0.max(figures[1].0) / 2.0, (figures[0].1 + figures[1].1) / 2.0)
    }};
}

macro_rules! short_holds {
    ($module:ident) => {
        contended!($module, 60, 0 + 120)
    };
}

macro_rules! long_holds {
    ($module:ident) => {
        contended!($module, 8000, 0 + 4000)
    };
}

/// More than every third acquire finds the lock taken.
macro_rules! often {
    ($module:ident) => {
        contended!($module, 60, 0 + 180)
    };
}

/// Nearly every acquire does: whoever has released comes back only when the other is awake and has the lock.
macro_rules! always {
    ($module:ident) => {
        contended!($module, 120_000, 80_000 + 40_000)
    };
}

/// Each thread takes locks of its own, which lie beside those of the other; ns of CPU time for an acquire.
macro_rules! neighbours {
    ($module:ident) => {{
        let locks: Vec<_> = (0..128u64).map($module::Mutex::new).collect();
        let spent = both(|which| {
            let own = &locks[64 * which..][..64];
            let begin = cpu_time::of_this_thread();
            for round in 0..OPERATIONS {
                *own[round as usize % own.len()].lock() += 1;
            }
            (cpu_time::of_this_thread() - begin) / OPERATIONS as f64
        });
        ((spent[0] + spent[1]) / 2.0, 0.0)
    }};
}

/// How long a waiter sleeps.
const SLEPT: Duration = Duration::from_micros(100);

/// One thread waits, 20 frames deep, for a lock that the other holds asleep; ns of such a wait: what it sleeps, and the
/// waiter's own CPU time.
macro_rules! sleeping_wait {
    ($module:ident) => {{
        const WAITS: u32 = 50;
        let (lock, turn) = ($module::Mutex::new(0u64), Barrier::new(2));
        let spent = both(|which| {
            let mut spent = 0.0;
            for _ in 0..WAITS {
                if which == 0 {
                    let held = lock.lock();
                    turn.wait();
                    std::thread::sleep(SLEPT);
                    drop(held);
                } else {
                    turn.wait();
                    let begin = cpu_time::of_this_thread();
                    at_depth(20, &mut || *lock.lock() += 1);
                    spent += cpu_time::of_this_thread() - begin;
                }
                turn.wait();
            }
            spent / f64::from(WAITS)
        });
        (SLEPT.as_nanos() as f64 + spent[1], 0.0)
    }};
}

#[inline(never)]
fn at_depth(frames: u32, run: &mut dyn FnMut()) {
    if frames == 0 {
        run()
    } else {
        at_depth(black_box(frames - 1), run)
    }
    black_box(frames);
}

macro_rules! pair {
    ($name:expr, $body:ident) => {{
        fn raw() -> Figures {
            use ::parking_lot as module;
            $body!(module)
        }
        fn wrapped() -> Figures {
            use lockprof::parking_lot as module;
            $body!(module)
        }
        Pair { name: $name, raw, wrapped }
    }};
}

/// Every row of a mode.
pub fn pairs(mode: &str) -> Vec<Pair> {
    let name = |row: &str| format!("{mode}/parking_lot/{row}");
    vec![
        pair!(name("contended-short-holds"), short_holds),
        pair!(name("contended-long-holds"), long_holds),
        pair!(name("contended-38"), often),
        pair!(name("contended-98"), always),
        pair!(name("neighbours"), neighbours),
        pair!(name("sleeping-wait"), sleeping_wait),
    ]
}
