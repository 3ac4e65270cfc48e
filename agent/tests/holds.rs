//! What is reported of holds against what the program knows of them: totals, and the one long hold with its site.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::{Ended, Scene, line_of, lines, objects};
use lockprof::sync::Mutex;
use lockprof_trace::{Event, HoldSource};
use std::fs;
use std::time::{Duration, Instant};

const SOURCE: &str = include_str!("holds.rs");

static LOCK: Mutex<u64> = Mutex::new(0);

/// Works for so long.
fn work(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {}
}

/// Some work that the compiler cannot see through.
fn short_work(rounds: u32) {
    for round in 0..std::hint::black_box(rounds) {
        std::hint::black_box(round);
    }
}

/// How often the lock is taken and for how long, in nanoseconds. Without optimization the lock's own edges are as long as
/// fifty nanoseconds of work.
const SHORT: (u32, f64) = if cfg!(debug_assertions) { (1_000_000, 500.0) } else { (10_000_000, 50.0) };

/// Takes the lock so often, for so much work each; how long that takes, in nanoseconds.
fn often(lock: &Mutex<u64>, rounds: u32) -> f64 {
    let begin = Instant::now();
    for _ in 0..SHORT.0 {
        let guard = lock.lock().unwrap();
        short_work(rounds);
        drop(guard);
    }
    begin.elapsed().as_nanos() as f64
}

/// What the scene did with its time. Its thread is never idle: what it had no core for, others took.
struct Run {
    begin: Instant,
    cpu: Duration,
}

impl Run {
    fn begin() -> Self {
        Self { begin: Instant::now(), cpu: cpu_time() }
    }

    /// Tells the parent how long the lock was held in all, in nanoseconds, and the share of the time without a core.
    fn tell(&self, ns: f64) {
        let (wall, cpu) = (self.begin.elapsed().as_secs_f64(), (cpu_time() - self.cpu).as_secs_f64());
        fs::write(child::folder().join("told"), format!("{ns} {}", 1.0 - cpu / wall)).unwrap();
    }
}

/// What this thread has used of its core.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is written to, and the clock is there on every Linux.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A run in which others took more than this share of the core is done again, so often: the recorder's clock is late in it,
/// and most of all while the holder has no core either.
const DISTURBED: f64 = 0.01;
const RUNS: usize = 4;

struct Told {
    ended: Ended,
    /// What the program says, and what the trace says, in nanoseconds.
    truth: f64,
    total: f64,
    /// How far they may be apart: five percent, and three deviations of what the clock's steps draw; on a machine that was
    /// busy in all runs, the time for which the holder had no core, since that may be told or not.
    allowed: f64,
    ns_per_tick: f64,
}

