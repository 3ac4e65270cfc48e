//! Systems without the means that the recorder stands on: it compiles there, and starts no recording.
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this system has no shared memory that lockprof knows")
}

/// Never made here: [`Shared::new`] fails, and with it the start of a recording.
pub(crate) enum Shared {}

/// Keeps the shape of the other platforms: where the memory lies, which is nowhere.
impl std::ops::Deref for Shared {
    type Target = Nowhere;
    fn deref(&self) -> &Nowhere {
        match *self {}
    }
}

pub(crate) struct Nowhere {
    pub(crate) path: Option<PathBuf>,
}

impl Shared {
    pub(crate) fn new(_: usize, _: usize, _: &str) -> io::Result<Self> {
        Err(unsupported())
    }
    pub(crate) fn base(&self) -> *mut u8 {
        match *self {}
    }
    pub(crate) fn reserve(&self, _: usize, _: usize) -> bool {
        match *self {}
    }
    pub(crate) fn touch(&self, _: usize, _: usize) {
        match *self {}
    }
    /// # Safety
    /// None is needed: there is no such memory.
    pub(crate) unsafe fn map_at(&self, _: *mut u8, _: usize, _: usize, _: bool) -> bool {
        match *self {}
    }
    /// # Safety
    /// As above.
    pub(crate) unsafe fn detach(&self) {
        match *self {}
    }
    pub(crate) fn remove(&self) {
        match *self {}
    }
}

pub(crate) fn reserve_addresses(_: usize) -> Option<*mut u8> {
    None
}
/// # Safety
/// None is needed: nothing is mapped.
pub(crate) unsafe fn private_at(_: *mut u8, _: usize) {}
pub(crate) fn on_fork(_: unsafe extern "C" fn()) {}
pub(crate) fn on_exit(_: extern "C" fn()) {}
pub(crate) fn without_signals<R>(with: impl FnOnce() -> R) -> R {
    with()
}
pub(crate) fn monotonic_ns() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
pub(crate) fn unix_ns() -> u64 {
    std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64)
}
pub(crate) fn thread_id() -> u64 {
    0
}
pub(crate) fn is_main_thread() -> bool {
    false
}
pub(crate) fn thread_name(_: &mut [u8; 16]) -> &str {
    ""
}
pub(crate) fn stack_bounds() -> std::ops::Range<usize> {
    0..0
}

pub(crate) struct Module {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) offset: u64,
    pub(crate) bias: u64,
    pub(crate) path: String,
    pub(crate) build_id: String,
}

pub(crate) fn modules() -> Vec<Module> {
    vec![]
}
pub(crate) fn exe() -> String {
    std::env::current_exe().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}
pub(crate) fn open_trace(_: &Path) -> io::Result<File> {
    Err(unsupported())
}
pub(crate) fn empty_trace(_: &File) -> io::Result<()> {
    Err(unsupported())
}
pub(crate) fn note_trace(_: &File) {}
pub(crate) fn note_no_trace() {}
#[cfg(feature = "http")]
pub(crate) fn note_listener<T>(_: &T) {}
/// # Safety
/// None is needed: there are no forks.
pub(crate) unsafe fn forget_files() {}
pub(crate) fn has_more_rights() -> bool {
    false
}
pub(crate) fn remove_left(_: &Path, _: u64) {}
pub(crate) fn is_removed(_: &File) -> bool {
    false
}
pub(crate) fn user_id() -> u32 {
    0
}
