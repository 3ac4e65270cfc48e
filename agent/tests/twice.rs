//! Started twice, finished twice, finished while threads still work: each is defined.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::{Ended, Scene, events};
use lockprof::sync::Mutex;
use lockprof::{Status, builder, status};
use lockprof_trace::End;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

static LOCK: Mutex<u64> = Mutex::new(0);

fn take(times: u64) {
    for _ in 0..times {
        *LOCK.lock().unwrap() += 1;
    }
}

/// Runs the child, which starts its recording itself.
fn run(scene: &Scene) -> Ended {
    let status = scene.unrecorded().status().unwrap();
    assert!(status.success(), "{status}");
    Ended { status, events: events(&scene.trace()) }
}

#[test]
fn started_and_finished_twice() {
    if child::is("started_and_finished_twice") {
        let (path, other) = (child::folder().join("trace.bin"), child::folder().join("other.bin"));
        assert_eq!(status(), Status::Off);
        let first = builder().path(&path).start().unwrap();
        take(10);
        // A second start joins the first: one recording, into the first one's trace.
        let second = builder().path(&other).start().unwrap();
        let real = fs::canonicalize(&path).unwrap();
        assert_eq!((status(), other.exists()), (Status::Recording(real), false));
        take(10);
        first.finish();
        assert_eq!(status(), Status::Finished);
        take(10);
        second.finish();
        assert_eq!(status(), Status::Finished);
        assert!(builder().path(&other).start().unwrap_err().is_finished());
        return take(10);
    }
    let ended = run(&Scene::new("started_and_finished_twice"));
    assert_eq!((ended.end(), ended.count()), (End::Finished, 20));
}

#[test]
fn finished_while_threads_work() {
    const THREADS: usize = 4;
    if child::is("finished_while_threads_work") {
        let recording = builder().path(child::folder().join("trace.bin")).start().unwrap();
        let (taken, done) = (AtomicU64::new(0), AtomicBool::new(false));
        let [mut before, mut after] = [0, 0];
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while !done.load(SeqCst) {
                        take(1);
                        taken.fetch_add(1, SeqCst);
                        drop(Mutex::new(0).lock());
                    }
                });
            }
            while taken.load(SeqCst) < 10_000 {}
            before = taken.load(SeqCst);
            recording.finish();
            after = taken.load(SeqCst);
            // They go on, and new ones come.
            while taken.load(SeqCst) < after + 10_000 {}
            scope.spawn(|| take(100));
            done.store(true, SeqCst);
        });
        return fs::write(child::folder().join("told"), format!("{before} {after}")).unwrap();
    }
    let scene = Scene::new("finished_while_threads_work");
    let ended = run(&scene);
    let told = fs::read_to_string(scene.folder.join("told")).unwrap();
    let (before, after) = told.split_once(' ').unwrap();
    let range = before.parse::<u64>().unwrap()..=after.parse::<u64>().unwrap() + THREADS as u64;
    assert_eq!(ended.end(), End::Finished);
    assert!(range.contains(&ended.count()), "{} of {range:?}", ended.count());
}

/// What this process has of shared memory, in KiB.
fn shared_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssShmem:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn nothing_is_written_after_the_end() {
    if child::is("nothing_is_written_after_the_end") {
        let recording = builder().path(child::folder().join("trace.bin")).full().start().unwrap();
        take(1000);
        recording.finish();
        take(1000);
        let before = shared_kib();
        // Of each hold an event would be 32 bytes.
        take(300_000);
        let more = shared_kib() - before;
        return assert!(more < 1024, "{more} KiB");
    }
    let ended = run(&Scene::new("nothing_is_written_after_the_end"));
    assert_eq!((ended.end(), ended.count()), (End::Finished, 1000));
}

#[test]
fn two_processes_for_one_trace() {
    if child::is("two_processes_for_one_trace") {
        let path = child::folder().join("trace.bin");
        match builder().path(&path).start() {
            Err(error) => {
                take(500);
                assert!(error.is_trace());
                return fs::write(child::folder().join("told"), error.to_string()).unwrap();
            }
            Ok(_recording) => {
                take(1000);
                // Another one, which would start a recording of its own at the same place.
                let again = std::env::args_os().collect::<Vec<_>>();
                assert!(std::process::Command::new(&again[0]).args(&again[1..]).status().unwrap().success());
                return take(1000);
            }
        }
    }
    let scene = Scene::new("two_processes_for_one_trace");
    let ended = run(&scene);
    let told = fs::read_to_string(scene.folder.join("told")).unwrap();
    assert!(told.contains("another recorder writes to it"), "{told}");
    assert_eq!((ended.end(), ended.count()), (End::Finished, 2000));
}
