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

/// What there is behind a trace.
pub enum Found {
    /// Nothing: the trace is all.
    Nothing,
    /// This belongs to it.
    Left(Left),
    /// A flight recorder has written the trace anew since it was opened; what memory says is of the other file. It is to be
    /// opened again.
    Anew,
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

/// Reads what the recorder of this session left in memory, and completes the trace at `path`, open as `trace`, with it. Where
/// this is the `last` try, it is not asked whether that was written anew meanwhile.
///
/// # Errors
/// There is something, but it cannot be used: the reason, as a sentence.
pub fn left(session: &Session, path: &Path, trace: &File, last: bool) -> Result<Found, String> {
    let place = &session.memory;
    let is_anew = || !last && is_another(path, trace);
    let found = match system::open_own(place) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(if is_anew() { Found::Anew } else { Found::Nothing });
        }
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
    // Asked when memory was read: a file that still stands there then is the one that memory tells of. The other is shorter,
    // and stands there a moment before memory tells its length.
    let is_short = || !last && live && trace.metadata().is_ok_and(|facts| Some(facts.len()) < file_bytes);
    if is_anew() || is_short() {
        return Ok(Found::Anew);
    }
    let Some(file_bytes) = file_bytes else {
        // Finished to the end but for this.
        if !live {
            drop(std::fs::remove_file(place));
        }
        return Ok(Found::Nothing);
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
        return Ok(Found::Left(Left { file_bytes, events, note: Some(note), short: false }));
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
            Ok(Found::Left(Left { file_bytes: u64::MAX, events: vec![], note, short }))
        }
        Err(error) => {
            let note = format!(
                "{}: cannot be completed with what its process left in {}: {error}; it is analyzed all the same, and the \
                 memory stays",
                path.display(),
                place.display()
            );
            Ok(Found::Left(Left { file_bytes, events, note: Some(note), short }))
        }
    }
}

/// Whether at `path` there stands another file than this. What has no name any more can still be read.
pub fn is_another(path: &Path, file: &File) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(one), Ok(other)) => !system::is_same(&one, &other),
        _ => false,
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

#[cfg(all(test, unix))]
mod tests {
    use super::{Found, Session, left};
    use lockprof_trace::file::header as head_of_file;
    use lockprof_trace::memory::{MAGIC, header, region};
    use std::fs::{self, File};
    use std::os::unix::fs::FileExt;
    use std::process::Command;

    #[test]
    fn a_trace_that_was_written_anew_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let [path, new, memory] = ["trace.bin", "new.bin", "memory"].map(|name| folder.path().join(name));
        let mut ended = Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        let pid = u64::from(ended.id());
        // Most of it is nothing, and takes no space.
        let sparse = File::create(&memory).unwrap();
        sparse.set_len(region::END as u64 * 8).unwrap();
        let length = head_of_file().len() as u64;
        let words =
            [(header::MAGIC, MAGIC), (header::PID, pid), (header::STATE, 1), (header::FILE_BYTES, length)];
        for (word, value) in words {
            sparse.write_all_at(&value.to_le_bytes(), word as u64 * 8).unwrap();
        }
        fs::write(&path, [head_of_file(), vec![0; 100]].concat()).unwrap();
        fs::write(&new, head_of_file()).unwrap();

        let session = Session { pid, memory: memory.clone() };
        let old = File::open(&path).unwrap();
        fs::rename(&new, &path).unwrap();
        assert!(matches!(left(&session, &path, &old, false), Ok(Found::Anew)));
        assert_eq!((fs::metadata(&path).unwrap().len(), memory.exists()), (length, true), "nothing is done");
        let again = File::open(&path).unwrap();
        assert!(matches!(left(&session, &path, &again, false), Ok(Found::Left(_))));
        assert!(!memory.exists());
        // Finished since, and without its memory.
        assert!(matches!(left(&session, &path, &old, false), Ok(Found::Anew)));
        assert!(matches!(left(&session, &path, &old, true), Ok(Found::Nothing)));
    }
}
