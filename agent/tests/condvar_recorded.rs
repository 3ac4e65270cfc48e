//! Condition variables that are waited on for a limited time: who waits there is not stuck, but who waits for something else while
//! it asks whether to wait, is. With every family.
#![cfg(all(target_os = "linux", feature = "full"))]
mod recording;

use lockprof::sync::{self, Mutex, MutexGuard};
use lockprof::{parking_lot, parking_lot_0_12};
use lockprof_trace::{Event, Operation};
use recording::{Sleeper, record};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

const LATE: Duration = Duration::from_secs(100);

/// Held until the recording is over.
static HELD: Mutex<()> = Mutex::new(());

/// Waits for a limited time while `ask` says so.
type Way = fn(ask: &mut dyn FnMut() -> bool);

fn with_std(ask: &mut dyn FnMut() -> bool) {
    let (lock, condvar) = (sync::Mutex::new(()), sync::Condvar::new());
    drop(condvar.wait_timeout_while(lock.lock().unwrap(), LATE, |()| ask()));
}

macro_rules! with_parking_lot {
    ($family:ident, $for_a_time:ident, $until_then:ident) => {
        fn $for_a_time(ask: &mut dyn FnMut() -> bool) {
            let (lock, condvar) = ($family::Mutex::new(()), $family::Condvar::new());
            condvar.wait_while_for(&mut lock.lock(), |()| ask(), LATE);
        }

        fn $until_then(ask: &mut dyn FnMut() -> bool) {
            let (lock, condvar) = ($family::Mutex::new(()), $family::Condvar::new());
            condvar.wait_while_until(&mut lock.lock(), |()| ask(), Instant::now() + LATE);
        }
    };
}

with_parking_lot!(parking_lot, parking_lot_for, parking_lot_until);
with_parking_lot!(parking_lot_0_12, parking_lot_0_12_for, parking_lot_0_12_until);

const WAYS: [Way; 5] =
    [with_std, parking_lot_for, parking_lot_until, parking_lot_0_12_for, parking_lot_0_12_until];

/// Waits for the lock, as the caller says by `blocks`.
fn wait(sleeper: &Sleeper) -> Option<MutexGuard<'static, ()>> {
    sleeper.blocks();
    HELD.lock().ok()
}

/// Returns when a thread is blocked that does this.
fn blocked(act: impl FnOnce(&Sleeper) + Send + 'static) {
    let sleeper = Arc::new(Sleeper::new());
    let by = sleeper.clone();
    // It is not waited for: one that nobody notifies sleeps for long.
    lockprof::thread::spawn(move || act(&by));
    sleeper.wait();
}

#[test]
fn what_is_waited_for_while_it_is_asked_is_not_limited() {
    let held = HELD.lock();
    let trace = record(|| {
        for way in WAYS {
            blocked(move |sleeper| {
                way(&mut || {
                    sleeper.blocks();
                    true
                });
            });
            // With a wait within the question that is limited itself.
            blocked(move |sleeper| {
                way(&mut || {
                    WAYS.iter().for_each(|inner| inner(&mut || false));
                    let (lock, condvar) = (sync::Mutex::new(()), sync::Condvar::new());
                    drop(condvar.wait_timeout(lock.lock().unwrap(), Duration::ZERO));
                    drop(wait(sleeper));
                    false
                });
            });
            // After a question that panicked.
            blocked(move |sleeper| {
                let asked = AssertUnwindSafe(|| way(&mut || resume_unwind(Box::new(()))));
                assert!(catch_unwind(asked).is_err());
                drop(wait(sleeper));
            });
        }
    });
    let open = |event: &Event<'_>| match event {
        Event::OpenWait { operation, limited, .. } => Some((*operation, *limited)),
        _ => None,
    };
    let open: Vec<_> = trace.events().iter().filter_map(open).collect();
    let count = |wanted| open.iter().filter(|wait| **wait == wanted).count();
    assert_eq!(count((Operation::CondvarWait, 1)), WAYS.len(), "{open:?}");
    assert_eq!(count((Operation::Lock, 0)), WAYS.len() * 2, "{open:?}");
    assert_eq!(open.len(), WAYS.len() * 3, "{open:?}");
    drop(held);
}
