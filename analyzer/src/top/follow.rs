//! What a process has recorded up to now, read again and again: of the trace only what is new.
use crate::collect::{self, Session};
use crate::error::Error;
use crate::modules::{Modules, Process};
use crate::progress::Progress;
use crate::{load, system};
use lockprof_engine::model::Model;
use lockprof_trace::Event;
use lockprof_trace::file::{self, Reader};
use lockprof_trace::memory::{self, Memory, header};
use std::fs::File;
use std::io::{ErrorKind, Read, Take};
use std::path::{Path, PathBuf};

/// How often memory and trace are read again because a flight recorder wrote the trace anew in between.
const TRIES: usize = 5;

/// What a reading found.
pub struct Reading {
    /// Everything recorded, with the state of the moment; resolved.
    pub model: Model,
    /// Why this is not, or no longer, the state of a process that runs.
    pub note: Option<String>,
}

/// A recording that is read while it goes on.
pub struct Follow {
    place: Place,
    /// Names of addresses.
    pub modules: Modules,
}

enum Place {
    /// A process, or what it left.
    Recorded(Box<Recorded>),
    /// A trace that is complete, read once.
    Complete { path: PathBuf, model: Box<Model>, note: Option<String> },
    /// Memory without its trace.
    Memory { path: PathBuf, file: File, pid: u64 },
}

struct Recorded {
    session: Session,
    /// Where the trace can be opened.
    path: PathBuf,
    memory: File,
    reader: Reader<Take<File>>,
    /// What the trace tells, without the state of the moment.
    base: Model,
}

impl Follow {
    /// Of a process by its number, or of a trace or memory file by its path.
    ///
    /// # Errors
    /// There is no such thing, or it is not ours to look at.
    pub fn attach(target: &Path) -> Result<Self, Error> {
        match target.to_str().and_then(|text| text.parse().ok()) {
            Some(pid) => Self::process(pid),
            None => Self::file(target),
        }
    }

    /// Of a process: it has its trace open, and the trace names the memory.
    fn process(pid: u32) -> Result<Self, Error> {
        let files = system::open_files(pid).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::NoProcess(pid),
            ErrorKind::PermissionDenied => Error::NotOurs(pid),
            ErrorKind::Unsupported => Error::NoOutside,
            _ => Error::Process(pid, error),
        })?;
        for path in files {
            let Ok(trace) = File::open(&path) else { continue };
            let Ok(Some(session)) = Session::of(&trace) else { continue };
            if session.pid == u64::from(pid) {
                // By its own name, which stays when the process is gone.
                let named = std::fs::read_link(&path).ok().filter(|named| named.exists());
                return Self::recorded(session, named.unwrap_or(path));
            }
        }
        Err(Error::NotRecorded(pid))
    }

    fn file(path: &Path) -> Result<Self, Error> {
        let trace = load::open(path)?;
        match Session::of(&trace) {
            Ok(Some(session)) if session.memory.exists() => return Self::recorded(session, path.into()),
            Ok(_) => {}
            Err(file::Error::NotATrace) => return Self::memory(path),
            Err(error) => return Err(Error::Trace(path.into(), error)),
        }
        let (mut model, mut process, mut modules) = (Model::new(), Process::default(), Modules::default());
        let loaded = load::read(path, &Progress::new(false), |event| {
            model.event(event);
            process.event(event);
        })?;
        modules.add(process);
        let note = loaded.notes.into_iter().next();
        let place = Place::Complete { path: path.into(), model: Box::new(model.resolved()), note };
        Ok(Self { place, modules })
    }

    fn recorded(session: Session, path: PathBuf) -> Result<Self, Error> {
        let unusable = |error: String| Error::Memory(session.memory.clone(), error);
        let memory = system::open_own(&session.memory).map_err(|error| unusable(error.to_string()))?;
        let reader = begin(&path)?;
        let recorded = Recorded { session, path, memory, reader, base: Model::new() };
        Ok(Self { place: Place::Recorded(Box::new(recorded)), modules: Modules::default() })
    }

    /// Of what a process left whose trace is gone.
    fn memory(path: &Path) -> Result<Self, Error> {
        let not_a_trace = || Error::Trace(path.into(), file::Error::NotATrace);
        let file = system::open_own(path).map_err(|error| Error::Memory(path.into(), error.to_string()))?;
        let head = system::read_sparse(&file, memory::PAGE_BYTES as u64).map_err(|_| not_a_trace())?;
        if head[..].word(header::MAGIC) != memory::MAGIC {
            return Err(not_a_trace());
        }
        let pid = head[..].word(header::PID);
        if system::maps(pid, &file)
            && let Ok(pid) = u32::try_from(pid)
        {
            return Self::process(pid);
        }
        Ok(Self { place: Place::Memory { path: path.into(), file, pid }, modules: Modules::default() })
    }

    /// Reads what is new, and the state of this moment.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub fn read(&mut self) -> Result<Reading, Error> {
        match &mut self.place {
            Place::Complete { model, note, .. } => {
                let note = note.clone().or_else(|| Some("a finished recording, in its last state".into()));
                Ok(Reading { model: (**model).clone(), note })
            }
            Place::Memory { path, file, pid } => {
                let unusable = |error| Error::Memory(path.clone(), error);
                let mut model = Model::new();
                if let Some(bytes) = collect::bytes(file, *pid, false).map_err(unusable)? {
                    collect(&bytes, false, &mut |event| model.event(event));
                }
                // What a tick is, and when it all began, stands in the trace.
                (model.session.pid, model.session.at) = (*pid, model.end());
                let note =
                    format!("process {pid} has ended; without its trace there are no names and no seconds");
                Ok(Reading { model: model.resolved(), note: Some(note) })
            }
            Place::Recorded(recorded) => recorded.read(&mut self.modules),
        }
    }

    /// Gives all events of the recording as it stands, as a trace of its own would have them.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub fn events(&self, sink: &mut dyn FnMut(&Event<'_>)) -> Result<(), Error> {
        match &self.place {
            Place::Complete { path, .. } => {
                load::read(path, &Progress::new(false), sink)?;
            }
            Place::Memory { path, file, pid } => {
                let unusable = |error| Error::Memory(path.clone(), error);
                if let Some(bytes) = collect::bytes(file, *pid, false).map_err(unusable)? {
                    collect(&bytes, false, sink);
                }
            }
            Place::Recorded(recorded) => recorded.events(sink)?,
        }
        Ok(())
    }
}

