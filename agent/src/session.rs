//! A recording, from its start to its end: by a line in `main`, by the environment, at the exit of the process.
//!
//! A process is recorded once. The end may come from the guard's drop, from the exit of the process, or never: then what
//! stands in shared memory is collected by `lockprof run` or by the next `lockprof analyze`.
use crate::clock;
use crate::config::{Builder, VARIABLE};
use crate::error::{Error, Kind};
use crate::platform;
use crate::recorder::{self, Drain, Output, RECORDING, Stop, memory};
use lockprof_trace::Event;
use lockprof_trace::file::Reader;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

/// With less memory than this, in bytes, it may be the number that keeps a recording from starting; with more it is the system.
const LEAST_BYTES: u64 = 1 << 20;

static STOP: Stop = Stop::new();
static SESSION: Mutex<State> = Mutex::new(State::New);

enum State {
    New,
    Running { thread: JoinHandle<()>, path: PathBuf },
    Finished,
}

/// A recording that runs. Dropped, it finishes: what is known is written, and the trace is whole.
#[derive(Debug)]
#[must_use = "the recording ends when this is dropped: bind it to a name in `main`"]
pub struct Recording(());

impl Recording {
    /// Finishes, as its drop does.
    pub fn finish(self) {}
}

impl Drop for Recording {
    fn drop(&mut self) {
        finish();
    }
}

/// What the recorder does at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Nothing is recorded, and nothing was.
    Off,
    /// It records into this trace.
    Recording(PathBuf),
    /// It counts on, but writes nothing more, for this reason.
    Stopped(String),
    /// The recording has finished.
    Finished,
}

/// What the recorder does at this moment.
pub fn status() -> Status {
    match (&*session(), recorder::stopped()) {
        (State::New, _) => Status::Off,
        (State::Running { .. }, Some(reason)) => Status::Stopped(reason),
        (State::Running { path, .. }, None) => Status::Recording(path.clone()),
        (State::Finished, _) => Status::Finished,
    }
}

fn session() -> MutexGuard<'static, State> {
    SESSION.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Builder {
    /// Starts to record. The recording ends when the result is dropped, or when the process exits.
    ///
    /// Where the environment has started one already, that goes on, with its own options, and is what is returned.
    ///
    /// # Errors
    /// There is no shared memory, the trace cannot be written, a recording has finished in this process before, or CPU
    /// samples are asked for where the program handles their signal itself.
    pub fn start(self) -> Result<Recording, Error> {
        start(&self)
    }
}

fn start(config: &Builder) -> Result<Recording, Error> {
    let mut session = session();
    match *session {
        State::Running { .. } => return Ok(Recording(())),
        State::Finished => return Err(Error(Kind::Finished)),
        State::New => {}
    }
    // On the background thread, which takes no signals: where a limit to the size of files is in the way, the system
    // sends one that would end the program.
    let (tell, told) = mpsc::channel();
    let wanted = config.clone();
    let work = move || match prepare(&wanted) {
        Ok((drain, path)) => {
            drop(tell.send(Ok(path)));
            drain.run(&STOP);
        }
        Err(error) => drop(tell.send(Err(error))),
    };
    let thread =
        platform::without_signals(|| std::thread::Builder::new().name("lockprof".into()).spawn(work));
    let thread = thread.map_err(|error| Error(Kind::Thread(error)))?;
    let path = told.recv().unwrap_or(Err(Error(Kind::Finished)))?;
    *session = State::Running { thread, path };
    #[cfg(feature = "live")]
    if let Some(watchdog) = config.watchdog.clone() {
        watchdog.start(&STOP);
    }
    #[cfg(all(feature = "cpu", feature = "http"))]
    SAMPLED.store(config.cpu.is_some(), Relaxed);
    platform::on_fork(in_child);
    platform::on_exit(at_exit);
    RECORDING.store(true, Release);
    Ok(Recording(()))
}

#[cfg(feature = "http")]
static SAMPLED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Whether it is sampled where threads run.
#[cfg(feature = "http")]
pub(crate) fn is_sampled() -> bool {
    SAMPLED.load(Relaxed)
}

/// The trace of this process is removed when it is finished.
#[cfg(feature = "live")]
static SCRATCH: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Starts a recording where none runs, into a file that nobody needs in the end.
#[cfg(feature = "live")]
pub(crate) fn start_scratch() -> Result<(), Error> {
    if matches!(*session(), State::Running { .. }) {
        return Ok(());
    }
    let path = std::env::temp_dir().join(format!("lockprof-test-{}.bin", std::process::id()));
    let recording = start(&Builder::default().path(path))?;
    SCRATCH.store(true, Relaxed);
    // It ends when the process exits.
    std::mem::forget(recording);
    Ok(())
}

/// Makes the trace and the memory; the path is the trace's. Where that fails, no trace is left that was not there before,
/// and one that was is left as it was.
fn prepare(config: &Builder) -> Result<(Drain, PathBuf), Error> {
    // First what can fail for a reason that the user can mend.
    #[cfg(feature = "cpu")]
    let sampler =
        config.cpu.map(recorder::Sampler::new).transpose().map_err(|error| Error(Kind::Cpu(error)))?;
    let found = std::fs::symlink_metadata(&config.path);
    let is_new = found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    let file =
        platform::open_trace(&config.path).map_err(|error| Error(Kind::Trace(config.path.clone(), error)))?;
    let begun = begin(
        config,
        file,
        #[cfg(feature = "cpu")]
        sampler,
    );
    if begun.is_err() && is_new {
        drop(std::fs::remove_file(&config.path));
    }
    begun
}

