//! Instructions of the hot path: they repeat from run to run and from machine to machine, so that a limit can be set on them.
//!
//!     scripts/instructions
//!
//! Each function does [`TIMES`] operations while a recording runs in profile mode; the limits are a tenth above what the
//! compiler made of it when they were set, so that another release of it does not fail for luck. They are instructions for
//! the operation as a whole, with the original's own.
#![allow(missing_docs, clippy::print_stdout, clippy::print_stderr, reason = "what its macros make")]
use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use lockprof::Recording;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Operations in a run: enough for the rare work, a sample in some hundreds of them, to have its share.
const TIMES: u64 = 10_000;

/// At most this many instructions for an operation.
fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let limit = Callgrind::default().hard_limits([(EventKind::Ir, TIMES * instructions)]).clone();
    LibraryBenchmarkConfig::default().tool(limit).clone()
}

/// A recording into a file that is gone when it ends, and what is recorded.
struct Recorded<T> {
    subject: T,
    _recording: Recording,
}

fn recorded<T>(subject: T, once: impl FnOnce(&T)) -> Recorded<T> {
    let path = std::env::temp_dir().join(format!("lockprof-instructions-{}.bin", std::process::id()));
    let recording = lockprof::builder().path(&path).start().expect("the recording starts");
    drop(std::fs::remove_file(&path));
    // What is done once is not what is counted.
    once(&subject);
    Recorded { subject, _recording: recording }
}

/// What a future gives that need not wait.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nobody else holds it"),
    }
}

fn mutex() -> Recorded<lockprof::parking_lot::Mutex<u64>> {
    recorded(lockprof::parking_lot::Mutex::new(0), |lock| *lock.lock() += 1)
}

#[library_benchmark(config = at_most(91), setup = mutex)]
fn parking_lot_mutex(
    recorded: Recorded<lockprof::parking_lot::Mutex<u64>>,
) -> Recorded<lockprof::parking_lot::Mutex<u64>> {
    (0..TIMES).for_each(|_| *black_box(&recorded.subject).lock() += 1);
    recorded
}

fn rwlock() -> Recorded<lockprof::parking_lot::RwLock<u64>> {
    recorded(lockprof::parking_lot::RwLock::new(0), |lock| assert_eq!(*lock.read(), 0))
}

#[library_benchmark(config = at_most(97), setup = rwlock)]
fn parking_lot_read(
    recorded: Recorded<lockprof::parking_lot::RwLock<u64>>,
) -> Recorded<lockprof::parking_lot::RwLock<u64>> {
    (0..TIMES).for_each(|_| assert_eq!(*black_box(&recorded.subject).read(), 0));
    recorded
}

fn nothing() -> Recorded<()> {
    recorded((), |()| ())
}

#[library_benchmark(config = at_most(253), setup = nothing)]
fn parking_lot_one_use(recorded: Recorded<()>) -> Recorded<()> {
    for _ in 0..TIMES {
        let lock = black_box(lockprof::parking_lot::Mutex::new(0));
        *lock.lock() += 1;
        black_box(&lock);
    }
    recorded
}

fn std_mutex() -> Recorded<lockprof::sync::Mutex<u64>> {
    recorded(lockprof::sync::Mutex::new(0), |lock| *lock.lock().expect("not poisoned") += 1)
}

#[library_benchmark(config = at_most(109), setup = std_mutex)]
fn std_sync_mutex(recorded: Recorded<lockprof::sync::Mutex<u64>>) -> Recorded<lockprof::sync::Mutex<u64>> {
    (0..TIMES).for_each(|_| *black_box(&recorded.subject).lock().expect("not poisoned") += 1);
    recorded
}

fn map() -> Recorded<lockprof::dashmap::DashMap<u64, u64>> {
    recorded((0..1_000).map(|key| (key, key)).collect(), |map: &lockprof::dashmap::DashMap<u64, u64>| {
        (0..1_000).for_each(|key| assert!(map.contains_key(&key)));
    })
}

#[library_benchmark(config = at_most(322), setup = map)]
fn dashmap_get(
    recorded: Recorded<lockprof::dashmap::DashMap<u64, u64>>,
) -> Recorded<lockprof::dashmap::DashMap<u64, u64>> {
    (0..TIMES).for_each(|key| assert!(black_box(&recorded.subject).get(&(key % 1_000)).is_some()));
    recorded
}

fn tokio_lock() -> Recorded<lockprof::tokio::sync::Mutex<u64>> {
    recorded(lockprof::tokio::sync::Mutex::new(0), |lock| *at_once(lock.lock()) += 1)
}

#[library_benchmark(config = at_most(458), setup = tokio_lock)]
fn tokio_mutex(
    recorded: Recorded<lockprof::tokio::sync::Mutex<u64>>,
) -> Recorded<lockprof::tokio::sync::Mutex<u64>> {
    (0..TIMES).for_each(|_| *at_once(black_box(&recorded.subject).lock()) += 1);
    recorded
}

library_benchmark_group!(
    name = hot_path;
    benchmarks = parking_lot_mutex, parking_lot_read, parking_lot_one_use, std_sync_mutex, dashmap_get, tokio_mutex
);

main!(library_benchmark_groups = hot_path);
