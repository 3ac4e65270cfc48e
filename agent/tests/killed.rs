//! A process that is killed at any moment leaves a trace that is whole: every event up to the kill, every open wait, and
//! every count, exact to one acquire per thread.
#![cfg(all(target_os = "linux", feature = "record", feature = "parking_lot"))]
use lockprof::parking_lot::{Mutex, RwLock};
use lockprof_trace::{Event, Kind, Operation, memory};
use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Set in the child: the file in which its threads count what they have done.
const CHILD: &str = "LOCKPROF_TEST_CHILD";
/// How often a child is killed; a longer run asks for more.
const ROUNDS: &str = "LOCKPROF_TEST_KILLS";
const THREADS: usize = 4;
/// Where the thread that blocks for ever tells its number.
const STUCK_THREAD: usize = 200;

#[test]
fn counts_and_open_waits_survive() {
    if let Some(progress) = env::var_os(CHILD) {
        work(Path::new(&progress));
    }
    let rounds: u64 = env::var(ROUNDS).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(25);
    for round in 0..rounds {
        kill_one(round);
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

/// The child: works until it is killed.
fn work(progress: &Path) -> ! {
    let progress = map(progress);
    std::mem::forget(STUCK.lock());
    std::thread::spawn(|| {
        // SAFETY: always succeeds.
        progress[STUCK_THREAD].store(unsafe { libc::gettid() } as u64, Relaxed);
        drop(STUCK.lock())
    });
    for thread in 0..THREADS {
        std::thread::spawn(move || {
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
    loop {
        std::thread::park();
    }
}

fn kill_one(round: u64) {
    let folder = env::temp_dir().join(format!("lockprof-killed-{}-{round}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (trace, counts) = (folder.join("trace.bin"), folder.join("progress"));
    let progress = map(&counts);
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["counts_and_open_waits_survive", "--exact"])
        .env(CHILD, &counts)
        .env("LOCKPROF", format!("profile,path={}", trace.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Not before all of them work; then at a moment that differs from round to round.
    while progress[..THREADS].iter().any(|count| count.load(Relaxed) < 100) {
        std::thread::sleep(Duration::from_micros(200));
    }
    while !sleeps(child.id(), progress[STUCK_THREAD].load(Relaxed)) {
        std::thread::sleep(Duration::from_micros(200));
    }
    std::thread::sleep(Duration::from_micros(137 * (round % 97)));
    child.kill().unwrap();
    child.wait().unwrap();
    check(&trace, progress);
    fs::remove_dir_all(&folder).unwrap();
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

/// The trace file, and what is collected behind it.
fn events(trace: &Path) -> Vec<Event<'static>> {
    let mut events = vec![];
    let mut reader = lockprof_trace::file::Reader::new(File::open(trace).unwrap()).unwrap();
    while let Some(event) = reader.next().expect("no damaged block") {
        events.push(event.into_owned());
    }
    let Some(Event::Session { memory, .. }) = events.first() else { panic!("no session") };
    let memory = PathBuf::from(memory.as_ref());
    let bytes = fs::read(&memory).unwrap();
    fs::remove_file(&memory).unwrap();
    memory::collect(&bytes, &mut |event| events.push(event.clone().into_owned())).unwrap();
    events
}

fn check(trace: &Path, progress: &[AtomicU64]) {
    let events = events(trace);
    let mut kinds = HashMap::new();
    let mut lines = HashMap::new();
    for event in &events {
        match event {
            Event::Site { site, line, .. } => drop(lines.insert(*site, *line)),
            Event::Class { class, kind, site, .. } => drop(kinds.insert(*class, (*kind, *site))),
            _ => {}
        }
    }
    let mut objects = HashMap::new();
    for event in &events {
        if let Event::Object { object, class, .. } = event {
            let (kind, site) = kinds[class];
            objects.insert(*object, (kind, lines[&site]));
        }
    }
    let mut counted: HashMap<(Kind, u64, u64), u64> = HashMap::new();
    for event in &events {
        if let Event::Counts { object, count, .. } = event {
            let own = if objects.contains_key(object) { *object } else { object - 1 };
            if let Some((kind, line)) = objects.get(&own) {
                *counted.entry((*kind, *line, object - own)).or_default() += count;
            }
        }
    }
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/killed.rs")).unwrap();
    let line = |text: &str| source.lines().position(|line| line.contains(text)).unwrap() as u64 + 1;
    let cases = [
        (Kind::Mutex, line("static MUTEX"), 0, 0),
        (Kind::RwLock, line("static READ"), 1, 64),
        (Kind::Mutex, line("drop(Mutex::new(()).lock())"), 0, 128),
    ];
    for (kind, line, offset, at) in cases {
        let (done, counted) = (sum(&progress[at..]), counted[&(kind, line, offset)]);
        let most = done + THREADS as u64;
        assert!((done..=most).contains(&counted), "{kind} at line {line}: {done} done, {counted} counted");
    }
    let stuck = events.iter().find_map(|event| match event {
        Event::OpenWait { operation: Operation::Lock, object, site, .. }
            if objects[object].1 == line("static STUCK") =>
        {
            Some(lines[site])
        }
        _ => None,
    });
    assert_eq!(stuck, Some(line("drop(STUCK.lock())")), "the open wait and its line");
    assert!(matches!(events.last(), Some(Event::Finish { .. })));
}
