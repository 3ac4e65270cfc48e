//! One recording of one process, and what its trace says. A test binary that records has one test.
#![allow(dead_code)] // No binary uses all of it.
use lockprof_trace::file::Reader;
use lockprof_trace::{Event, Kind, Operation, Outcome, Party, Role, WaitEnd};
use std::collections::HashMap;
use std::fs::{self, File};
use std::panic::Location;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

/// All events of a trace.
pub struct Trace {
    events: Vec<Event<'static>>,
    /// Line of each site.
    lines: HashMap<u64, u32>,
    /// Kind and creation line of each class.
    classes: HashMap<u64, (Kind, u32)>,
    /// The class of each object.
    objects: HashMap<u64, u64>,
}

/// A wait that has ended, or has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub party: Party,
    pub object: u64,
    pub line: u32,
    /// `None`: it was open at the end.
    pub end: Option<WaitEnd>,
    pub holder: Party,
}

/// Records what `act` does.
pub fn record(act: impl FnOnce()) -> Trace {
    let path = std::env::temp_dir().join(format!("lockprof-test-{}.bin", std::process::id()));
    let recording = lockprof::builder().path(&path).start().unwrap();
    act();
    recording.finish();
    let mut reader = Reader::new(File::open(&path).unwrap()).unwrap();
    let mut events = vec![];
    while let Some(event) = reader.next().unwrap() {
        events.push(event.into_owned());
    }
    assert_eq!((reader.cut(), reader.damaged()), (None, 0));
    fs::remove_file(&path).unwrap();
    let mut trace = Trace { events, lines: HashMap::new(), classes: HashMap::new(), objects: HashMap::new() };
    for event in &trace.events {
        match event {
            Event::Site { site, line, .. } => drop(trace.lines.insert(*site, *line as u32)),
            Event::Lost { loss, count } => panic!("lost: {count} of {loss}"),
            _ => {}
        }
    }
    for event in &trace.events {
        match event {
            Event::Class { class, kind, site, .. } => {
                trace.classes.insert(*class, (*kind, trace.lines.get(site).copied().unwrap_or(0)));
            }
            Event::Object { object, class, .. } => drop(trace.objects.insert(*object, *class)),
            _ => {}
        }
    }
    trace
}

impl Trace {
    pub fn line(&self, site: u64) -> u32 {
        self.lines.get(&site).copied().unwrap_or(0)
    }

    /// The one object of this kind that was created at this line.
    pub fn object(&self, kind: Kind, line: u32) -> u64 {
        let found = self.objects(kind, line);
        assert_eq!(found.len(), 1, "objects of kind {kind} from line {line}: {found:?}");
        found[0]
    }

    /// All objects of this kind that were created at this line.
    pub fn objects(&self, kind: Kind, line: u32) -> Vec<u64> {
        let of = |class| self.classes.get(class) == Some(&(kind, line));
        self.objects.iter().filter(|(_, class)| of(class)).map(|(object, _)| *object).collect()
    }

    /// The class of this kind that was created at this line.
    pub fn class(&self, kind: Kind, line: u32) -> u64 {
        *self.classes.iter().find(|(_, of)| **of == (kind, line)).expect("no such class").0
    }

    /// How often this id was counted, and how often with a wait.
    pub fn counts(&self, id: u64) -> (u64, u64) {
        let counts = self.events.iter().find_map(|event| match event {
            Event::Counts { object, count, contended, .. } if *object == id => Some((*count, *contended)),
            _ => None,
        });
        counts.unwrap_or_default()
    }

    /// The waits in this operation, in the order of their ends.
    pub fn waits(&self, wanted: Operation) -> Vec<Wait> {
        // Each thread writes for itself; the time puts their events in order.
        let wait = |event: &Event<'_>| match event {
            Event::Wait { at, party, object, operation, site, end, holder, .. } if *operation == wanted => {
                let (line, end) = (self.line(*site), Some(*end));
                Some((*at, Wait { party: *party, object: *object, line, end, holder: *holder }))
            }
            Event::OpenWait { party, object, operation, site, holder, .. } if *operation == wanted => {
                let line = self.line(*site);
                Some((u64::MAX, Wait { party: *party, object: *object, line, end: None, holder: *holder }))
            }
            _ => None,
        };
        let mut waits: Vec<_> = self.events.iter().filter_map(wait).collect();
        waits.sort_by_key(|(at, _)| *at);
        waits.into_iter().map(|(_, wait)| wait).collect()
    }

    /// What was begun while something was held, in order: operation, object, line, and what was held: object and line.
    #[allow(clippy::type_complexity)]
    pub fn nested(&self) -> Vec<(Operation, u64, u32, Vec<(u64, u32)>)> {
        let nested = |event: &Event<'_>| match event {
            Event::Nested { at, object, operation, site, held, .. } => {
                let held = held.chunks(2).map(|pair| (pair[0], self.line(pair[1]))).collect();
                Some((*at, (*operation, *object, self.line(*site), held)))
            }
            _ => None,
        };
        let mut nested: Vec<_> = self.events.iter().filter_map(nested).collect();
        nested.sort_by_key(|(at, _)| *at);
        nested.into_iter().map(|(_, nested)| nested).collect()
    }

    /// Handles that were open at the end: role, object, party and uses.
    pub fn handles(&self) -> Vec<(Role, u64, Party, u64)> {
        let handle = |event: &Event<'_>| match event {
            Event::Handle { object, role, party, count, .. } => Some((*role, *object, *party, *count)),
            _ => None,
        };
        self.events.iter().filter_map(handle).collect()
    }

    /// The thread of this name: itself, its parent, and its class.
    pub fn thread(&self, wanted: &str) -> (Party, Party, u64) {
        let thread = self.events.iter().find_map(|event| match event {
            Event::Thread { thread, parent, class, name, .. } if name == wanted => {
                Some((*thread, *parent, *class))
            }
            _ => None,
        });
        thread.unwrap_or_else(|| panic!("no thread named {wanted}"))
    }

    pub fn outcome(&self, wanted: Party) -> Option<Outcome> {
        self.events.iter().find_map(|event| match event {
            Event::ThreadEnd { thread, outcome, .. } if *thread == wanted => Some(*outcome),
            _ => None,
        })
    }

    pub fn events(&self) -> &[Event<'static>] {
        &self.events
    }
}

/// The line of the caller.
#[track_caller]
pub fn line() -> u32 {
    Location::caller().line()
}

/// Knows when a thread sleeps in the system: so tests need no time to pass.
pub struct Sleeper(AtomicI32);

impl Sleeper {
    pub const fn new() -> Self {
        Self(AtomicI32::new(0))
    }

    /// The calling thread is about to block.
    pub fn blocks(&self) {
        // SAFETY: it has no arguments, and cannot fail.
        self.0.store(unsafe { libc::gettid() }, SeqCst);
    }

    /// Returns when it is blocked.
    pub fn wait(&self) {
        loop {
            let thread = self.0.load(SeqCst);
            let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap_or_default();
            if thread != 0 && stat.rsplit(") ").next().is_some_and(|state| state.starts_with('S')) {
                return;
            }
            std::thread::yield_now();
        }
    }
}
