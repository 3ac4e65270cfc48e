//! The way to a recording where the feature `record` is off: the same names, so that the line in `main` can stay, and
//! nothing behind them.
use crate::config::Builder;
use crate::error::Error;
use std::path::PathBuf;

/// A recording that does not run: the feature `record` is off.
#[derive(Debug)]
pub struct Recording(());

impl Recording {
    /// Does nothing.
    pub fn finish(self) {}
}

/// What the recorder does at this moment: nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Nothing is recorded, and nothing was.
    Off,
    /// Not without the feature `record`.
    Recording(PathBuf),
    /// Not without the feature `record`.
    Stopped(String),
    /// Not without the feature `record`.
    Finished,
}

/// What the recorder does at this moment: nothing.
pub fn status() -> Status {
    Status::Off
}

impl Builder {
    /// Starts nothing.
    ///
    /// # Errors
    /// None: there is nothing that could fail.
    pub fn start(self) -> Result<Recording, Error> {
        Ok(Recording(()))
    }
}