impl Told {
    fn of(name: &'static str) -> Self {
        // One after the other: each says how long it held by the clock on the wall, and needs a core for itself.
        static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let run = || {
            let scene = Scene::new(name);
            let ended = scene.run("");
            assert!(ended.status.success());
            let told = fs::read_to_string(scene.folder.join("told")).unwrap();
            let numbers: Vec<f64> = told.split(' ').map(|number| number.parse().unwrap()).collect();
            (ended, numbers[0], numbers[1])
        };
        let mut best = run();
        for _ in 1..RUNS {
            if best.2 <= DISTURBED {
                break;
            }
            let again = run();
            best = if again.2 < best.2 { again } else { best };
        }
        drop(alone);
        let (ended, truth, idle) = best;
        let Some(Event::Session { ticks_per_4s, coarse_ticks, .. }) = ended.events.first() else {
            panic!("no session")
        };
        let ns_per_tick = (1u64 << 32) as f64 / *ticks_per_4s as f64;
        let line = line_of(SOURCE, "static LOCK");
        let (lines, objects) = (lines(&ended.events), objects(&ended.events));
        let of_lock = |id: &u64| objects.get(id).is_some_and(|(_, site)| lines[site] == line);
        let ticks: u64 = ended
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Counts { object, hold_ticks, .. } if of_lock(object) => Some(*hold_ticks),
                _ => None,
            })
            .sum();
        let at = |event: Option<&Event<'_>>| match event {
            Some(Event::Session { at, .. } | Event::Finish { at, .. }) => *at,
            other => panic!("{other:?}"),
        };
        let total = ticks as f64 * ns_per_tick;
        let wall = (at(ended.events.last()) - at(ended.events.first())) as f64 * ns_per_tick;
        // Each hold that the clock stepped in was drawn out of all the time that passed, with as many steps at once as the
        // clock was late by: on a busy machine they are fewer and longer, and tell less.
        let steps = |event: &Event<'_>| match event {
            Event::Hold { ticks, object, source: HoldSource::Coarse, .. } if of_lock(object) => {
                Some((*ticks).max(*coarse_ticks) as f64 * ns_per_tick)
            }
            _ => None,
        };
        let squares: f64 = ended.events.iter().filter_map(steps).map(|step| step * step).sum();
        let deviation = (squares * (1.0 - (truth / wall).min(1.0))).sqrt();
        let lost = if idle > DISTURBED { idle * wall } else { 0.0 };
        Self { ended, truth, total, allowed: 0.05 * truth + 3.0 * deviation + lost, ns_per_tick }
    }

    fn check(&self) {
        let [truth, total, allowed] = [self.truth, self.total, self.allowed].map(|ns| ns / 1e6);
        assert!(
            (total - truth).abs() < allowed,
            "{truth:.2} ms held, {total:.2} ms reported, {allowed:.2} ms apart at most"
        );
        #[allow(clippy::print_stdout, reason = "a figure for the documentation")]
        {
            println!("{truth:.2} ms held, {total:.2} ms reported, {allowed:.2} ms apart at most");
        }
    }

    /// The longest hold that was told of this line, in nanoseconds. One from elsewhere is as long where its thread lost its
    /// core.
    fn longest(&self, line: u64) -> f64 {
        let lines = lines(&self.ended.events);
        let hold = |event: &Event<'_>| match event {
            Event::Hold { ticks, site, .. } if lines[site] == line => Some(*ticks),
            _ => None,
        };
        self.ended.events.iter().filter_map(hold).max().expect("it is told") as f64 * self.ns_per_tick
    }
}

fn few_long() {
    let run = Run::begin();
    let mut truth = 0.0;
    for _ in 0..20 {
        let guard = LOCK.lock().unwrap();
        let begin = Instant::now();
        work(Duration::from_millis(5));
        truth += begin.elapsed().as_nanos() as f64;
        drop(guard);
        work(Duration::from_millis(1));
    }
    run.tell(truth);
}

fn many_short() {
    let run = Run::begin();
    // The lock itself costs the same with work and without: the difference is what was held.
    let other = Mutex::new(0);
    let per_round = (often(&other, 100) - often(&other, 0)) / f64::from(SHORT.0) / 100.0;
    let rounds = (SHORT.1 / per_round) as u32;
    let without = often(&other, 0);
    let mut truth = often(&LOCK, rounds) - without;
    let guard = LOCK.lock().unwrap(); // the long one
    let begin = Instant::now();
    work(Duration::from_millis(20));
    truth += begin.elapsed().as_nanos() as f64;
    drop(guard);
    run.tell(truth);
}

fn periodic() {
    let run = Run::begin();
    let mut truth = 0.0;
    for _ in 0..2000 {
        let guard = LOCK.lock().unwrap();
        let begin = Instant::now();
        work(Duration::from_micros(250));
        truth += begin.elapsed().as_nanos() as f64;
        drop(guard);
        work(Duration::from_micros(750));
    }
    run.tell(truth);
}

#[test]
fn twenty_of_five_milliseconds() {
    if child::is("twenty_of_five_milliseconds") {
        return few_long();
    }
    let told = Told::of("twenty_of_five_milliseconds");
    told.check();
}

#[test]
fn ten_million_of_fifty_nanoseconds_and_a_long_one() {
    if child::is("ten_million_of_fifty_nanoseconds_and_a_long_one") {
        return many_short();
    }
    let told = Told::of("ten_million_of_fifty_nanoseconds_and_a_long_one");
    told.check();
    let ns = told.longest(line_of(SOURCE, "; // the long one"));
    // To one step of the coarse clock, which may be late by as much.
    assert!((16e6..28e6).contains(&ns), "{ns} ns");
}

#[test]
fn a_periodic_program() {
    if child::is("a_periodic_program") {
        return periodic();
    }
    Told::of("a_periodic_program").check();
}
