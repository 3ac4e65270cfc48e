//! What can be wrong with a trace file.
use super::VERSION;
use std::{fmt, io};

/// What is wrong with a trace file. After [`Error::Corrupt`] the reader goes on behind the damage.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// It does not begin like a trace.
    NotATrace,
    /// It has no bytes.
    Empty,
    /// It is of another version than this reader knows.
    Version {
        /// Its version.
        found: u32,
        /// The version that is known.
        known: u32,
    },
    /// It is damaged.
    Corrupt {
        /// Where, in bytes from the begin of the file.
        offset: u64,
        /// In what way.
        what: &'static str,
    },
    /// It could not be read.
    Io(io::Error),
}

impl Error {
    pub(super) const fn version(found: u32) -> Self {
        Error::Version { found, known: VERSION }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotATrace => f.write_str("not a trace of lockprof: it does not begin like one (byte 0)"),
            Error::Empty => f.write_str("the file is empty (0 bytes)"),
            Error::Version { found, known } if found > known => write!(
                f,
                "the trace has format version {found}, newer than {known}, which is what this lockprof reads (byte 8)"
            ),
            Error::Version { found, known } => {
                write!(f, "the trace has format version {found}, but this lockprof reads {known} (byte 8)")
            }
            Error::Corrupt { offset, what } => write!(f, "damaged at byte {offset}: {what}"),
            Error::Io(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Io(error)
    }
}
