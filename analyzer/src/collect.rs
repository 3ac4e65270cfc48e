//! What a process that was killed left in shared memory: found, read, and appended to its trace.
//!
//! A trace names the memory of its recorder. If that is still there and its process is not, nobody will finish the trace
//! but we: the file is cut to what the memory says is in it, what is not in it is appended, and the memory is removed.
//! Of a process that still runs, memory and trace are only read. A trace may come from anybody, so the file that it names
//! is only opened where it belongs to this user, and only believed where it is the memory of that very process.
use crate::system;
use lockprof_trace::file::{self, Block, Reader};
use lockprof_trace::memory::{self, Memory, header};
use lockprof_trace::{End, Event};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How often the memory of a live process is read again because its recorder wrote to the trace meanwhile.
const TRIES: usize = 5;

/// What a trace says about its recording's memory.
pub struct Session {
    /// The process.
    pub pid: u64,
    /// The file of its memory.
    pub memory: PathBuf,
}

impl Session {
    /// What the trace that begins in `file` says; `None` where it says nothing.
    ///
    /// # Errors
    /// It is no trace.
    pub fn of(file: &File) -> Result<Option<Self>, file::Error> {
        let mut reader = Reader::new(file)?;
        // Damage is told by who reads the whole file.
        let Ok(Some(Event::Session { pid, memory, .. })) = reader.next() else { return Ok(None) };
        Ok((!memory.is_empty()).then(|| Self { pid, memory: PathBuf::from(&*memory) }))
    }
}

/// What belongs behind the first bytes of a trace.
pub struct Left {
    /// How many bytes of the file count.
    pub file_bytes: u64,
    /// The blocks that follow them; none where they have been appended to the file.
    pub events: Vec<u8>,
    /// What the reader of the report should know.
    pub note: Option<String>,
    /// Whether the file was shorter than its recorder wrote it: something is missing before what was left.
    pub short: bool,
}

/// Reads what the recorder of this session left in memory, and completes the trace at `path`, open as `trace`, with it.
///
/// # Errors
/// There is something, but it cannot be used: the reason, as a sentence.
pub fn left(session: &Session, path: &Path, trace: &File) -> Result<Option<Left>, String> {
    let place = &session.memory;
    let found = match system::open_own(place) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(format!(
                "{}: its process left memory in {}, but {error}",
                path.display(),
                place.display()
            ));
        }
    };
    let unusable = |error: &dyn std::fmt::Display| {
        format!("{}: the memory of its process, {}, is not used: {error}", path.display(), place.display())
    };
    let live = system::maps(session.pid, &found);
    let (file_bytes, events) = read(&found, session.pid, live).map_err(|error| unusable(&error))?;
    let Some(file_bytes) = file_bytes else {
        // Finished to the end but for this.
        if !live {
            drop(std::fs::remove_file(place));
        }
        return Ok(None);
    };
    let told = file_bytes;
    let file_bytes = whole_blocks(trace, told).map_err(|error| unusable(&error))?;
    let short = file_bytes < told;
    if live {
        let note = format!(
            "{}: process {} still runs; this is its state at this moment",
            path.display(),
            session.pid
        );
        return Ok(Some(Left { file_bytes, events, note: Some(note), short: false }));
    }
    match append(path, file_bytes, &events) {
        Ok(()) => {
            drop(std::fs::remove_file(place));
            // What a flight recorder was putting together when it was killed.
            drop(std::fs::remove_file(path.with_added_extension("part")));
            let note = short.then(|| {
                format!(
                    "{}: shorter than its recorder wrote it: of {told} bytes {file_bytes} are there",
                    path.display()
                )
            });
            Ok(Some(Left { file_bytes: u64::MAX, events: vec![], note, short }))
        }
        Err(error) => {
            let note = format!(
                "{}: cannot be completed with what its process left in {}: {error}; it is analyzed all the same, and the \
                 memory stays",
                path.display(),
                place.display()
            );
            Ok(Some(Left { file_bytes, events, note: Some(note), short }))
        }
    }
}

/// Removes what a dead process left in memory for the trace at `path`, which nobody wants any more.
pub fn discard(path: &Path) {
    let session = File::open(path).ok().and_then(|file| Session::of(&file).ok().flatten());
    let Some(session) = session else { return };
    if let Ok(found) = system::open_own(&session.memory)
        && !system::maps(session.pid, &found)
        && system::read_sparse(&found, memory::PAGE_BYTES as u64).is_ok_and(|bytes| {
            bytes[..].word(header::MAGIC) == memory::MAGIC && bytes[..].word(header::PID) == session.pid
        })
    {
        drop(std::fs::remove_file(&session.memory));
    }
}

/// Reads the memory: how far the trace is valid, and the blocks that belong behind that. No length where the recording has
/// finished by itself.
fn read(found: &File, pid: u64, live: bool) -> Result<(Option<u64>, Vec<u8>), String> {
    let Some(bytes) = bytes(found, pid, live)? else { return Ok((None, vec![])) };
    let (mut block, mut events) = (Block::new(), vec![]);
    let length = memory::collect(&bytes, &mut |event| block.push(&ended(event, live)));
    block.finish(&mut events);
    length.map(|length| (Some(length), events)).map_err(|error| error.to_string())
}

/// An event of what was collected; of a process that lives none says that somebody killed it.
pub fn ended<'e>(event: &Event<'e>, live: bool) -> Event<'e> {
    match event {
        Event::Finish { at, reason, .. } if live => {
            Event::Finish { at: *at, end: End::Cut, reason: reason.clone() }
        }
        event => event.clone(),
    }
}

/// The bytes of the memory of process `pid`, all of one moment as far as its trace goes; `None` where its recording has
/// finished by itself.
///
/// # Errors
/// They cannot be read, or are not its memory: the reason.
pub fn bytes(found: &File, pid: u64, live: bool) -> Result<Option<Vec<u8>>, String> {
    let mut tries = if live { TRIES } else { 1 };
    loop {
        let before = live.then(|| pass(found)).flatten();
        let bytes =
            system::read_sparse(found, memory::region::END as u64 * 8).map_err(|error| error.to_string())?;
        tries -= 1;
        if live && tries > 0 && before != pass(found) {
            continue;
        }
        if bytes[..].word(header::MAGIC) != memory::MAGIC {
            return Err(memory::Error::Foreign.to_string());
        }
        if bytes[..].word(header::PID) != pid {
            return Err("it belongs to another process".into());
        }
        return Ok((bytes[..].word(header::STATE) != 2).then_some(bytes));
    }
}

/// How often the recorder has written to its trace.
fn pass(found: &File) -> Option<u64> {
    let bytes = system::read_sparse(found, memory::PAGE_BYTES as u64).ok()?;
    Some(bytes[..].word(header::PASS))
}

/// The length of a trace that is valid, where it should be `said`: less where the file is shorter than that.
fn whole_blocks(mut trace: &File, said: u64) -> io::Result<u64> {
    let length = trace.metadata()?.len();
    if length >= said {
        return Ok(said);
    }
    trace.seek(SeekFrom::Start(0))?;
    let Ok(mut reader) = Reader::new(trace) else { return Ok(length) };
    while !matches!(reader.block(), Ok(None) | Err(file::Error::Io(_))) {}
    Ok(reader.cut().unwrap_or(length))
}

/// Cuts the trace to `file_bytes` and appends `events`. Two that do so at once do it one after the other, with one result.
fn append(path: &Path, file_bytes: u64, events: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(io::Error::other("another lockprof is doing so")),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    file.set_len(file_bytes)?;
    file.seek(SeekFrom::Start(file_bytes))?;
    file.write_all(events)
}
