//! A trace that reaches its limit stops, or loses its oldest events to the newest; both are told, and counts stay exact.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::{Scene, line_of, lines, objects};
use lockprof::sync::Mutex;
use lockprof::{Status, status};
use lockprof_trace::{End, Event, Kind, Loss};
use std::collections::HashSet;
use std::fs;
use std::sync::mpsc::channel;
use std::time::Instant;

const SOURCE: &str = include_str!("limits.rs");

static LOCK: Mutex<u64> = Mutex::new(0);

fn take(times: u64) {
    for _ in 0..times {
        *LOCK.lock().unwrap() += 1;
    }
}

/// Threads are born and end until `enough`; how many times the lock was taken.
fn churn(mut enough: impl FnMut() -> bool) -> u64 {
    let (begin, mut taken) = (Instant::now(), 0);
    while !enough() {
        assert!(begin.elapsed().as_secs() < 60, "{:?}", status());
        lockprof::thread::spawn(|| take(10)).join().unwrap();
        taken += 10;
    }
    taken
}

fn fly() {
    let (stop, stopped) = channel::<()>();
    let first = std::thread::Builder::new().name("from the begin".into()).spawn(move || {
        take(1);
        let _ = stopped.recv();
    });
    // The trace becomes shorter each time that it is thinned out.
    let (mut longest, mut thinned) = (0, 0);
    let taken = churn(|| {
        let len = fs::metadata(child::folder().join("trace.bin")).unwrap().len();
        if len < longest {
            thinned += 1;
            longest = 0;
        }
        longest = longest.max(len);
        thinned >= 3
    });
    take(1_000_000 - taken - 2);
    let last = std::thread::Builder::new().name("from the end".into()).spawn(|| take(1));
    last.unwrap().join().unwrap();
    drop(stop);
    first.unwrap().join().unwrap();
}

/// Threads that come and go when the trace has reached its limit.
const MORE: u64 = 500;

#[test]
fn stops() {
    if child::is("stops") {
        let taken = churn(|| matches!(status(), Status::Stopped(_)));
        let mut more = 0..MORE;
        let taken = taken + churn(|| more.next().is_none());
        take(1_000_000 - taken);
        return;
    }
    let ended = Scene::new("stops").run(",limit=8K");
    assert!(ended.status.success());
    assert_eq!((ended.end(), ended.count()), (End::Finished, 1_000_000));
    assert!(ended.reason().contains("limit of 8192 bytes"), "{}", ended.reason());
    // Of each thread that came after it at least the birth and the end, not as many as there were passes.
    assert!(ended.lost(Loss::Limit) >= 2 * MORE, "the loss is told: {}", ended.lost(Loss::Limit));
}

#[test]
fn forgets_the_oldest() {
    if child::is("forgets_the_oldest") {
        return fly();
    }
    const LIMIT: u64 = 64 << 10;
    let scene = Scene::new("forgets_the_oldest");
    let ended = scene.run(&format!(",limit={LIMIT},policy=flight"));
    assert!(ended.status.success());
    assert_eq!((ended.end(), ended.reason(), ended.count()), (End::Finished, "", 1_000_000));
    assert!(ended.lost(Loss::Oldest) > 0, "the loss is told");
    assert_eq!(ended.lost(Loss::Events), 0);
    // One pass may go beyond it, and the state of the end is always written.
    let len = fs::metadata(scene.trace()).unwrap().len();
    assert!(len < 2 * LIMIT, "{len} bytes");
    assert!(!scene.folder.join("trace.bin.part").exists());
    let (mut born, mut dead) = (HashSet::new(), HashSet::new());
    for event in &ended.events {
        match event {
            Event::Thread { thread, .. } => assert!(born.insert(*thread), "{thread:?} is born twice"),
            Event::ThreadEnd { thread, .. } => assert!(dead.insert(*thread), "{thread:?} ends twice"),
            _ => {}
        }
    }
    let is_born = |wanted: &str| {
        let is_it = |event: &Event<'_>| matches!(event, Event::Thread { name, .. } if name == wanted);
        ended.events.iter().any(is_it)
    };
    assert!(is_born("from the begin"), "a birth stays while its thread lives");
    assert!(is_born("from the end"), "the newest events are there");
    let (lines, objects) = (lines(&ended.events), objects(&ended.events));
    let used = objects
        .values()
        .find(|(kind, site)| *kind == Kind::StdMutex && lines[site] == line_of(SOURCE, "static LOCK"));
    assert!(used.is_some(), "the first definitions are there");
}

#[test]
fn a_flood_of_events_leaves_room_for_what_comes_later() {
    const NAME: &str = "a_flood_of_events_leaves_room_for_what_comes_later";
    if child::is(NAME) {
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let own = Mutex::new(0);
                    (0..1_000_000).for_each(|_| *own.lock().unwrap() += 1);
                });
            }
        });
        // Each has a record, and each thread an area.
        for _ in 0..20 {
            let thread = std::thread::spawn(|| {
                let locks: Vec<_> = (0..100).map(|number| Mutex::new(number)).collect();
                locks.iter().for_each(|lock| *lock.lock().unwrap() += 1);
                std::mem::forget(locks);
            });
            thread.join().unwrap();
        }
        return;
    }
    let ended = Scene::new(NAME).run(",full,memory=8388608");
    assert!(ended.status.success());
    assert_ne!(ended.lost(Loss::Events), 0, "it was a flood");
    for loss in [Loss::Objects, Loss::Areas, Loss::Entries] {
        assert_eq!(ended.lost(loss), 0, "{loss}");
    }
    let used = ended.counts()[&(Kind::StdMutex, line_of(SOURCE, "Mutex::new(number)"), 0)];
    assert_eq!(used, 20 * 100);
}
