//! Linux and its like.
mod heard;

use heard::{Ears, Heard};
use rustix::fs::{OFlags, SeekFrom};
use rustix::io::Errno;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Opens a regular file of this user, following no link and waiting for nothing.
pub fn open_own(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, rustix::fs::Mode::empty())?);
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if facts.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other(format!(
            "it belongs to another user ({}): run as that one",
            facts.uid()
        )));
    }
    Ok(file)
}

/// Whether the process with this number has the file mapped. Its number alone says little: numbers are used again.
pub fn maps(pid: u64, file: &File) -> bool {
    let Ok(facts) = file.metadata() else { return false };
    let inode = facts.ino().to_string();
    match fs::read(format!("/proc/{pid}/maps")) {
        Ok(maps) => maps
            .split(|byte| *byte == b'\n')
            .any(|line| line.split(u8::is_ascii_whitespace).nth(4) == Some(inode.as_bytes())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => is_without_proc(pid),
        // It is there, but not ours to look into: better believed alive, since nothing is then taken from it.
        Err(_) => true,
    }
}

/// The regular files that a process has open, each as a path at which it can be opened.
///
/// # Errors
/// There is no such process, or it is another user's.
pub fn open_files(pid: u32) -> io::Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let path = entry?.path();
        // What is closed meanwhile is passed over, and what could block is not opened.
        if fs::metadata(&path).is_ok_and(|facts| facts.is_file()) {
            files.push(path);
        }
    }
    Ok(files)
}

/// Whether both are of one file.
pub fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Where there is no `/proc`, a process counts as the one that is meant.
fn is_without_proc(pid: u64) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    !Path::new("/proc/self").exists()
        && pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

/// Reads a file of at most `limit` bytes; holes stay holes, so that what is unused takes no memory.
pub fn read_sparse(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len().min(limit);
    let mut bytes = vec![0; length as usize];
    let mut at = 0;
    while at < length {
        let begin = match rustix::fs::seek(file, SeekFrom::Data(at)) {
            Ok(begin) => begin.min(length),
            // Nothing but a hole up to the end.
            Err(Errno::NXIO) => break,
            Err(error) => return Err(error.into()),
        };
        let end = rustix::fs::seek(file, SeekFrom::Hole(begin))?.min(length);
        let part = &mut bytes[begin as usize..end as usize];
        file.read_exact_at(part, begin)?;
        at = end.max(begin + 1);
    }
    Ok(bytes)
}

/// Runs a program to its end, in this process group; signals to stop that we get are passed on to it. From then on they
/// stop us, as long as the analysis may take.
///
/// # Errors
/// What failed, and how: see [`Ran`].
pub fn run(command: &mut Command) -> Result<ExitStatus, Ran> {
    let passed: Vec<i32> =
        [SIGTERM, SIGINT, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal)).collect();
    // A signal that nobody hears any more does nothing at all, not even what it does by default.
    let ended = Arc::new(AtomicBool::new(false));
    for signal in &passed {
        register_conditional_default(*signal, ended.clone()).map_err(Ran::Signals)?;
    }
    let ran = run_and_pass(command, &passed);
    ended.store(true, Ordering::SeqCst);
    ran
}

fn run_and_pass(command: &mut Command, passed: &[i32]) -> Result<ExitStatus, Ran> {
    let mut ears = Ears::of(passed).map_err(Ran::Signals)?;
    let mut child = command.spawn().map_err(Ran::Start)?;
    ears.listen().map_err(Ran::Wait)?;
    loop {
        for heard in ears.hear().map_err(Ran::Wait)? {
            if heard.0 != SIGCHLD {
                pass_on(&child, heard);
            }
        }
        // It is waited for here alone, so that its number stays its own until now.
        if let Some(status) = child.try_wait().map_err(Ran::Wait)? {
            return Ok(status);
        }
    }
}

/// What failed in running a program.
pub enum Ran {
    /// To hear signals.
    Signals(io::Error),
    /// To start it.
    Start(io::Error),
    /// To wait for it.
    Wait(io::Error),
}

/// A terminal sends its signals to the whole group: the program has had those. Where nobody tells who sent it, one that a
/// terminal can send is believed to be its.
fn pass_on(child: &Child, (signal, from_process): Heard) {
    if signal != SIGTERM && !from_process.unwrap_or_else(|| !io::stdin().is_terminal()) {
        return;
    }
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let (Some(pid), Some(signal)) = (pid, rustix::process::Signal::from_named_raw(signal)) {
        // It may have ended by now, and will be waited for.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Whether the signal is ignored, as under `nohup`: then it stays so, and the program inherits it.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// The exit code that stands for this status: 128 and the signal's number for a program that was killed.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
