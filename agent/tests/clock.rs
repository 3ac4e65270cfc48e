//! Time as recorded, by either clock and on whatever core: never backwards within a thread, never before the begin, and as
//! long as the program knows it to be.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::Scene;
use lockprof::sync::{Mutex, mpsc};
use lockprof_trace::{Event, HoldSource, Party};
use std::collections::HashMap;
use std::sync::Barrier;
use std::time::{Duration, Instant};

static LOCK: Mutex<u64> = Mutex::new(0);

/// Moves this thread to a core.
fn pin(core: usize) {
    // SAFETY: a set of zeros is valid; this thread's own affinity is set.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}

/// Threads that wait for each other while they are moved from core to core.
fn child() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let (to, from) = mpsc::sync_channel::<()>(1);
        let (back, answer) = mpsc::sync_channel::<()>(1);
        scope.spawn(move || {
            for turn in 0.. {
                pin(turn % cores);
                if from.recv().is_err() || back.send(()).is_err() {
                    break;
                }
            }
        });
        for turn in 0..2000 {
            pin((turn / 3) % cores);
            to.send(()).unwrap();
            answer.recv().unwrap();
        }
        drop(to);
        for thread in 0..3 {
            scope.spawn(move || {
                for turn in 0..300 {
                    pin((thread + turn) % cores);
                    let mut guard = LOCK.lock().unwrap();
                    let held = Instant::now();
                    while held.elapsed() < Duration::from_micros(20) {}
                    *guard += 1;
                }
            });
        }
    });
    std::fs::write(child::folder().join("told"), begin.elapsed().as_nanos().to_string()).unwrap();
}

fn check(name: &'static str, options: &str) {
    let scene = Scene::new(name);
    let ended = scene.run(options);
    assert!(ended.status.success(), "{}", ended.status);
    let (Some(Event::Session { at: begin, ticks_per_4s, .. }), Some(Event::Finish { at: end, .. })) =
        (ended.events.first(), ended.events.last())
    else {
        panic!("no session")
    };
    if options.contains("monotonic") {
        assert_eq!(*ticks_per_4s, 1 << 32, "nanoseconds");
    }
    let ns = (u128::from(end - begin) << 32) / u128::from(*ticks_per_4s);
    let known: u128 = std::fs::read_to_string(scene.folder.join("told")).unwrap().parse().unwrap();
    assert!(ns >= known * 99 / 100, "{ns} ns are recorded of {known} and more");
    let mut waits = 0;
    let mut last: HashMap<Party, u64> = HashMap::new();
    for event in &ended.events {
        let (at, ticks, party) = match event {
            Event::Wait { at, ticks, party, .. } => {
                waits += 1;
                (*at, *ticks, *party)
            }
            Event::Hold { at, ticks, party, .. } => (*at, *ticks, *party),
            _ => continue,
        };
        assert!(at <= *end && ticks <= at - begin, "{event:?} in {begin}..{end}");
        let before = last.insert(party, at).unwrap_or(0);
        assert!(before <= at, "{event:?} after {before}");
    }
    assert!(waits >= 1000, "{waits} waits");
}

#[test]
fn by_the_counter() {
    if child::is("by_the_counter") {
        return child();
    }
    check("by_the_counter", "");
}

#[test]
fn without_the_counter() {
    if child::is("without_the_counter") {
        return child();
    }
    check("without_the_counter", ",clock=monotonic");
}

/// Between cores the counter may be off by no more than this, in nanoseconds: it is read out of order with what surrounds it.
const SKEW_NS: u64 = 1_000;

#[test]
fn holds_of_one_lock_on_different_cores_follow_each_other() {
    const ROUNDS: usize = 200;
    const TURNS: usize = ROUNDS * 100;
    let cores = std::thread::available_parallelism().unwrap().get().min(4);
    if child::is("holds_of_one_lock_on_different_cores_follow_each_other") {
        // Whoever comes first waits for the others, round by round: else it could be done before they begin.
        let met = Barrier::new(cores);
        return std::thread::scope(|scope| {
            for core in 0..cores {
                let met = &met;
                scope.spawn(move || {
                    pin(core);
                    for _ in 0..ROUNDS {
                        met.wait();
                        (0..TURNS / ROUNDS).for_each(|_| *LOCK.lock().unwrap() += 1);
                    }
                });
            }
        });
    }
    // A hold is stamped after its lock was taken and before it is given back: by one clock, no two overlap.
    let ended = Scene::new("holds_of_one_lock_on_different_cores_follow_each_other").run(",full");
    let Some(Event::Session { ticks_per_4s, .. }) = ended.events.first() else { panic!("no session") };
    let mut holds: Vec<(u64, u64, Party)> = ended.events.iter().filter_map(hold).collect();
    holds.sort_unstable();
    let turns = holds.windows(2).filter(|pair| pair[0].2 != pair[1].2);
    let overlaps: Vec<u64> = turns.map(|pair| pair[0].1.saturating_sub(pair[1].0)).collect();
    let ns = |ticks: u64| (u128::from(ticks) << 32) / u128::from(*ticks_per_4s);
    let most = ns(overlaps.iter().copied().max().unwrap_or(0));
    assert!(holds.len() >= TURNS, "{} holds", holds.len());
    // One core has nobody to hand the lock to.
    assert!(overlaps.len() >= ROUNDS * (cores - 1), "{} turns", overlaps.len());
    assert!(most <= u128::from(SKEW_NS), "{most} ns apart, in {} turns", overlaps.len());
    #[allow(clippy::print_stdout, reason = "a figure for the documentation")]
    {
        println!("cores are at most {most} ns apart, in {} turns", overlaps.len());
    }
}

/// Begin and end of a timed hold, and who held.
fn hold(event: &Event<'_>) -> Option<(u64, u64, Party)> {
    match event {
        Event::Hold { at, ticks, party, source: HoldSource::Full, .. } => Some((at - ticks, *at, *party)),
        _ => None,
    }
}

#[test]
fn how_far_cores_are_apart_is_told() {
    const NAME: &str = "how_far_cores_are_apart_is_told";
    if child::is(NAME) {
        return;
    }
    if std::thread::available_parallelism().unwrap().get() > 1 {
        // On a busy machine the two may not meet in time.
        let told = (0..100).any(|_| {
            let ended = Scene::new(NAME).run("");
            ended.events.iter().any(|event| matches!(event, Event::Skew { cores: 2.., .. }))
        });
        assert!(told, "in none of a hundred recordings");
    }
}
