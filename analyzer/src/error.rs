//! What can go wrong around an analysis: one sentence each, that says what, where, and what to do.
use lockprof_trace::file;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a command did not do what was asked.
#[derive(Debug, Error)]
pub enum Error {
    #[error("{}: no such file; `lockprof run --out DIR -- COMMAND` records one", .0.display())]
    Missing(PathBuf),
    #[error("{}: this is a folder; name the traces in it, as in {}", .0.display(), .0.join("trace-1234.bin").display())]
    Folder(PathBuf),
    #[error("{}: not a regular file, so not a trace", .0.display())]
    Special(PathBuf),
    #[error("{}: no permission to read it; run as its owner", .0.display())]
    Permission(PathBuf),
    #[error("{}: cannot be opened: {}", .0.display(), .1)]
    Open(PathBuf, io::Error),
    #[error("{}: {}; {}", .0.display(), .1, advice(.1))]
    Trace(PathBuf, file::Error),
    #[error("{}: not whole, so it cannot pass a check: {}; copy the file again, or record it again", .0.display(), .1)]
    Broken(PathBuf, String),
    #[error("{}: the recording ends before its first event; was the disk full?", .0.display())]
    NoSession(PathBuf),
    #[error("{}: cannot be written to: {}; name another folder with --out", .0.display(), .1)]
    Output(PathBuf, io::Error),
    #[error("{}: a folder's path with a comma cannot be told to the recorder; name another with --out", .0.display())]
    Comma(PathBuf),
    #[error(
        "{}: a folder whose path is not UTF-8 cannot be told to the recorder; name another with --out",
        .0.display()
    )]
    NotUtf8(PathBuf),
    #[error("{}: cannot be started: {}", .0.display(), .1)]
    Start(PathBuf, io::Error),
    #[cfg(unix)]
    #[error("signals cannot be passed on to the program: {0}")]
    Signals(io::Error),
    #[error("the program cannot be waited for: {0}")]
    Wait(io::Error),
    #[error("the report cannot be printed: {0}")]
    Print(io::Error),
    #[error("there is no finding {0}; codes look like LP0001, and every finding prints its own")]
    NoCode(String),
    #[error("this form is nothing for a terminal; name a file with --output")]
    Binary,
    #[error("{}: compared with what? lockprof diff before.bin after.bin", .0.display())]
    NoOther(PathBuf),
    #[error("several runs are told apart by --, as in lockprof diff a1.bin a2.bin -- b1.bin b2.bin")]
    NoSides,
    #[error("{}: no such baseline; --update-baseline writes it", .0.display())]
    NoBaseline(PathBuf),
    #[error("{}: not a baseline: {}; --update-baseline writes it anew", .0.display(), .1)]
    Baseline(PathBuf, serde_json::Error),
    #[error("{}: cannot be written: {}; name another file", .0.display(), .1)]
    File(PathBuf, io::Error),
    #[error("there is no process {0}")]
    NoProcess(u32),
    #[error("process {0} is another user's; run as that one")]
    NotOurs(u32),
    #[error(
        "process {0} is not recorded: start it with `lockprof run -- COMMAND`, or with LOCKPROF=profile,path=trace.bin"
    )]
    NotRecorded(u32),
    #[error("process {0} cannot be looked at: {1}")]
    Process(u32, io::Error),
    #[error("on this system a process cannot be looked at by its number; name its trace")]
    NoOutside,
    #[error("the memory of the recorder, {}, is not used: {}", .0.display(), .1)]
    Memory(PathBuf, String),
    #[error("the terminal cannot be used: {0}; --once prints one view as text")]
    Terminal(io::Error),
    #[error("no trace could be read")]
    Nothing,
}

impl Error {
    /// The trace at `path` could not be opened.
    pub fn open(path: PathBuf, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Error::Missing(path),
            io::ErrorKind::PermissionDenied => Error::Permission(path),
            io::ErrorKind::IsADirectory => Error::Folder(path),
            _ => Error::Open(path, error),
        }
    }
}

/// What to do about a file that is no good trace.
fn advice(error: &file::Error) -> &'static str {
    match error {
        file::Error::NotATrace => "is it the file that LOCKPROF=…,path=… or `lockprof run --out` named?",
        file::Error::Empty => "the program was stopped before it recorded, or its disk is full",
        file::Error::Version { found, known } if found > known => {
            "update lockprof: cargo install lockprof-cli"
        }
        file::Error::Version { .. } => "record it again with this version",
        file::Error::Io(_) => "try again, or copy the file to another disk",
        _ => "copy the file again, or record it again",
    }
}
