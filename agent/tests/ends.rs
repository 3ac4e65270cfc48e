//! However a process ends, its trace can be read to the end; a fork's child writes nothing into its parent's; a limit or
//! a full disk stops the recording, not the program.
#![cfg(all(target_os = "linux", feature = "record"))]
use lockprof::sync::Mutex;
use lockprof_trace::{End, Event, Loss, file::Reader, memory};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Set in the child: what it does.
const CHILD: &str = "LOCKPROF_TEST_CHILD";

static LOCK: Mutex<u64> = Mutex::new(0);

fn take(times: u64) {
    for _ in 0..times {
        *LOCK.lock().unwrap() += 1;
    }
}

/// The child's part; does nothing in the parent.
fn child(name: &str) {
    if env::var(CHILD).as_deref() != Ok(name) {
        return;
    }
    match name {
        "returns" => take(1000),
        "exits" => {
            take(1000);
            std::process::exit(7);
        }
        "aborts" => {
            take(1000);
            std::process::abort();
        }
        "forks" => fork(),
        "reaches_its_limit" => {
            for _ in 0..200 {
                std::thread::spawn(|| take(10)).join().unwrap();
            }
            let begin = std::time::Instant::now();
            while !matches!(lockprof::status(), lockprof::Status::Stopped(_)) {
                assert!(begin.elapsed().as_secs() < 20, "{:?}", lockprof::status());
                std::thread::spawn(|| take(10)).join().unwrap();
            }
            take(1000);
        }
        other => panic!("{other}"),
    }
    std::process::exit(if name == "returns" { 0 } else { 7 });
}

fn fork() {
    take(1000);
    // SAFETY: the child runs a few lines that take no lock of the C library, and ends by `_exit`.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            take(500);
            libc::_exit(if lockprof::status() == lockprof::Status::Off { 1 } else { 0 });
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        assert_eq!(status, 0, "the child of the fork");
    }
    take(1000);
}

struct Ended {
    status: ExitStatus,
    events: Vec<Event<'static>>,
}

impl Ended {
    /// Runs this test again as a child that is recorded.
    fn run(name: &str, options: &str) -> Self {
        let folder = env::temp_dir().join(format!("lockprof-ends-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let trace = folder.join("trace.bin");
        let status = Command::new(env::current_exe().unwrap())
            .args([name, "--exact"])
            .env(CHILD, name)
            .env("LOCKPROF", format!("profile,path={}{options}", trace.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let events = events(&trace);
        fs::remove_dir_all(&folder).unwrap();
        Self { status, events }
    }

    fn end(&self) -> End {
        match self.events.last() {
            Some(Event::Finish { end, .. }) => *end,
            other => panic!("the last event is {other:?}"),
        }
    }

    fn count(&self) -> u64 {
        let counts = self.events.iter().map(|event| match event {
            Event::Counts { count, .. } => *count,
            _ => 0,
        });
        counts.max().unwrap_or(0)
    }
}

/// What is in the file, and what a process that could not finish it left in memory.
fn events(trace: &Path) -> Vec<Event<'static>> {
    let mut events = vec![];
    let mut reader = Reader::new(File::open(trace).unwrap()).unwrap();
    while let Some(event) = reader.next().expect("no damaged block") {
        events.push(event.into_owned());
    }
    let Some(Event::Session { memory, .. }) = events.first() else { panic!("no session") };
    let memory = PathBuf::from(memory.as_ref());
    if let Ok(bytes) = fs::read(&memory) {
        fs::remove_file(&memory).unwrap();
        memory::collect(&bytes, &mut |event| events.push(event.clone().into_owned())).unwrap();
    }
    events
}

#[test]
fn returns() {
    child("returns");
    let ended = Ended::run("returns", "");
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (Some(0), End::Finished, 1000));
}

#[test]
fn exits() {
    child("exits");
    let ended = Ended::run("exits", "");
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (Some(7), End::Finished, 1000));
}

#[test]
fn aborts() {
    child("aborts");
    let ended = Ended::run("aborts", "");
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (None, End::Collected, 1000));
}

#[test]
fn forks() {
    child("forks");
    let ended = Ended::run("forks", "");
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (Some(7), End::Finished, 2000));
}

#[test]
fn reaches_its_limit() {
    child("reaches_its_limit");
    let ended = Ended::run("reaches_its_limit", ",limit=8K");
    assert_eq!(ended.end(), End::Finished);
    let Some(Event::Finish { reason, .. }) = ended.events.last() else { panic!("no end") };
    assert!(reason.contains("limit of 8192 bytes"), "{reason}");
    let lost = |event: &Event<'_>| matches!(event, Event::Lost { loss: Loss::Limit, .. });
    assert!(ended.events.iter().any(lost), "the loss is told");
    assert!(ended.count() >= 3000, "counts stay exact: {}", ended.count());
}

#[test]
fn a_path_that_cannot_be_written_is_an_error_and_no_more() {
    let error = lockprof::builder().path("/nonexistent/folder/trace.bin").start().unwrap_err();
    assert!(error.is_trace());
    assert!(error.to_string().contains("/nonexistent/folder/trace.bin"), "{error}");
    take(3);
}
