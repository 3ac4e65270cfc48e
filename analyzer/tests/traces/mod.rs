//! Traces for tests, and the command that reads them.
#![allow(dead_code)] // Each test program uses some of it.
use lockprof_trace::file::{Block, header};
use lockprof_trace::memory::{self, header as head, region};
use lockprof_trace::{End, Event, HoldSource, Kind, Mode, Operation, Party, WaitEnd, words};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The first event of a recording.
pub fn session(pid: u32, memory: &Path) -> Event<'static> {
    Event::Session {
        at: 1_000,
        unix_ns: 1_700_000_000_000_000_000,
        ticks_per_4s: 1 << 32,
        coarse_ticks: 1_000_000,
        mode: Mode::Profile,
        pid: pid.into(),
        exe: "/usr/bin/shop".into(),
        memory: memory.to_str().unwrap().to_owned().into(),
        stacks: "none".into(),
        agent: "0.1.0".into(),
    }
}

/// A thread, known by this number.
pub fn thread(number: u64) -> Event<'static> {
    let (thread, parent) = (Party::thread(number), Party::UNKNOWN);
    Event::Thread {
        at: 2_000 + number,
        thread,
        parent,
        class: 0,
        os_id: number,
        name: format!("worker-{number}").into(),
    }
}

/// The last event of a recording.
pub fn finish() -> Event<'static> {
    Event::Finish { at: 9_000_000, end: End::Finished, reason: "".into() }
}

