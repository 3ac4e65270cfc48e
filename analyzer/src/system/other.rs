//! Systems without the ways of Unix: a recorder's memory there does not outlive its process, so none is collected.
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// Opens nothing: there is nothing to collect.
pub fn open_own(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::NotFound.into())
}

/// Nobody maps what was not opened.
pub fn maps(_: u64, _: &File) -> bool {
    false
}

/// Reads a file of at most `limit` bytes.
pub fn read_sparse(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Nobody can be looked at from outside.
///
/// # Errors
/// Always.
pub fn open_files(_: u32) -> io::Result<Vec<PathBuf>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether both are of one file, as far as is known: its length tells whether it was written anew.
pub fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Runs a program to its end.
///
/// # Errors
/// What failed, and how: see [`Ran`].
pub fn run(command: &mut Command) -> Result<ExitStatus, Ran> {
    command.spawn().map_err(Ran::Start)?.wait().map_err(Ran::Wait)
}

/// What failed in running a program.
pub enum Ran {
    /// To start it.
    Start(io::Error),
    /// To wait for it.
    Wait(io::Error),
}

/// The exit code that stands for this status.
pub fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
