//! A hundred thousand locks, a hundred thousand tasks and a thousand threads that live at once: what each takes of the
//! recorder's memory, and that nothing of them is lost with the memory that is used unless told otherwise.
#![cfg(all(target_os = "linux", feature = "record", feature = "tokio"))]
mod child;

use child::Scene;
use lockprof::sync::Mutex;
use lockprof_trace::memory::{CHUNK, header};
use lockprof_trace::{Event, Loss, Party};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Barrier;

const MANY: usize = 100_000;
const THREADS: usize = 1_000;

/// Bytes that the recorder's memory takes.
struct Memory(PathBuf);

impl Memory {
    fn of_this_process() -> Self {
        let trace = fs::File::open(child::folder().join("trace.bin")).unwrap();
        let mut reader = lockprof_trace::file::Reader::new(trace).unwrap();
        match reader.next() {
            Ok(Some(Event::Session { memory, .. })) => Self(memory.as_ref().into()),
            other => panic!("{other:?}"),
        }
    }

    fn taken(&self) -> u64 {
        fs::metadata(&self.0).unwrap().blocks() * 512
    }

    /// The same but for chunks, through which events pass: how many there are depends on how fast they are copied.
    fn kept(&self) -> u64 {
        let mut chunks = [0; 8];
        fs::File::open(&self.0).unwrap().read_exact_at(&mut chunks, header::CHUNKS as u64 * 8).unwrap();
        self.taken() - u64::from_le_bytes(chunks) * CHUNK as u64 * 8
    }
}

/// By how much `act` makes a number of bytes grow, for each of so many.
fn each<R>(of: usize, bytes: impl Fn() -> u64, act: impl FnOnce() -> R) -> (f64, R) {
    let before = bytes();
    let result = act();
    ((bytes() - before) as f64 / of as f64, result)
}

fn child() {
    let memory = Memory::of_this_process();
    let (kept, taken) = (|| memory.kept(), || memory.taken());
    *Mutex::new(0).lock().unwrap() += 1;
    let make = || (0..MANY).map(|n| Mutex::new(n)).collect::<Vec<_>>();
    let (lock, locks) = each(MANY, kept, || {
        let locks = make();
        locks.iter().for_each(|lock| *lock.lock().unwrap() += 1);
        locks
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let (task, tasks) = each(MANY, kept, || {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..MANY)
                .map(|_| {
                    let gate = gate.clone();
                    lockprof::tokio::task::spawn(async move { drop(gate.acquire().await) })
                })
                .collect();
            // Each is polled once before this one is again.
            tokio::task::yield_now().await;
            tasks
        })
    });
    let (all, go) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    let thread = std::thread::scope(|scope| {
        let (thread, ()) = each(THREADS, taken, || {
            for lock in &locks[..THREADS] {
                let (all, go) = (&all, &go);
                let work = move || {
                    *lock.lock().unwrap() += 1;
                    all.wait();
                    go.wait();
                };
                std::thread::Builder::new().stack_size(64 << 10).spawn_scoped(scope, work).unwrap();
            }
            all.wait();
        });
        go.wait();
        thread
    });
    gate.close();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    fs::write(child::folder().join("told"), format!("{lock} {task} {thread}")).unwrap();
}

#[test]
#[allow(clippy::print_stdout)] // The figures are stated in the documentation.
fn very_many() {
    if child::is("very_many") {
        return child();
    }
    let scene = Scene::new("very_many");
    let ended = scene.run("");
    assert!(ended.status.success(), "{}", ended.status);
    let told = fs::read_to_string(scene.folder.join("told")).unwrap();
    let told: Vec<f64> = told.split(' ').map(|number| number.parse().unwrap()).collect();
    println!("bytes for each: lock {:.0}, task {:.0}, thread {:.0}", told[0], told[1], told[2]);
    // A record and a byte of a page of counters, an entry, and what the regions are reserved by.
    assert!(told[0] < 80.0 && told[1] < 80.0, "{told:?}");
    // Its area, a page of counters, a chunk.
    assert!(told[2] < (2 * 4096 + 16384 + 4096) as f64, "{told:?}");
    for loss in Loss::ALL {
        assert_eq!(ended.lost(*loss), 0, "{loss}");
    }
    let tasks: HashSet<Party> = ended
        .events
        .iter()
        .filter_map(|event| match event {
            Event::TaskEnd { task, .. } => Some(*task),
            _ => None,
        })
        .collect();
    assert_eq!(tasks.len(), MANY);
}
