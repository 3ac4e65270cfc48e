//! Threads by the thousand, the last moments of a thread, and code that is interrupted: no deadlock, and exact counts.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::{Ended, Scene, line_of};
use lockprof::sync::{Mutex, mpsc};
use lockprof_trace::memory::{CHUNK, chunk, header, region};
use lockprof_trace::{Event, Kind, Loss};
use std::cell::RefCell;
use std::collections::HashSet;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

const SOURCE: &str = include_str!("threads.rs");

static LOCK: Mutex<u64> = Mutex::new(0);
static LATE: Mutex<u64> = Mutex::new(0);
static HANDLER: Mutex<u64> = Mutex::new(0);

/// What was counted of the static that is declared so.
fn counted(ended: &Ended, declared: &str) -> u64 {
    ended.counts()[&(Kind::StdMutex, line_of(SOURCE, declared), 0)]
}

fn take(lock: &Mutex<u64>, times: u64) {
    for _ in 0..times {
        *lock.lock().unwrap() += 1;
    }
}

#[test]
fn thousands_of_short_ones() {
    if child::is("thousands_of_short_ones") {
        for _ in 0..5 {
            for _ in 0..20 {
                // A scope waits for what its threads do, not for their last destructors.
                let threads: Vec<_> = (0..50).map(|_| std::thread::spawn(|| take(&LOCK, 7))).collect();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
            }
            // Each has a chunk: the background thread, should it get no core for long, would have none left for the others.
            until_copied();
        }
        return;
    }
    let ended = Scene::new("thousands_of_short_ones").run("");
    assert!(ended.status.success());
    assert_eq!(counted(&ended, "static LOCK"), 100 * 50 * 7);
    // Their areas were used again: else there would have been no room for them all.
    assert_eq!(ended.lost(Loss::Areas), 0);
    let born: HashSet<_> = ended
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Thread { thread, .. } => Some(*thread),
            _ => None,
        })
        .collect();
    let dead = ended.events.iter().filter(|event| matches!(event, Event::ThreadEnd { .. })).count();
    assert_eq!((born.len(), dead), (5000, 5000), "each is told once, and its end");
}

/// Locks when its thread is about to end, and once more if `again`, from a destructor that is registered by then.
struct Last(bool);

impl Drop for Last {
    fn drop(&mut self) {
        take(&LATE, 3);
        if self.0 {
            SECOND.with(|second| *second.borrow_mut() = Some(Last(false)));
        }
    }
}

thread_local! {
    static FIRST: RefCell<Option<Last>> = const { RefCell::new(None) };
    static SECOND: RefCell<Option<Last>> = const { RefCell::new(None) };
}

#[test]
fn destructors_of_thread_locals() {
    if child::is("destructors_of_thread_locals") {
        for before in [true, false].repeat(20) {
            let thread = std::thread::spawn(move || {
                // The recorder's own destructor comes after, or before.
                if before {
                    take(&LOCK, 1);
                }
                FIRST.with(|first| *first.borrow_mut() = Some(Last(true)));
                if !before {
                    take(&LOCK, 1);
                }
            });
            thread.join().unwrap();
        }
        return;
    }
    let ended = Scene::new("destructors_of_thread_locals").run("");
    assert!(ended.status.success());
    assert_eq!((counted(&ended, "static LOCK"), counted(&ended, "static LATE")), (40, 40 * 6));
}

/// Dropped after the recorder was told that the thread ends, since it is older than what tells it.
struct Oldest;

impl Drop for Oldest {
    fn drop(&mut self) {
        take(&LATE, 1);
        // A channel of another capacity than any before is told at once.
        drop(mpsc::sync_channel::<()>(CAPACITY.fetch_add(1, Relaxed)));
    }
}

static CAPACITY: AtomicUsize = AtomicUsize::new(1);

thread_local! {
    static OLDEST: Oldest = const { Oldest };
}

