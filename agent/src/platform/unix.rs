//! Linux and its like: tmpfs files, `pthread_atfork`, `/proc`.
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where shared memory that outlives a process can lie, best first: tmpfs only, since a page that a disk can make a
/// thread wait for must never be touched by the application.
pub(crate) fn memory_folders() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    [Some(PathBuf::from("/dev/shm")), runtime]
        .into_iter()
        .flatten()
        .filter(|folder| is_tmpfs(folder))
        .collect()
}

#[cfg(target_os = "linux")]
fn is_tmpfs(folder: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let Ok(path) = std::ffi::CString::new(folder.as_os_str().as_bytes()) else { return false };
    // SAFETY: a `statfs` of zeros is valid, and may be written.
    unsafe {
        let mut facts: libc::statfs = std::mem::zeroed();
        libc::statfs(path.as_ptr(), &mut facts) == 0 && facts.f_type == libc::TMPFS_MAGIC
    }
}

#[cfg(not(target_os = "linux"))]
fn is_tmpfs(_: &Path) -> bool {
    false
}

/// Memory shared with whoever looks on, of fixed length, whose space is reserved piece by piece.
pub(crate) struct Shared {
    file: OwnedFd,
    base: *mut u8,
    len: usize,
    /// Where it lies, if it outlives the process.
    pub(crate) path: Option<PathBuf>,
}

// SAFETY: the mapping stays for the life of the process, and what lies in it is accessed atomically only.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Maps `len` bytes of a new file in the first folder that takes it; else of memory without a name, which is lost
    /// with the process. The first `reserved` bytes have space.
    pub(crate) fn new(len: usize, reserved: usize, name: &str) -> io::Result<Self> {
        for folder in memory_folders() {
            let path = folder.join(name);
            let opened =
                fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
            let Ok(file) = opened else { continue };
            match Self::map(OwnedFd::from(file), len, Some(path.clone())) {
                Ok(shared) if shared.reserve(0, reserved) => return Ok(shared),
                _ => drop(fs::remove_file(&path)),
            }
        }
        let shared = Self::map(nameless()?, len, None)?;
        if shared.reserve(0, reserved) {
            Ok(shared)
        } else {
            Err(io::Error::new(io::ErrorKind::StorageFull, "no space in shared memory"))
        }
    }

    fn map(file: OwnedFd, len: usize, path: Option<PathBuf>) -> io::Result<Self> {
        // SAFETY: a new mapping of a file that is ours; nothing touches its pages before they are reserved.
        unsafe {
            if libc::ftruncate(file.as_raw_fd(), len as libc::off_t) != 0 {
                return Err(io::Error::last_os_error());
            }
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let base = libc::mmap(std::ptr::null_mut(), len, access, libc::MAP_SHARED, file.as_raw_fd(), 0);
            if base == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            Ok(Self { file, base: base.cast(), len, path })
        }
    }

    pub(crate) fn base(&self) -> *mut u8 {
        self.base
    }

    /// Makes sure that `bytes` at `at` have space behind them, so that touching them can never be a SIGBUS.
    pub(crate) fn reserve(&self, at: usize, bytes: usize) -> bool {
        debug_assert!(at + bytes <= self.len);
        reserve(self.file.as_raw_fd(), at, bytes)
    }

    /// Touches reserved pages, so that no thread of the application meets a page fault in them.
    pub(crate) fn touch(&self, at: usize, bytes: usize) {
        #[cfg(target_os = "linux")]
        // SAFETY: within the mapping; the advice changes no content. An old kernel refuses it, and pages fault later.
        unsafe {
            libc::madvise(self.base.add(at).cast(), bytes, libc::MADV_POPULATE_WRITE);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (at, bytes);
    }

    /// Maps a piece of it a second time, at `place`.
    ///
    /// # Safety
    /// `place..place + bytes` is address space that `reserve_addresses` gave, and nobody else maps into it.
    pub(crate) unsafe fn map_at(&self, place: *mut u8, at: usize, bytes: usize, writable: bool) -> bool {
        let access = if writable { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
        let flags = libc::MAP_SHARED | libc::MAP_FIXED | populate();
        // SAFETY: as promised by the caller.
        let mapped = unsafe {
            libc::mmap(place.cast(), bytes, access, flags, self.file.as_raw_fd(), at as libc::off_t)
        };
        mapped != libc::MAP_FAILED
    }

    /// After a fork, in the child: what the child writes must not be seen by the parent, so its view becomes memory of
    /// its own. Zeros are valid everywhere.
    ///
    /// # Safety
    /// Only one thread runs, as in the child of a fork.
    pub(crate) unsafe fn detach(&self) {
        // SAFETY: replaces our own mapping by one of the same place and length.
        unsafe { private_at(self.base, self.len) };
    }

    /// Removes its name: nobody needs to collect it any more. The mapping stays.
    pub(crate) fn remove(&self) {
        if let Some(path) = &self.path {
            drop(fs::remove_file(path));
        }
    }
}

#[cfg(target_os = "linux")]
fn nameless() -> io::Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: the name is a C string; the descriptor is new and ours.
    unsafe {
        match libc::memfd_create(c"lockprof".as_ptr(), libc::MFD_CLOEXEC) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn nameless() -> io::Result<OwnedFd> {
    let path = std::env::temp_dir().join(format!("lockprof-{}.mem", std::process::id()));
    let file = fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file.into())
}

#[cfg(target_os = "linux")]
fn reserve(fd: i32, at: usize, bytes: usize) -> bool {
    // SAFETY: a call on a descriptor that is open for the life of the process.
    unsafe { libc::fallocate(fd, 0, at as libc::off_t, bytes as libc::off_t) == 0 }
}

/// Elsewhere space cannot be reserved: the file is not on a tmpfs with a limit, but may grow like any other.
#[cfg(not(target_os = "linux"))]
fn reserve(_: i32, _: usize, _: usize) -> bool {
    true
}

#[cfg(target_os = "linux")]
fn populate() -> i32 {
    libc::MAP_POPULATE
}

#[cfg(not(target_os = "linux"))]
fn populate() -> i32 {
    0
}

/// Address space without memory; `None` where there is none.
pub(crate) fn reserve_addresses(bytes: usize) -> Option<*mut u8> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping, without access.
    let place = unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
    (place != libc::MAP_FAILED).then_some(place.cast())
}