/// Makes the memory, and begins the trace.
fn begin(
    config: &Builder,
    mut file: File,
    #[cfg(feature = "cpu")] sampler: Option<recorder::Sampler>,
) -> Result<(Drain, PathBuf), Error> {
    let cannot_write = |error| Error(Kind::Trace(config.path.clone(), error));
    let path = std::fs::canonicalize(&config.path).map_err(cannot_write)?;
    let memory = memory::create(config.memory_bytes).map_err(|error| Error(Kind::Memory(error)))?;
    let memory = memory.ok_or(Error(Kind::Finished))?;
    clock::choose(config.counter);
    let stacks = recorder::Way::choose(config.stacks);
    recorder::find_statics();
    let ticks_per_4s = clock::calibrate();
    let session = Event::Session {
        at: clock::ticks(),
        unix_ns: platform::unix_ns(),
        ticks_per_4s,
        // One step of the coarse clock.
        coarse_ticks: ((recorder::TICK.as_nanos() * u128::from(ticks_per_4s)) >> 32) as u64,
        mode: config.mode,
        pid: std::process::id().into(),
        exe: platform::exe().into(),
        memory: memory.shared.path.as_deref().map_or("".into(), |path| path.to_string_lossy()),
        stacks: stacks.name().into(),
        agent: env!("CARGO_PKG_VERSION").into(),
    };
    let beginning = recorder::beginning([session].into_iter().chain(clock::skew()));
    if !recorder::prepare(memory) {
        memory.shared.remove();
        return Err(Error(match config.memory_bytes {
            bytes @ ..LEAST_BYTES => Kind::TooLittle(bytes),
            _ => Kind::Memory(std::io::ErrorKind::OutOfMemory.into()),
        }));
    }
    discard_left(&path);
    platform::empty_trace(&file).and_then(|()| file.write_all(&beginning)).map_err(|error| {
        memory.shared.remove();
        cannot_write(error)
    })?;
    recorder::tick(memory);
    recorder::set_mode(config.mode);
    let output = Output::new(memory, file, path.clone(), beginning.len() as u64);
    let drain = Drain::new(memory, output.limited(config.limit_bytes, config.policy));
    #[cfg(feature = "cpu")]
    let drain = drain.sampled(sampler.map(|sampler| sampler.by(ticks_per_4s)));
    Ok((drain, path))
}

/// Removes what the recorder of an earlier trace at this path has left in memory, where it was killed: that trace, which is about
/// to be emptied, is all that names it. It is nobody's: whoever writes the trace has its lock, as we have now.
fn discard_left(path: &Path) {
    let reader = File::open(path).map(Reader::new);
    if let Ok(Ok(mut reader)) = reader
        && let Ok(Some(Event::Session { pid, memory, .. })) = reader.next()
        && !memory.is_empty()
    {
        platform::remove_left(Path::new(&*memory), pid);
    }
}

/// Finishes the recording of this process, if one runs.
pub(crate) fn finish() {
    // The child of a fork has no background thread, and its recording is its parent's.
    if recorder::memory_of_this_process().is_none() {
        return;
    }
    let before = std::mem::replace(&mut *session(), State::Finished);
    match before {
        State::Running { thread, path } => {
            STOP.ask();
            drop(thread.join());
            #[cfg(feature = "live")]
            if SCRATCH.load(Relaxed) {
                drop(std::fs::remove_file(&path));
            }
            drop(path);
        }
        other => *session() = other,
    }
}

extern "C" fn at_exit() {
    finish();
}

unsafe extern "C" fn in_child() {
    RECORDING.store(false, Relaxed);
    if let Some(memory) = memory::get() {
        // SAFETY: this runs in the child of a fork, where there is one thread.
        unsafe {
            memory.shared.detach();
            recorder::detach();
            platform::forget_files();
        }
    }
}

/// Starts a recording where the environment asks for one. Runs before `main`.
extern "C" fn start_by_environment() {
    let Some(text) = std::env::var_os(VARIABLE) else { return };
    if platform::has_more_rights() {
        return drop(writeln!(
            std::io::stderr(),
            "lockprof: nothing is recorded: {VARIABLE} is not for a program with more rights than its user"
        ));
    }
    let builder = Builder::from_text(&text.to_string_lossy());
    let started = builder.and_then(|builder| Ok((builder.as_ref().map(start).transpose()?, builder)));
    match started {
        Ok((recording, _builder)) => {
            // It ends when the process exits.
            std::mem::forget(recording);
            #[cfg(feature = "http")]
            if let Some(Err(error)) = _builder.and_then(|builder| builder.http).map(crate::serve) {
                drop(writeln!(std::io::stderr(), "lockprof: {error}"));
            }
        }
        // The user asked for it by name, and would look in vain for the trace.
        Err(error) => drop(writeln!(std::io::stderr(), "lockprof: nothing is recorded: {error}")),
    }
}

/// The platform's list of functions to be called before `main`.
#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
static BEFORE_MAIN: extern "C" fn() = start_by_environment;
