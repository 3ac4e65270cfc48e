//! std's locks and cells: what a recording says of them.
#![cfg(all(target_os = "linux", feature = "record"))]
mod recording;

use lockprof::sync::{Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock};
use lockprof::thread;
use lockprof_trace::{Kind, Operation, WaitEnd};
use recording::{Sleeper, line, record};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

static MUTEX: Mutex<u32> = Mutex::new(0);
const MUTEX_LINE: u32 = line_of_static() - 1;
static LAZY: LazyLock<u32> = LazyLock::new(|| 7);
const LAZY_LINE: u32 = line_of_static() - 1;
static ONCE: Once = Once::new();
const ONCE_LINE: u32 = line_of_static() - 1;
static SLEEPER: Sleeper = Sleeper::new();

#[track_caller]
const fn line_of_static() -> u32 {
    std::panic::Location::caller().line()
}

/// Runs `block` on a thread of its own, and `release` once that is blocked.
fn blocked(block: impl FnOnce() + Send, release: impl FnOnce()) {
    let sleeper = Sleeper::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            sleeper.blocks();
            block();
        });
        sleeper.wait();
        release();
    });
}

#[test]
fn locks_and_cells_are_recorded() {
    let (rwlock, rwlock_line) = (RwLock::new(0), line());
    let (condvar, condvar_line) = (Condvar::new(), line());
    let (barrier, barrier_line) = (Barrier::new(2), line());
    let (cell, cell_line) = (OnceLock::new(), line());
    let lines: [AtomicU32; 4] = Default::default();

    let trace = record(|| {
        // Nine locks and a wait.
        let guard = MUTEX.lock().unwrap();
        blocked(
            || {
                lines[0].store(line() + 1, SeqCst);
                *MUTEX.lock().unwrap() += 1;
            },
            || drop(guard),
        );
        (0..6).for_each(|_| *MUTEX.lock().unwrap() += 1);
        drop(MUTEX.try_lock().unwrap());

        // Two writes, one that waits; four reads, one that waits and one by downgrade.
        let guard = rwlock.read().unwrap();
        blocked(
            || {
                lines[1].store(line() + 1, SeqCst);
                *rwlock.write().unwrap() += 1;
            },
            || drop(guard),
        );
        let guard = rwlock.write().unwrap();
        blocked(
            || {
                lines[2].store(line() + 1, SeqCst);
                drop(rwlock.read().unwrap());
            },
            || drop(lockprof::sync::RwLockWriteGuard::downgrade(guard)),
        );
        drop(rwlock.try_read().unwrap());

        // One wait that is notified, one whose time is up; one question whose answer is that there is nothing to wait for.
        let mut told = Mutex::new(false);
        blocked(
            || {
                lines[3].store(line() + 1, SeqCst);
                drop(condvar.wait_while(told.lock().unwrap(), |told| !*told).unwrap());
            },
            || {
                *told.lock().unwrap() = true;
                condvar.notify_all();
            },
        );
        drop(condvar.wait_while(told.lock().unwrap(), |told| !*told).unwrap());
        let (_, result) = condvar.wait_timeout(told.lock().unwrap(), Duration::ZERO).unwrap();
        assert!(result.timed_out());
        assert!(*told.get_mut().unwrap());

        // The first waits, the second does not.
        let wait = || _ = barrier.wait();
        blocked(wait, wait);

        // Who initialises holds; who comes meanwhile waits for that one.
        let mut waiter = None;
        ONCE.call_once(|| {
            waiter = Some(thread::spawn(|| {
                SLEEPER.blocks();
                ONCE.call_once(|| unreachable!());
            }));
            SLEEPER.wait();
        });
        waiter.unwrap().join().unwrap();
        assert_eq!(*cell.get_or_init(|| 1), 1);
        assert_eq!(cell.set(2), Err(2));
        assert_eq!((*LAZY, *LAZY), (7, 7));
    });

    let at = |place: usize| lines[place].load(SeqCst);
    let mutex = trace.object(Kind::StdMutex, MUTEX_LINE);
    assert_eq!(trace.counts(mutex), (9, 1));
    let waits = trace.waits(Operation::Lock);
    let wait = waits.iter().find(|wait| wait.object == mutex).unwrap();
    assert_eq!((wait.line, wait.end), (at(0), Some(WaitEnd::Done)));

    let lock = trace.object(Kind::StdRwLock, rwlock_line);
    assert_eq!((trace.counts(lock), trace.counts(lock + 1)), ((2, 1), (4, 1)));
    let (reads, writes) = (trace.waits(Operation::Read), trace.waits(Operation::Write));
    assert_eq!((reads[0].line, reads[0].object), (at(2), lock));
    assert_eq!((writes[0].line, writes[0].object), (at(1), lock));

    let condvar = trace.object(Kind::StdCondvar, condvar_line);
    let waits = trace.waits(Operation::CondvarWait);
    assert!(waits.iter().all(|wait| wait.object == condvar));
    assert_eq!((waits[0].line, waits[0].end), (at(3), Some(WaitEnd::Done)));
    let (notified, timed_out) = waits.split_at(waits.len() - 1);
    assert!(notified.iter().all(|wait| *wait == waits[0]), "{notified:?}");
    assert_eq!(timed_out[0].end, Some(WaitEnd::TimedOut));
    assert_eq!(trace.counts(condvar), (waits.len() as u64, waits.len() as u64));

    let barrier = trace.object(Kind::StdBarrier, barrier_line);
    assert_eq!((trace.counts(barrier), trace.waits(Operation::Barrier).len()), ((2, 1), 1));

    let once = trace.object(Kind::StdOnce, ONCE_LINE);
    assert_eq!(trace.counts(once).0, 1);
    let waits = trace.waits(Operation::Init);
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert_eq!((waits[0].object, waits[0].end), (once, Some(WaitEnd::Done)));
    for (kind, line) in [(Kind::StdOnce, cell_line), (Kind::StdOnce, LAZY_LINE)] {
        assert_eq!(trace.counts(trace.object(kind, line)), (1, 0));
    }
}