/// Private memory of zeros at `place`.
///
/// # Safety
/// `place..place + bytes` is a mapping of ours that nobody relies on the content of.
pub(crate) unsafe fn private_at(place: *mut u8, bytes: usize) {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
    // SAFETY: as promised by the caller.
    unsafe { libc::mmap(place.cast(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
}

/// Runs `child` in the child of each fork.
pub(crate) fn on_fork(child: unsafe extern "C" fn()) {
    // SAFETY: the function is valid for the life of the process, and does only what is allowed after a fork.
    unsafe { libc::pthread_atfork(None, None, Some(child)) };
}

/// Runs `exit` when the process exits by returning from `main` or by `exit`.
pub(crate) fn on_exit(exit: extern "C" fn()) {
    // SAFETY: the function is valid for the life of the process.
    unsafe { libc::atexit(exit) };
}

/// Runs `with` while all signals are kept from this thread and from the threads that it starts, so that no handler of
/// the application ever runs on a thread of ours.
pub(crate) fn without_signals<R>(with: impl FnOnce() -> R) -> R {
    // SAFETY: signal sets of zeros may be written; the old mask is put back.
    unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let result = with();
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        result
    }
}

/// Nanoseconds of the monotonic clock.
pub(crate) fn monotonic_ns() -> u64 {
    clock_ns(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds since 1970.
pub(crate) fn unix_ns() -> u64 {
    clock_ns(libc::CLOCK_REALTIME)
}

fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` may be written.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The system's number of this thread.
#[cfg(target_os = "linux")]
pub(crate) fn thread_id() -> u64 {
    // SAFETY: always succeeds.
    unsafe { libc::gettid() as u64 }
}

/// Elsewhere there is no number that a user would know a thread by.
#[cfg(not(target_os = "linux"))]
pub(crate) fn thread_id() -> u64 {
    0
}

/// Whether this is the thread that runs `main`.
#[cfg(target_os = "linux")]
pub(crate) fn is_main_thread() -> bool {
    thread_id() == u64::from(std::process::id())
}

/// Whether this is the thread that runs `main`.
#[cfg(target_vendor = "apple")]
pub(crate) fn is_main_thread() -> bool {
    // SAFETY: always succeeds.
    unsafe { libc::pthread_main_np() == 1 }
}

/// Elsewhere it is not known, and the main thread ends before the process.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) fn is_main_thread() -> bool {
    false
}

/// This thread's name as the system knows it, cut to 15 bytes there.
pub(crate) fn thread_name(buffer: &mut [u8; 16]) -> &str {
    #[cfg(target_os = "linux")]
    // SAFETY: the buffer has the 16 bytes that the call may write.
    unsafe {
        libc::prctl(libc::PR_GET_NAME, buffer.as_mut_ptr());
    }
    let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
    std::str::from_utf8(&buffer[..end]).unwrap_or("")
}

/// The addresses of this thread's stack; empty where they cannot be known.
#[cfg(target_os = "linux")]
pub(crate) fn stack_bounds() -> std::ops::Range<usize> {
    // SAFETY: attributes of zeros may be written by `pthread_getattr_np`, and are destroyed where it succeeded.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) != 0 {
            return 0..0;
        }
        let (mut base, mut size) = (std::ptr::null_mut(), 0);
        let got = libc::pthread_attr_getstack(&attributes, &mut base, &mut size);
        libc::pthread_attr_destroy(&mut attributes);
        if got == 0 { base.addr()..base.addr() + size } else { 0..0 }
    }
}

/// Elsewhere frame pointers are not followed.
#[cfg(not(target_os = "linux"))]
pub(crate) fn stack_bounds() -> std::ops::Range<usize> {
    0..0
}

/// A file mapped for execution.
pub(crate) struct Module {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) offset: u64,
    pub(crate) bias: u64,
    pub(crate) path: String,
    pub(crate) build_id: String,
}

/// The files mapped for execution now.
#[cfg(target_os = "linux")]
pub(crate) fn modules() -> Vec<Module> {
    unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, found: *mut libc::c_void) -> i32 {
        // SAFETY: the loader gives a valid record, and `found` is the vector below.
        unsafe { module(&*info, &mut *found.cast::<Vec<Module>>()) };
        0
    }
    let mut found: Vec<Module> = vec![];
    // SAFETY: the callback gets the vector that it expects.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
    found
}

/// # Safety
/// `info` is a record of the loader's.
#[cfg(target_os = "linux")]
unsafe fn module(info: &libc::dl_phdr_info, found: &mut Vec<Module>) {
    // SAFETY: the loader's record names a C string and an array of headers.
    let (name, headers) = unsafe {
        let name = std::ffi::CStr::from_ptr(info.dlpi_name).to_string_lossy().into_owned();
        (name, std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize))
    };
    // The executable itself has no name.
    let is_first = found.is_empty() && name.is_empty();
    let path = if is_first { exe() } else { name };
    let mut build_id = String::new();
    for header in headers.iter().filter(|header| header.p_type == libc::PT_NOTE) {
        let start = (info.dlpi_addr + header.p_vaddr) as *const u8;
        // SAFETY: a note segment is mapped and readable for its size in memory.
        let notes = unsafe { std::slice::from_raw_parts(start, header.p_memsz as usize) };
        build_id = build_id_of(notes).unwrap_or(build_id);
    }
    for header in
        headers.iter().filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0)
    {
        // Of 64 bits or 32, as the platform's addresses are.
        #[allow(clippy::useless_conversion)]
        let [bias, address, size, offset] =
            [info.dlpi_addr, header.p_vaddr, header.p_memsz, header.p_offset].map(u64::from);
        found.push(Module {
            start: bias + address,
            end: bias + address + size,
            offset,
            bias,
            path: path.clone(),
            build_id: build_id.clone(),
        });
    }
}

/// The build id in a note segment: notes of name "GNU" and type 3 (see elf(5), "Notes").
#[cfg(target_os = "linux")]
fn build_id_of(mut notes: &[u8]) -> Option<String> {
    let number =
        |bytes: &[u8], at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize);
    while notes.len() >= 12 {
        let (name_len, len, kind) = (number(notes, 0)?, number(notes, 4)?, number(notes, 8)?);
        let begin = 12 + name_len.next_multiple_of(4);
        if kind == 3 && notes.get(12..12 + name_len)? == b"GNU\0" {
            let id = notes.get(begin..begin + len)?;
            return Some(id.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        notes = notes.get(begin + len.next_multiple_of(4)..)?;
    }
    None
}

/// Elsewhere modules are not listed: stacks stay addresses.
#[cfg(not(target_os = "linux"))]
pub(crate) fn modules() -> Vec<Module> {
    vec![]
}

/// This program's file.
pub(crate) fn exe() -> String {
    std::env::current_exe().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether this program has rights that its user has not: then the environment must not say which files it writes.
pub(crate) fn has_more_rights() -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: only reads what the kernel has told the process.
    return unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    #[cfg(not(target_os = "linux"))]
    // SAFETY: always succeeds.
    return unsafe { libc::issetugid() } != 0;
}

/// The user that the process acts for.
pub(crate) fn user_id() -> u32 {
    // SAFETY: always succeeds.
    unsafe { libc::geteuid() }
}
