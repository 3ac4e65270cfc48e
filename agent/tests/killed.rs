//! A process that ends in any way at any moment leaves a trace that is whole: every event up to the end, every open wait,
//! and every count, exact to one acquire per thread.
#![cfg(all(target_os = "linux", feature = "record", feature = "parking_lot"))]
mod child;

use child::{Ended, Scene, line_of};
use lockprof::parking_lot::{Mutex, RwLock};
use lockprof_trace::{End, Event, Kind, Operation};
use std::env;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::{park, sleep, spawn};
use std::time::Duration;

/// How often a child ends; a longer run asks for more.
const ROUNDS: &str = "LOCKPROF_TEST_KILLS";
/// Set in the child: how it ends, and after how many steps.
const END: &str = "LOCKPROF_TEST_END";
const ENDS: [&str; 5] = ["killed", "aborts", "exits", "panics", "overflows"];
/// Every other child is a flight recorder whose trace is thinned out all the time.
const OPTIONS: [&str; 2] = ["", ",limit=256K,policy=flight"];
const THREADS: usize = 4;
/// Where the thread that blocks for ever tells its number.
const STUCK_THREAD: usize = 200;
/// Where the child tells what was counted when it began to exit.
const AT_EXIT: usize = 256;
const SOURCE: &str = include_str!("killed.rs");

#[test]
fn counts_and_open_waits_survive() {
    if child::is("counts_and_open_waits_survive") {
        work();
    }
    let rounds: u64 = env::var(ROUNDS).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(30);
    for round in 0..rounds {
        end_one(round);
    }
}

/// What the threads count, shared with the parent.
fn map(path: &Path) -> &'static [AtomicU64] {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path).unwrap();
    file.set_len(4096).unwrap();
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping of a page of a file of that length, never unmapped; atomics are valid when zero.
    unsafe {
        let place = libc::mmap(std::ptr::null_mut(), 4096, access, libc::MAP_SHARED, file.as_raw_fd(), 0);
        assert_ne!(place, libc::MAP_FAILED);
        std::slice::from_raw_parts(place.cast(), 512)
    }
}

static MUTEX: Mutex<u64> = Mutex::new(0);
static READ: RwLock<u64> = RwLock::new(0);
static STUCK: Mutex<()> = Mutex::new(());

/// The child: works until it ends.
fn work() -> ! {
    let progress = map(&child::folder().join("progress"));
    std::mem::forget(STUCK.lock());
    spawn(|| {
        // SAFETY: always succeeds.
        progress[STUCK_THREAD].store(unsafe { libc::gettid() } as u64, Relaxed);
        drop(STUCK.lock())
    });
    for thread in 0..THREADS {
        spawn(move || {
            loop {
                *MUTEX.lock() += 1;
                progress[thread].fetch_add(1, Relaxed);
                let _ = *READ.read();
                progress[64 + thread].fetch_add(1, Relaxed);
                // A lock that lives for one use: births and deaths go on all the time.
                drop(Mutex::new(()).lock());
                progress[128 + thread].fetch_add(1, Relaxed);
            }
        });
    }
    let end = env::var(END).unwrap();
    let (end, steps) = end.split_once(' ').unwrap();
    if end != "killed" {
        // None of these is written by the child before its time.
        until_all_work(std::process::id(), progress);
        sleep(Duration::from_micros(137 * steps.parse::<u64>().unwrap()));
    }
    match end {
        "killed" => loop {
            park();
        },
        "aborts" => std::process::abort(),
        "exits" => {
            for (to, from) in [0, 64, 128].into_iter().enumerate() {
                progress[AT_EXIT + to].store(sum(&progress[from..]), Relaxed);
            }
            std::process::exit(0)
        }
        "panics" => panics(),
        "overflows" => std::process::exit(overflows(1) as i32),
        other => panic!("{other}"),
    }
}

/// A panic that aborts the process, as each does where a program is built so.
extern "C" fn panics() -> ! {
    panic!("in a function that does not unwind")
}

/// Never ends by itself.
fn overflows(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 1024]);
    if room[1] == 0 { 0 } else { overflows(depth + 1) + room[0] }
}

fn until_all_work(process: u32, progress: &[AtomicU64]) {
    while progress[..THREADS].iter().any(|count| count.load(Relaxed) < 100) {
        sleep(Duration::from_micros(200));
    }
    while !sleeps(process, progress[STUCK_THREAD].load(Relaxed)) {
        sleep(Duration::from_micros(200));
    }
}

fn end_one(round: u64) {
    let (end, steps) = (ENDS[round as usize % ENDS.len()], round % 97);
    let options = OPTIONS[round as usize / ENDS.len() % OPTIONS.len()];
    let scene = Scene::new("counts_and_open_waits_survive");
    let progress = map(&scene.folder.join("progress"));
    let mut child = scene.recorded(options).env(END, format!("{end} {steps}")).spawn().unwrap();
    if end == "killed" {
        kill(&mut child, steps, progress);
    }
    let status = child.wait().unwrap();
    let ended = Ended { status, events: child::events(&scene.trace()) };
    let expected = if end == "exits" { End::Finished } else { End::Collected };
    assert_eq!((ended.status.success(), ended.end()), (end == "exits", expected), "round {round}: {end}");
    check(&ended, progress, &format!("round {round}, {end}{options}"));
}

fn kill(child: &mut Child, steps: u64, progress: &[AtomicU64]) {
    // Not before all of them work; then at a moment that differs from round to round.
    until_all_work(child.id(), progress);
    sleep(Duration::from_micros(137 * steps));
    child.kill().unwrap();
}

/// Whether a thread of the child sleeps: the state behind its name, see proc(5).
fn sleeps(process: u32, thread: u64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/task/{thread}/stat"));
    thread != 0
        && stat.is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S')))
}

fn sum(progress: &[AtomicU64]) -> u64 {
    progress[..THREADS].iter().map(|count| count.load(Relaxed)).sum()
}

fn check(ended: &Ended, progress: &[AtomicU64], round: &str) {
    let counts = ended.counts();
    let line = |text| line_of(SOURCE, text);
    let cases = [
        (Kind::Mutex, line("static MUTEX"), 0, 0),
        (Kind::RwLock, line("static READ"), 1, 64),
        (Kind::Mutex, line("drop(Mutex::new(()).lock())"), 0, 128),
    ];
    for (case, (kind, line, offset, at)) in cases.into_iter().enumerate() {
        let (done, counted) = (sum(&progress[at..]), counts[&(kind, line, offset)]);
        // Who exits goes on until the system has ended every thread: what was done before it began is counted.
        let at_exit = progress[AT_EXIT + case].load(Relaxed);
        let least = if at_exit == 0 { done } else { at_exit };
        let range = least..=done + THREADS as u64;
        assert!(
            range.contains(&counted),
            "{round}: {kind} at line {line}: {range:?} done, {counted} counted"
        );
    }
    let (lines, objects) = (child::lines(&ended.events), child::objects(&ended.events));
    let stuck = ended.events.iter().find_map(|event| match event {
        Event::OpenWait { operation: Operation::Lock, object, site, .. }
            if lines[&objects[object].1] == line("static STUCK") =>
        {
            Some(lines[site])
        }
        _ => None,
    });
    assert_eq!(stuck, Some(line("drop(STUCK.lock())")), "{round}: the open wait and its line");
    for event in &ended.events {
        if let Event::Wait { site, holder_site, .. } = event {
            assert!(lines.contains_key(site), "{round}: a wait at a site that is not told");
            assert!(*holder_site == 0 || lines.contains_key(holder_site), "{round}: a holder at one");
        }
    }
}
