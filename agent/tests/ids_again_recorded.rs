//! An id that one object leaves to the next of its class: it takes nothing along that was the first one's.
#![cfg(all(target_os = "linux", feature = "record"))]
mod recording;

use lockprof::sync::{Condvar, Mutex};
use lockprof_trace::{Event, Kind};
use recording::{Sleeper, line, record};

#[test]
fn the_signal_of_the_one_before_is_not_the_next_ones() {
    static SLEEPER: Sleeper = Sleeper::new();
    let made = line() + 4;
    let trace = record(|| {
        lockprof::thread::spawn(|| {
            for is_first in [true, false] {
                let condvar = Condvar::new();
                if is_first {
                    condvar.notify_one();
                    continue;
                }
                let nothing = Mutex::new(());
                SLEEPER.blocks();
                // Nobody will ever signal this one: the wait is open at the end.
                drop(condvar.wait(nothing.lock().unwrap()));
            }
        });
        SLEEPER.wait();
    });
    let condvar = trace.object(Kind::StdCondvar, made);
    let signals: Vec<u64> = trace
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::OpenWait { object, holder_site, .. } if *object == condvar => Some(*holder_site),
            _ => None,
        })
        .collect();
    assert_eq!(signals, [0]);
}