/// Events as a file, one block each.
pub fn file_of(events: &[Event<'_>]) -> Vec<u8> {
    let (mut file, mut block) = (header(), Block::new());
    for event in events {
        block.push(event);
        block.finish(&mut file);
    }
    file
}

/// A whole recording without any fault.
pub fn whole(pid: u32) -> Vec<u8> {
    file_of(&[session(pid, Path::new("")), thread(1), thread(2), finish()])
}

/// A name that is trouble where it is not escaped.
pub const NASTY: &str = "<script>alert(\"1\")</script>;&'";

/// A mutex of this name that a thread holds while tasks of one line wait for it: two that get it, after 1 ms and 2 ms, and
/// one that waits at the end since 4 ms.
pub fn contended(pid: u32) -> Vec<u8> {
    let [made, taken, waits, spawned] = [100, 200, 300, 400];
    let site = |site, line| Event::Site { site, file: "src/shop.rs".into(), line, column: 9 };
    let class = |class, kind, site| Event::Class { class, kind, site, type_name: "Shop".into() };
    let task = |number| Event::Task {
        at: 3_000,
        task: Party::task(number),
        parent: Party::thread(1),
        class: 2,
        runtime: 0,
    };
    let wait = |at, number, ms: u64| Event::Wait {
        at,
        ticks: ms * 1_000_000,
        party: Party::task(number),
        object: 1,
        operation: Operation::Lock,
        site: waits,
        stack: 0,
        end: WaitEnd::Done,
        holder: Party::thread(1),
        holder_site: taken,
    };
    file_of(&[
        session(pid, Path::new("")),
        site(made, 3),
        site(taken, 10),
        site(waits, 20),
        site(spawned, 30),
        class(1, Kind::Mutex, made),
        class(2, Kind::Task, spawned),
        Event::Object { at: 2_000, object: 1, class: 1, capacity: 0 },
        Event::Name { object: 1, name: NASTY.into() },
        thread(1),
        task(1),
        task(2),
        task(3),
        wait(4_000_000, 1, 1),
        wait(5_000_000, 2, 2),
        Event::Hold {
            at: 5_000_000,
            ticks: 3_000_000,
            party: Party::thread(1),
            object: 1,
            site: taken,
            source: HoldSource::Coarse,
        },
        Event::OpenWait {
            since: 5_000_000,
            party: Party::task(3),
            object: 1,
            operation: Operation::Lock,
            site: waits,
            stack: 0,
            holder: Party::thread(1),
            holder_site: taken,
            limited: 0,
        },
        finish(),
    ])
}

/// A request that waited in a span, by names that are markup, and a thread that was found running.
pub fn request(pid: u32) -> Vec<u8> {
    let site = Event::Site { site: 0x20, file: "src/shop.rs".into(), line: 20, column: 9 };
    let span = Event::Span {
        span: 9,
        parent: 0,
        name: NASTY.into(),
        target: "shop".into(),
        file: "src/shop.rs".into(),
        line: 30,
        trace_id: NASTY.into(),
    };
    let wait = Event::Wait {
        at: 9_000_000,
        ticks: 5_000_000,
        party: Party::thread(1),
        object: 1,
        operation: Operation::Lock,
        site: 0x20,
        stack: 0,
        end: WaitEnd::Done,
        holder: Party::UNKNOWN,
        holder_site: 0,
    };
    let sample =
        Event::CpuSample { at: 9_500_000, party: Party::thread(1), os_id: 7, stack: 1, ticks: 1_000_000 };
    file_of(&[
        session(pid, Path::new("")),
        site,
        span,
        Event::Stack { stack: 1, frames: [0x1234][..].into() },
        Event::Class { class: 1, kind: Kind::Mutex, site: 0x20, type_name: "".into() },
        Event::Object { at: 2_000, object: 1, class: 1, capacity: 0 },
        thread(1),
        Event::Within { span: 9 },
        wait,
        sample,
        finish(),
    ])
}

/// A thread without a name that was found running, in no function that is known.
pub fn unnamed(pid: u32) -> Vec<u8> {
    let party = Party::thread(3);
    let thread = Event::Thread {
        at: 2_000,
        thread: party,
        parent: Party::UNKNOWN,
        class: 0,
        os_id: 8,
        name: "".into(),
    };
    let sample = Event::CpuSample { at: 9_500_000, party, os_id: 8, stack: 0, ticks: 1_000_000 };
    file_of(&[session(pid, Path::new("")), thread, sample, finish()])
}

/// A thread that waits for a lock which it holds itself, and two locks that threads took in both orders; lines of `file`.
pub fn stuck(pid: u32, file: &str) -> Vec<u8> {
    let site = |line| Event::Site { site: line, file: file.to_owned().into(), line, column: 1 };
    let class = |line| Event::Class { class: line, kind: Kind::StdMutex, site: line, type_name: "".into() };
    let object = |object: u64| Event::Object { at: 2_000, object, class: object, capacity: 0 };
    let nested = |party, object, site, outer: [u64; 2]| Event::Nested {
        at: 5_000,
        party: Party::thread(party),
        object,
        operation: Operation::Lock,
        site,
        held: outer.to_vec().into(),
    };
    let mut events = vec![session(pid, Path::new(""))];
    events.extend((1..10).map(site));
    events.extend((1..4).map(class));
    events.extend((1..4).map(object));
    events.extend([thread(1), thread(2)]);
    events.extend([nested(1, 2, 5, [1, 4]), nested(2, 1, 7, [2, 6])]);
    let (party, site, operation) = (Party::thread(1), 9, Operation::Lock);
    events.push(Event::OpenWait {
        since: 6_000,
        party,
        object: 3,
        operation,
        site,
        stack: 0,
        holder: party,
        holder_site: 8,
        limited: 0,
    });
    let role = lockprof_trace::Role::Exclusive;
    events.push(Event::Handle { object: 3, role, party, site: 8, since: 5_500, count: 1, moved: 0 });
    events.push(Event::Finish { at: 9_000_000_000, end: End::Finished, reason: "".into() });
    file_of(&events)
}

/// The memory of a recorder whose trace has `file_bytes` bytes and who told `event` since.
pub fn memory_of(pid: u32, file_bytes: u64, event: &Event<'_>) -> Vec<u8> {
    let mut bytes = vec![0; region::END * 8];
    let mut set = |word: usize, value: u64| bytes[word * 8..][..8].copy_from_slice(&value.to_le_bytes());
    set(head::MAGIC, memory::MAGIC);
    set(head::PID, pid.into());
    set(head::STATE, 1);
    set(head::FILE_BYTES, file_bytes);
    set(head::SEEN, 5_000_000);
    set(head::CHUNKS, 1);
    let size = words::size(event);
    set(region::CHUNKS_ + memory::chunk::STATE, 1);
    set(region::CHUNKS_ + memory::chunk::LEN, size as u64);
    let mut at = region::CHUNKS_ + memory::CHUNK_HEAD;
    words::put(event, size, |word| {
        set(at, word);
        at += 1;
    });
    bytes
}

/// The number of a process that has ended.
pub fn dead() -> u32 {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

/// A folder with files in it.
pub struct Folder(TempDir);

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// The place of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file in it with these bytes.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

/// `lockprof` with these arguments, in no terminal and without the variables that it reads.
pub fn lockprof<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockprof"));
    command
        .args(arguments)
        .env_remove("LOCKPROF")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS")
        .stdin(std::process::Stdio::null());
    command
}

/// What a command did.
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Does it.
pub fn done(mut command: Command) -> Done {
    command.output().unwrap().into()
}

/// `lockprof analyze` for this trace.
pub fn analyze(trace: &Path) -> Done {
    done(lockprof(["analyze".as_ref(), trace]))
}

/// The events of a trace file.
pub fn events_of(path: &Path) -> Vec<Event<'static>> {
    let mut reader = lockprof_trace::file::Reader::new(fs::File::open(path).unwrap()).unwrap();
    let mut events = vec![];
    while let Some(event) = reader.next().unwrap() {
        events.push(event.into_owned());
    }
    assert_eq!(reader.cut(), None);
    events
}
