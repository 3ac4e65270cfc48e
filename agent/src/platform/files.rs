//! Files of the recorder that others could have, too: the trace, with one writer; what a killed recorder has left; and what a
//! fork's child must not keep.
use super::user_id;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

/// Opens the trace file, and makes one that its owner alone can read where there is none; what is there stays until
/// [`empty_trace`]. Nobody else writes to it: not another process that was given the same path, nor another copy of this
/// crate in this one. What is no file is refused: a device has the mode that all others need, and a pipe is not waited for.
pub(crate) fn open_trace(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NONBLOCK);
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Err(io::Error::other("another recorder writes to it")),
        // Some file systems know no locks.
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    Ok(file)
}

/// Empties what [`open_trace`] found, for its owner alone.
pub(crate) fn empty_trace(file: &File) -> io::Result<()> {
    // It may have been there before, with another mode, and of another owner.
    drop(file.set_permissions(fs::Permissions::from_mode(0o600)));
    file.set_len(0)
}

/// The trace, for the child of a fork.
static TRACE: AtomicI32 = AtomicI32::new(-1);

/// Notes that this is the trace, so that [`forget_files`] finds it.
pub(crate) fn note_trace(file: &File) {
    TRACE.store(file.as_raw_fd(), Relaxed);
}

/// There is no trace that is written.
pub(crate) fn note_no_trace() {
    TRACE.store(-1, Relaxed);
}

/// Sockets that are listened at to the end of the process, for the child of a fork.
#[cfg(feature = "http")]
static LISTENERS: [AtomicI32; 8] = [const { AtomicI32::new(-1) }; 8];

/// Notes that this process listens here to its end.
#[cfg(feature = "http")]
pub(crate) fn note_listener(listener: &impl AsRawFd) {
    let file = listener.as_raw_fd();
    // Of more than there is room for, a child keeps the others.
    let _ = LISTENERS.iter().any(|slot| slot.compare_exchange(-1, file, Relaxed, Relaxed).is_ok());
}

/// In the child of a fork: closes the parent's trace, whose lock would else outlive the parent, and its sockets, where nobody
/// would answer.
///
/// # Safety
/// Only one thread runs, as in the child of a fork: nobody owns the files any more.
pub(crate) unsafe fn forget_files() {
    let close = |file: &AtomicI32| {
        let file = file.swap(-1, Relaxed);
        if file >= 0 {
            // SAFETY: as promised by the caller.
            unsafe { libc::close(file) };
        }
    };
    close(&TRACE);
    #[cfg(feature = "http")]
    LISTENERS.iter().for_each(close);
}

/// Whether this file has no name any more.
pub(crate) fn is_removed(file: &File) -> bool {
    file.metadata().is_ok_and(|facts| facts.nlink() == 0)
}

/// Removes the memory that a recorder of process `pid`, which is gone, has left at `path`: only what is a recorder's, and this
/// user's.
pub(crate) fn remove_left(path: &Path, pid: u64) {
    use lockprof_trace::memory::{MAGIC, header};
    let mut options = fs::OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let Ok(file) = options.open(path) else { return };
    let is_own = file.metadata().is_ok_and(|facts| facts.is_file() && facts.uid() == user_id());
    let word = |place: usize| {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, place as u64 * 8).is_ok().then(|| u64::from_ne_bytes(bytes))
    };
    // SAFETY: signal 0 only asks whether there is such a process. What has this number now may have become another program.
    let is_gone = |pid: i32| pid as u32 == std::process::id() || unsafe { libc::kill(pid, 0) } != 0;
    let is_gone = i32::try_from(pid).is_ok_and(|pid| pid > 0 && is_gone(pid));
    if is_own && is_gone && (word(header::MAGIC), word(header::PID)) == (Some(MAGIC), Some(pid)) {
        drop(fs::remove_file(path));
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_left_alone() {
        let pipe = std::env::temp_dir().join(format!("lockprof-pipe-{}", std::process::id()));
        let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
        // SAFETY: a C string that lives as long as the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o644) }, 0);
        // Nobody reads: to open it plainly would wait for ever.
        assert!(open_trace(&pipe).is_err());
        let reader = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&pipe).unwrap();
        assert!(open_trace(&pipe).unwrap_err().to_string().contains("not a regular file"));
        assert_eq!(reader.metadata().unwrap().permissions().mode() & 0o777, 0o644);
        fs::remove_file(&pipe).unwrap();
        assert!(open_trace(Path::new("/dev/null")).unwrap_err().to_string().contains("not a regular file"));
    }
}
