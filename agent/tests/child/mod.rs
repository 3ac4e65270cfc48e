//! A test that runs itself again as a child, which is recorded, and reads what that has left.
#![allow(dead_code)] // No binary uses all of it.
use lockprof_trace::{End, Event, Kind, Loss, file::Reader, memory};
use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Set in the child: what it does.
const CHILD: &str = "LOCKPROF_TEST_CHILD";
/// Set in the child: a folder that is its own.
const FOLDER: &str = "LOCKPROF_TEST_FOLDER";

/// Whether this is the child of the test with this name.
pub fn is(name: &str) -> bool {
    env::var(CHILD).as_deref() == Ok(name)
}

/// The child's folder.
pub fn folder() -> PathBuf {
    env::var_os(FOLDER).expect("only in a child").into()
}

/// A folder for one child, removed in the end.
pub struct Scene {
    pub folder: PathBuf,
    name: &'static str,
}

impl Drop for Scene {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

impl Scene {
    /// For the child of the test with this name.
    pub fn new(name: &'static str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Relaxed);
        let folder = env::temp_dir().join(format!("lockprof-{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self { folder, name }
    }

    /// Where the child's trace is.
    pub fn trace(&self) -> PathBuf {
        self.folder.join("trace.bin")
    }

    /// The child, which nothing records.
    pub fn unrecorded(&self) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([self.name, "--exact"]).env(CHILD, self.name).env(FOLDER, &self.folder);
        command.env_remove("LOCKPROF").stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The child, recorded with these options.
    pub fn recorded(&self, options: &str) -> Command {
        let mut command = self.unrecorded();
        command.env("LOCKPROF", format!("profile,path={}{options}", self.trace().display()));
        command
    }

    /// Runs it to its end.
    pub fn run(&self, options: &str) -> Ended {
        let status = self.recorded(options).status().unwrap();
        Ended { status, events: events(&self.trace()) }
    }
}

/// What a child has left.
pub struct Ended {
    pub status: ExitStatus,
    pub events: Vec<Event<'static>>,
}

impl Ended {
    pub fn end(&self) -> End {
        match self.events.last() {
            Some(Event::Finish { end, .. }) => *end,
            other => panic!("the last event is {other:?}"),
        }
    }

    /// What stopped the recording.
    pub fn reason(&self) -> &str {
        match self.events.last() {
            Some(Event::Finish { reason, .. }) => reason,
            other => panic!("the last event is {other:?}"),
        }
    }

    /// The greatest count of any object.
    pub fn count(&self) -> u64 {
        let counts = self.events.iter().map(|event| match event {
            Event::Counts { count, .. } => *count,
            _ => 0,
        });
        counts.max().unwrap_or(0)
    }

    /// What was counted of each kind and creation line, under the offset of the id: all objects together.
    pub fn counts(&self) -> HashMap<(Kind, u64, u64), u64> {
        let (lines, objects) = (lines(&self.events), objects(&self.events));
        let mut counted = HashMap::new();
        for event in &self.events {
            if let Event::Counts { object, count, .. } = event {
                let own = if objects.contains_key(object) { *object } else { object - 1 };
                if let Some((kind, site)) = objects.get(&own) {
                    *counted.entry((*kind, lines[site], object - own)).or_default() += count;
                }
            }
        }
        counted
    }

    pub fn lost(&self, wanted: Loss) -> u64 {
        let lost = self.events.iter().map(|event| match event {
            Event::Lost { loss, count } if *loss == wanted => *count,
            _ => 0,
        });
        lost.sum()
    }
}

/// The file of the memory that a trace names.
pub fn memory(trace: &Path) -> PathBuf {
    let session = Reader::new(File::open(trace).unwrap()).unwrap().next().unwrap().map(Event::into_owned);
    let Some(Event::Session { memory, .. }) = session else { panic!("{session:?}") };
    memory.into_owned().into()
}

/// The line of each site.
pub fn lines(events: &[Event<'_>]) -> HashMap<u64, u64> {
    let line = |event: &Event<'_>| match event {
        Event::Site { site, line, .. } => Some((*site, *line)),
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

/// Kind and creation site of each object.
pub fn objects(events: &[Event<'_>]) -> HashMap<u64, (Kind, u64)> {
    let class = |event: &Event<'_>| match event {
        Event::Class { class, kind, site, .. } => Some((*class, (*kind, *site))),
        _ => None,
    };
    let classes: HashMap<u64, _> = events.iter().filter_map(class).collect();
    let object = |event: &Event<'_>| match event {
        Event::Object { object, class, .. } => Some((*object, classes[class])),
        _ => None,
    };
    events.iter().filter_map(object).collect()
}

/// What is in the file, and what a process that could not finish it has left in memory, which is removed.
pub fn events(trace: &Path) -> Vec<Event<'static>> {
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

/// The line in the test's source that contains `text`.
pub fn line_of(source: &str, text: &str) -> u64 {
    source.lines().position(|line| line.contains(text)).expect("a line of the test") as u64 + 1
}
