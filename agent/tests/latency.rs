//! The disk under the trace is kept busy by others: no lock operation of the program waits for it, not even one in ten
//! thousand, in the mode that writes most.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::Scene;
use lockprof::sync::Mutex;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

const PAIRS: usize = 1_000_000;

/// How often this thread has gone to sleep by itself: a thread that waits for a disk does.
fn sleeps() -> i64 {
    // SAFETY: a record of zeros may be written.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_THREAD, &mut usage), 0);
        usage.ru_nvcsw
    }
}

/// Takes and releases a lock that nobody else wants; tells how often it slept meanwhile, and the median, the p99.99 and the
/// greatest time in nanoseconds.
fn child() {
    let lock = Mutex::new(0u64);
    let mut times = vec![0u32; PAIRS];
    let before = sleeps();
    for time in &mut times {
        let begin = Instant::now();
        *lock.lock().unwrap() += 1;
        *time = begin.elapsed().as_nanos() as u32;
    }
    let slept = (sleeps() - before) as u32;
    times.sort_unstable();
    let told = [slept, times[PAIRS / 2], times[PAIRS - PAIRS / 10_000], times[PAIRS - 1]];
    let told = told.map(|ns| ns.to_string()).join(" ");
    fs::write(child::folder().join("told"), told).unwrap();
}

/// Writes and flushes to the disk until it is told to end; how long the slowest took, in nanoseconds.
fn storm(folder: &Path, number: usize, end: &AtomicBool) -> u64 {
    let mut file = File::create(folder.join(format!("storm-{number}"))).unwrap();
    let mut slowest = 0;
    while !end.load(Relaxed) {
        let begin = Instant::now();
        file.write_all(&[7; 256 << 10]).unwrap();
        file.sync_all().unwrap();
        file.set_len(0).unwrap();
        slowest = slowest.max(begin.elapsed().as_nanos() as u64);
    }
    slowest
}

/// Runs the child in the storm; how often it slept.
#[allow(clippy::print_stdout)]
fn measured(scene: &Scene, command: &mut std::process::Command) -> u64 {
    let end = AtomicBool::new(false);
    let slowest = std::thread::scope(|scope| {
        let storms: Vec<_> = (0..2)
            .map(|number| {
                scope.spawn({
                    let end = &end;
                    move || storm(&scene.folder, number, end)
                })
            })
            .collect();
        let status = command.status().unwrap();
        end.store(true, Relaxed);
        assert!(status.success());
        storms.into_iter().map(|storm| storm.join().unwrap()).max().unwrap()
    });
    let told = fs::read_to_string(scene.folder.join("told")).unwrap();
    let mut told = told.split(' ').map(|ns| ns.parse().unwrap());
    let [slept, half, rare, most]: [u64; 4] = std::array::from_fn(|_| told.next().unwrap());
    println!(
        "slept {slept} times; p50 {half} ns, p99.99 {rare} ns, greatest {most} ns; slowest write of the storm {slowest} ns"
    );
    slept
}

#[test]
#[allow(clippy::print_stdout)] // The figures are stated in the documentation.
fn a_slow_disk_slows_no_lock() {
    if child::is("a_slow_disk_slows_no_lock") {
        return child();
    }
    let scene = Scene::new("a_slow_disk_slows_no_lock");
    let without = measured(&scene, &mut scene.unrecorded());
    let options = format!("full,path={}", scene.trace().display());
    let with = measured(&scene, scene.unrecorded().env("LOCKPROF", options));
    assert!(with < without + PAIRS as u64 / 10_000, "slept {with} times recorded, {without} times not");
}
