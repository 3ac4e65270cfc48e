//! A program that goes on and on: what the recorder takes of memory and disk comes to a stand.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::Scene;
use lockprof::sync::{Mutex, mpsc};
use lockprof_trace::{Event, Loss};
use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long it goes on, in seconds; a longer run asks for more.
const SECONDS: &str = "LOCKPROF_TEST_SOAK";
const LIMIT: u64 = 4 << 20;

static LOCK: Mutex<u64> = Mutex::new(0);

/// Threads, locks and channels come and go, and threads wait for each other.
fn round() {
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(1);
        scope.spawn(move || while receiver.recv().is_ok() {});
        for _ in 0..3 {
            let sender = sender.clone();
            scope.spawn(move || {
                for n in 0..200 {
                    *LOCK.lock().unwrap() += 1;
                    drop(Mutex::new(n).lock());
                    sender.send(n).unwrap();
                }
            });
        }
    });
}

/// Bytes of this process in memory, of its recorder's memory, and of its trace.
fn taken(memory: &Path) -> [u64; 3] {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let anonymous = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("of every process");
    let kilobytes: u64 = anonymous.trim().trim_end_matches(" kB").parse().unwrap();
    let trace = fs::metadata(child::folder().join("trace.bin")).unwrap().len();
    [kilobytes << 10, fs::metadata(memory).unwrap().blocks() * 512, trace]
}

fn child(time: Duration) {
    let trace = fs::File::open(child::folder().join("trace.bin")).unwrap();
    let mut reader = lockprof_trace::file::Reader::new(trace).unwrap();
    let Ok(Some(Event::Session { memory, .. })) = reader.next() else { panic!("no session") };
    let memory = Path::new(memory.as_ref()).to_owned();
    let begin = Instant::now();
    // The most that was taken in the first half, and in all.
    let (mut half, mut all) = ([0; 3], [0; 3]);
    while begin.elapsed() < time {
        round();
        let now = taken(&memory);
        all = std::array::from_fn(|of| all[of].max(now[of]));
        if begin.elapsed() < time / 2 {
            half = all;
        }
    }
    let told = [half, all].concat().iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
    fs::write(child::folder().join("told"), told).unwrap();
}

#[test]
#[allow(clippy::print_stdout)] // The figures are what a long run is for.
fn memory_comes_to_a_stand() {
    let seconds = env::var(SECONDS).ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(6);
    if child::is("memory_comes_to_a_stand") {
        return child(Duration::from_secs(seconds));
    }
    let scene = Scene::new("memory_comes_to_a_stand");
    let ended = scene.run(&format!(",limit={LIMIT},policy=flight"));
    assert!(ended.status.success(), "{}", ended.status);
    let told = fs::read_to_string(scene.folder.join("told")).unwrap();
    let told: Vec<u64> = told.split(' ').map(|number| number.parse().unwrap()).collect();
    let (half, all) = told.split_at(3);
    for (of, what) in ["the process", "the recorder's memory", "the trace"].into_iter().enumerate() {
        println!("{what}: {} KiB after half of {seconds} s, {} KiB in all", half[of] >> 10, all[of] >> 10);
    }
    // By a tenth, or by what the allocator and the busiest moment of a noisy machine may add.
    let steady = |of: usize, more: u64| all[of] <= half[of] + half[of] / 10 + more;
    assert!(steady(0, 2 << 20), "the process grows");
    assert!(steady(1, 2 << 20), "the recorder's memory grows");
    assert!(all[2] < 2 * LIMIT, "the trace grows");
    assert!(ended.lost(Loss::Oldest) > 0, "it has gone round");
}