impl Recorded {
    fn live(&self) -> bool {
        system::maps(self.session.pid, &self.memory)
    }

    fn bytes(&self, live: bool) -> Result<Option<Vec<u8>>, Error> {
        collect::bytes(&self.memory, self.session.pid, live)
            .map_err(|error| Error::Memory(self.session.memory.clone(), error))
    }

    fn read(&mut self, modules: &mut Modules) -> Result<Reading, Error> {
        let live = self.live();
        let mut tries = 0..TRIES;
        let (bytes, end) = loop {
            let bytes = self.bytes(live)?;
            let end = bytes.as_deref().map_or(u64::MAX, file_bytes);
            // A flight recorder has written its file anew, without the oldest events. Memory may have been read before that.
            if !self.is_another(end) || tries.next().is_none() {
                break (bytes, end);
            }
            self.reader = begin(&self.path)?;
            self.base = Model::new();
        };
        let mut process = Process::default();
        let base = &mut self.base;
        read_to(&mut self.reader, &self.path, end, &mut |event| {
            base.event(event);
            process.event(event);
        })?;
        modules.learn(process);
        let mut model = self.base.clone();
        if let Some(bytes) = &bytes {
            collect(bytes, live, &mut |event| model.event(event));
        }
        let pid = self.session.pid;
        let note = match (live, bytes.is_some()) {
            (true, true) => None,
            (true, false) => {
                Some(format!("process {pid} has finished its recording; this is its last state"))
            }
            (false, _) => Some(format!("process {pid} has ended; this is its last state")),
        };
        Ok(Reading { model: model.resolved(), note })
    }

    /// Whether what stands at the trace's path is not what was read so far.
    fn is_another(&mut self, end: u64) -> bool {
        end < self.reader.offset() || collect::is_another(&self.path, self.reader.source().get_ref())
    }

    fn events(&self, sink: &mut dyn FnMut(&Event<'_>)) -> Result<(), Error> {
        let live = self.live();
        let mut tries = 0..TRIES;
        let (mut reader, bytes) = loop {
            let mut reader = begin(&self.path)?;
            let bytes = self.bytes(live)?;
            let is_another = collect::is_another(&self.path, reader.source().get_ref());
            if !is_another || tries.next().is_none() {
                break (reader, bytes);
            }
        };
        let end = bytes.as_deref().map_or(u64::MAX, file_bytes);
        read_to(&mut reader, &self.path, end, sink)?;
        if let Some(bytes) = &bytes {
            collect(bytes, live, sink);
        }
        Ok(())
    }
}

/// A reader of the trace at `path` that was given nothing yet but its header.
fn begin(path: &Path) -> Result<Reader<Take<File>>, Error> {
    let file = load::open(path)?;
    let mut reader = Reader::new(file.take(u64::MAX)).map_err(|error| Error::Trace(path.into(), error))?;
    reader.source().set_limit(0);
    Ok(reader)
}

/// Reads on to byte `end`, where a block ends; damage is passed over.
fn read_to(
    reader: &mut Reader<Take<File>>,
    path: &Path,
    end: u64,
    sink: &mut dyn FnMut(&Event<'_>),
) -> Result<(), Error> {
    let read = reader.offset();
    reader.source().set_limit(end.saturating_sub(read));
    loop {
        match reader.block() {
            Ok(Some(events)) => events.flatten().for_each(|event| sink(&event)),
            Ok(None) => return Ok(()),
            Err(file::Error::Corrupt { .. }) => {}
            Err(error) => return Err(Error::Trace(path.into(), error)),
        }
    }
}

/// How many bytes of the trace are valid.
fn file_bytes(memory: &[u8]) -> u64 {
    memory.word(header::FILE_BYTES + (memory.word(header::PASS) & 1) as usize)
}

/// Gives what stands in memory alone. A memory that was cut off has nothing to give.
fn collect(bytes: &[u8], live: bool, sink: &mut dyn FnMut(&Event<'_>)) {
    let _ = memory::collect(bytes, &mut |event| sink(&collect::ended(event, live)));
}
