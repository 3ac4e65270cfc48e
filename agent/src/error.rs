//! Why a recording could not be started.
use std::path::PathBuf;
use std::{fmt, io};

/// Why a recording could not be started. The program runs on, unrecorded.
#[derive(Debug)]
pub struct Error(pub(crate) Kind);

#[derive(Debug)]
#[cfg_attr(not(feature = "record"), allow(dead_code))]
pub(crate) enum Kind {
    /// An option that there is not.
    Option(String),
    /// An option's value that is none, and what it takes.
    Value(String, &'static str),
    /// An option of a feature that is not built in.
    Feature(String, &'static str),
    Memory(io::Error),
    /// So many bytes of memory that a recording does not fit in.
    TooLittle(u64),
    Trace(PathBuf, io::Error),
    Thread(io::Error),
    #[cfg(feature = "http")]
    Serve(String, io::Error),
    #[cfg(feature = "http")]
    NotLoopback(std::net::SocketAddr),
    #[cfg(feature = "cpu")]
    Cpu(io::Error),
    #[cfg(feature = "console")]
    Unstable,
    #[cfg(feature = "console")]
    Subscriber,
    #[cfg(feature = "console")]
    Console(String),
    Finished,
}

impl Error {
    /// Whether the trace file could not be created or written.
    pub fn is_trace(&self) -> bool {
        matches!(self.0, Kind::Trace(..))
    }

    /// Whether there is no shared memory to record into.
    pub fn is_memory(&self) -> bool {
        matches!(self.0, Kind::Memory(_) | Kind::TooLittle(_))
    }

    /// Whether tokio was built without `--cfg tokio_unstable`, so that there is nothing for a console.
    #[cfg(feature = "console")]
    pub fn needs_tokio_unstable(&self) -> bool {
        matches!(self.0, Kind::Unstable)
    }

    /// Whether a recording has finished in this process before: a process is recorded once.
    pub fn is_finished(&self) -> bool {
        matches!(self.0, Kind::Finished)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Option(option) => write!(
                f,
                "the option \"{option}\" is not known: LOCKPROF is a mode (off, profile, full), then path=FILE, dir=FOLDER, \
                 memory=BYTES, limit=BYTES, policy=stop, policy=flight, clock=monotonic, stacks=framehop or stacks=unwinder, and with the feature `live` watchdog=TIME \
                 and watchdog-file=FILE, with the feature `http` http=ADDRESS:PORT, with `cpu` cpu=SAMPLES, with commas between them"
            ),
            Kind::Value(option, takes) => {
                let name = option.split('=').next().unwrap_or_default();
                write!(f, "the option \"{option}\" is not understood: {name}= takes {takes}")
            }
            Kind::Feature(option, feature) => write!(
                f,
                "the option \"{option}\" needs the feature `{feature}` of lockprof, without which this program was built"
            ),
            Kind::Memory(error) => write!(
                f,
                "no shared memory to record into: {error}; is there a limit to the program's memory, or its addresses?"
            ),
            Kind::TooLittle(bytes) => write!(
                f,
                "{bytes} bytes of memory are too few to record into; more are needed, as by memory=8M, and usual are 48M"
            ),
            Kind::Trace(path, _) if path.as_os_str().is_empty() => {
                f.write_str("the trace cannot be written: its path is empty")
            }
            Kind::Trace(path, error) => write!(f, "the trace {} cannot be written: {error}", path.display()),
            Kind::Thread(error) => write!(f, "the background thread cannot be started: {error}"),
            #[cfg(feature = "http")]
            Kind::Serve(address, error) => write!(f, "no pages can be served at {address}: {error}"),
            #[cfg(feature = "http")]
            Kind::NotLoopback(address) => write!(
                f,
                "no pages are served at {address}, which others may reach: a program says so by `serve_beyond_loopback`"
            ),
            #[cfg(feature = "cpu")]
            Kind::Cpu(error) => write!(f, "no CPU samples can be taken: {error}"),
            #[cfg(feature = "console")]
            Kind::Unstable => f.write_str(
                "tokio tells a console nothing of its tasks, since it was built without RUSTFLAGS=\"--cfg tokio_unstable\"",
            ),
            #[cfg(feature = "console")]
            Kind::Subscriber => f.write_str("the program has a global subscriber of tracing already"),
            #[cfg(feature = "console")]
            Kind::Console(reason) => write!(f, "no console can be served: {reason}"),
            Kind::Finished => {
                f.write_str("a recording has finished in this process, and a process is recorded once")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Memory(error) | Kind::Trace(_, error) | Kind::Thread(error) => Some(error),
            #[cfg(feature = "http")]
            Kind::Serve(_, error) => Some(error),
            #[cfg(feature = "http")]
            Kind::NotLoopback(_) => None,
            #[cfg(feature = "cpu")]
            Kind::Cpu(error) => Some(error),
            #[cfg(feature = "console")]
            Kind::Unstable | Kind::Subscriber | Kind::Console(_) => None,
            Kind::Option(_) | Kind::Value(..) | Kind::Feature(..) | Kind::TooLittle(_) | Kind::Finished => {
                None
            }
        }
    }
}
