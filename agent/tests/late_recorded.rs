//! A wait that has ended by taking a lock is told late, by who holds that: once, with its sums, and in order.
#![cfg(all(target_os = "linux", feature = "record"))]
mod recording;

use lockprof::sync::{Mutex, RwLock};
use lockprof_trace::{Event, Kind, Operation, WaitEnd};
use recording::{Sleeper, Trace, line, record};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

/// Long enough for the coarse clock to see it.
const LONG: Duration = Duration::from_millis(20);

static KEPT: RwLock<u32> = RwLock::new(0);
const KEPT_LINE: u32 = line_before();
static KEEPER: Sleeper = Sleeper::new();
static TAKEN: Barrier = Barrier::new(2);

#[track_caller]
const fn line_before() -> u32 {
    std::panic::Location::caller().line() - 1
}

#[test]
fn a_wait_is_told_by_who_holds_what_it_was_for() {
    let (mutex, mutex_line) = (Mutex::new(0), line());
    let trace = record(|| {
        // A reader who has it to the end, and does nothing more.
        let guard = KEPT.write().unwrap();
        thread::spawn(|| {
            KEEPER.blocks();
            let _kept = KEPT.read().unwrap();
            TAKEN.wait();
            loop {
                thread::park();
            }
        });
        KEEPER.wait();
        drop(guard);
        TAKEN.wait();

        // Two who hold it in turn, so long that it is told.
        let sleeper = Sleeper::new();
        let guard = mutex.lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                sleeper.blocks();
                let _held = mutex.lock().unwrap();
                thread::sleep(LONG);
            });
            sleeper.wait();
            drop(guard);
        });
    });

    let waits = trace.waits(Operation::Read);
    assert_eq!(waits.iter().map(|wait| wait.end).collect::<Vec<_>>(), [Some(WaitEnd::Done)]);
    let kept = trace.object(Kind::StdRwLock, KEPT_LINE);
    assert_eq!(waits[0].object, kept);
    // Readers are counted by the id behind the lock's own, and have one wait in all.
    assert_eq!(sums(&trace, kept + 1), (1, ticks(&trace, kept)));
    assert_eq!(sums(&trace, kept), (0, 0));

    let mutex = trace.object(Kind::StdMutex, mutex_line);
    assert_eq!(sums(&trace, mutex), (1, ticks(&trace, mutex)));
    // What a thread tells stands in the trace in the order of time.
    let who = trace.waits(Operation::Lock)[0].party;
    let told = trace.events().iter().filter_map(|event| match event {
        Event::Wait { at, party, .. } if *party == who => Some(("wait", *at)),
        Event::Hold { at, party, .. } if *party == who => Some(("hold", *at)),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told.iter().map(|event| event.0).take(2).collect::<Vec<_>>(), ["wait", "hold"]);
    assert!(told.is_sorted_by_key(|event| event.1), "{told:?}");
}

/// Waits of what this id counts, and for how many ticks.
fn sums(trace: &Trace, id: u64) -> (u64, u64) {
    let sums = trace.events().iter().find_map(|event| match event {
        Event::Counts { object, contended, wait_ticks, .. } if *object == id => {
            Some((*contended, *wait_ticks))
        }
        _ => None,
    });
    sums.expect("it is counted")
}

/// Ticks of the waits for this object that are told.
fn ticks(trace: &Trace, id: u64) -> u64 {
    let ticks = trace.events().iter().filter_map(|event| match event {
        Event::Wait { object, ticks, .. } if *object == id => Some(*ticks),
        _ => None,
    });
    ticks.sum()
}