#[test]
fn what_a_thread_tells_after_its_end_keeps_no_memory() {
    const NAME: &str = "what_a_thread_tells_after_its_end_keeps_no_memory";
    const THREADS: u64 = 200;
    let scene = Scene::new(NAME);
    if child::is(NAME) {
        for _ in 0..THREADS {
            let thread = std::thread::spawn(|| {
                OLDEST.with(|_| ());
                take(&LOCK, 1);
            });
            thread.join().unwrap();
        }
        return std::fs::write(child::folder().join("told"), being_written().to_string()).unwrap();
    }
    let ended = scene.run("");
    assert!(ended.status.success());
    assert_eq!((counted(&ended, "static LOCK"), counted(&ended, "static LATE")), (THREADS, THREADS));
    let chunks: u64 = std::fs::read_to_string(scene.folder.join("told")).unwrap().parse().unwrap();
    // The main thread's own, that of the test's thread, and the background thread's.
    assert!(chunks <= 3, "{chunks} chunks wait for threads that are gone");
}

/// Where the recorder's memory of this process is.
fn memory() -> std::path::PathBuf {
    child::memory(&child::folder().join("trace.bin"))
}

/// Returns when all that was told up to now is copied, which is when the next pass that begins has ended.
fn until_copied() {
    let memory = std::fs::File::open(memory()).unwrap();
    let passes = || {
        let mut word = [0; 8];
        memory.read_exact_at(&mut word, header::PASS as u64 * 8).unwrap();
        u64::from_le_bytes(word)
    };
    let before = passes();
    while passes() < before + 2 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// How many of this process's chunks a thread writes into.
fn being_written() -> usize {
    let bytes = std::fs::read(memory()).unwrap();
    let word = |place: usize| u64::from_le_bytes(bytes[place * 8..][..8].try_into().unwrap());
    let chunks = (0..word(header::CHUNKS) as usize).map(|number| region::CHUNKS_ + number * CHUNK);
    chunks.filter(|chunk| word(chunk + chunk::STATE) == 1).count()
}

static SIGNALS: AtomicU64 = AtomicU64::new(0);

extern "C" fn handler(_: libc::c_int) {
    // Nobody else takes it.
    *HANDLER.lock().unwrap() += 1;
    // Objects and events too.
    drop(Mutex::new(0).lock());
    SIGNALS.fetch_add(1, Relaxed);
}

#[test]
fn locks_in_a_signal_handler() {
    const LEAST: u64 = 2000;
    if child::is("locks_in_a_signal_handler") {
        // A thread's first use of any lock allocates, as no handler may.
        let mut taken = 1;
        take(&LOCK, taken);
        // SAFETY: the handler does what it may do wherever this thread is interrupted.
        let main = unsafe {
            libc::signal(libc::SIGUSR1, handler as extern "C" fn(libc::c_int) as usize);
            libc::pthread_self()
        };
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    // SAFETY: the thread lives.
                    unsafe { libc::pthread_kill(main, libc::SIGUSR1) };
                    std::thread::sleep(std::time::Duration::from_micros(20));
                }
            });
            // Each place of the recorder: counting, carrying, new objects, chunks.
            while SIGNALS.load(Relaxed) < LEAST {
                take(&LOCK, 1000);
                taken += 1000;
                (0..50).for_each(|_| drop(Mutex::new(0).lock()));
            }
            done.store(true, Relaxed);
        });
        let told = format!("{taken} {}", SIGNALS.load(Relaxed));
        return std::fs::write(child::folder().join("told"), told).unwrap();
    }
    let scene = Scene::new("locks_in_a_signal_handler");
    let ended = scene.run("");
    assert!(ended.status.success(), "{}", ended.status);
    let told = std::fs::read_to_string(scene.folder.join("told")).unwrap();
    let (taken, signals) = told.split_once(' ').unwrap();
    assert_eq!(counted(&ended, "static LOCK").to_string(), taken);
    assert_eq!(counted(&ended, "static HANDLER").to_string(), signals);
}
