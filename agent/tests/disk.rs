//! Whatever happens to the disk under the trace, or to shared memory: recording stops with its reason, or does without
//! what it cannot have; the program goes on.
//!
//! Small disks are mounted in a name space of the test's own. Where the system allows none, these tests say so and end.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::{Ended, Scene};
use lockprof::sync::Mutex;
use lockprof::{Status, status};
use lockprof_trace::{Event, Loss};
use std::env;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

static LOCK: Mutex<u64> = Mutex::new(0);
const TIMES: u64 = 500_000;

fn take(times: u64) {
    for _ in 0..times {
        *LOCK.lock().unwrap() += 1;
    }
}

/// Set inside the name space.
const INSIDE: &str = "LOCKPROF_TEST_MOUNTS";

/// Whether this is a process that may mount what it likes; if not, the test runs in one, and this one has nothing to do.
fn may_mount(name: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let unshare = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount"]).args(arguments);
        command
    };
    if !unshare(&["true"]).status().is_ok_and(|status| status.success()) {
        #[allow(clippy::print_stdout)] // Whoever reads the test's output must know.
        {
            println!("not tested: this system lets nobody mount in a name space of his own");
        }
        return false;
    }
    let program = env::current_exe().unwrap();
    let mut command = unshare(&[program.to_str().unwrap(), name, "--exact", "--nocapture"]);
    assert!(command.env(INSIDE, "1").status().unwrap().success(), "{name} in its name space");
    false
}

/// Mounts a file system in memory.
fn mount(place: &Path, options: &str, flags: libc::c_ulong) {
    let place = CString::new(place.as_os_str().as_bytes()).unwrap();
    let options = CString::new(options).unwrap();
    // SAFETY: C strings that live as long as the call.
    let done = unsafe {
        libc::mount(c"none".as_ptr(), place.as_ptr(), c"tmpfs".as_ptr(), flags, options.as_ptr().cast())
    };
    assert_eq!(done, 0, "mount: {}", std::io::Error::last_os_error());
}

/// The child: threads come and go until the recording has stopped; then it goes on. Its reason goes to a file.
fn until_it_stops() {
    let (begin, mut taken) = (Instant::now(), 0);
    let reason = loop {
        if let Status::Stopped(reason) = status() {
            break reason;
        }
        assert!(begin.elapsed().as_secs() < 60, "{:?}", status());
        std::thread::spawn(|| take(10)).join().unwrap();
        taken += 10;
    };
    take(TIMES - taken);
    fs::write(env::temp_dir().join(format!("lockprof-reason-{}", std::process::id())), reason).unwrap();
}

/// The reason that the child of this number has written.
fn reason(child: u32) -> String {
    let path = env::temp_dir().join(format!("lockprof-reason-{child}"));
    let reason = fs::read_to_string(&path).expect("the child goes on to its end");
    fs::remove_file(&path).unwrap();
    reason
}

/// Runs the child; why its recording stopped, and what it has left.
fn stopped(scene: &Scene) -> (String, Ended) {
    let mut child = scene.recorded("").spawn().unwrap();
    let number = child.id();
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
    (reason(number), Ended { status, events: child::events(&scene.trace()) })
}

#[test]
fn a_full_disk() {
    if child::is("a_full_disk") {
        return until_it_stops();
    }
    if !may_mount("a_full_disk") {
        return;
    }
    let scene = Scene::new("a_full_disk");
    mount(&scene.folder, "size=32k", 0);
    let (reason, ended) = stopped(&scene);
    assert!(reason.contains("No space left on device"), "{reason}");
    // The end found no room either: it was collected from memory.
    assert_eq!(ended.count(), TIMES);
    assert!(ended.lost(Loss::Disk) > 0 && ended.lost(Loss::Limit) > 0);
}

#[test]
fn a_disk_that_has_room_again() {
    if child::is("a_disk_that_has_room_again") {
        until_it_stops();
        return fs::remove_file(child::folder().join("filler")).unwrap();
    }
    if !may_mount("a_disk_that_has_room_again") {
        return;
    }
    let scene = Scene::new("a_disk_that_has_room_again");
    mount(&scene.folder, "size=256k", 0);
    fs::write(scene.folder.join("filler"), [0; 224 << 10]).unwrap();
    let (reason, ended) = stopped(&scene);
    assert!(reason.contains("No space left on device"), "{reason}");
    assert_eq!((ended.reason(), ended.count()), (&*reason, TIMES), "the trace itself tells why");
}

/// From now on, whoever of this process writes to this file is told that its quota is used up. A filter of system calls says
/// so: quotas need a file system that has them, and its administrator.
fn use_up_the_quota(file: libc::c_int) {
    let statement = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let unless = |k: u32, skip: u8| libc::sock_filter {
        code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
        jt: 0,
        jf: skip,
        k,
    };
    let load = |at: usize| statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, at as u32);
    let answer = |k: u32| statement(libc::BPF_RET | libc::BPF_K, k);
    let mut filter = [
        load(std::mem::offset_of!(libc::seccomp_data, nr)),
        unless(libc::SYS_write as u32, 3),
        load(std::mem::offset_of!(libc::seccomp_data, args)),
        unless(file as u32, 1),
        answer(libc::SECCOMP_RET_ERRNO | libc::EDQUOT as u32),
        answer(libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    let every_thread = libc::SECCOMP_FILTER_FLAG_TSYNC;
    // SAFETY: a filter that lives as long as the calls.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let set =
            libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, every_thread, &raw const program);
        assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
    }
}

#[test]
fn a_quota_that_is_used_up() {
    if child::is("a_quota_that_is_used_up") {
        let trace = child::folder().join("trace.bin");
        let mut open = fs::read_dir("/proc/self/fd").unwrap().map(|file| file.unwrap());
        let file = open.find(|file| fs::read_link(file.path()).is_ok_and(|path| path == trace)).unwrap();
        use_up_the_quota(file.file_name().to_str().unwrap().parse().unwrap());
        return until_it_stops();
    }
    let scene = Scene::new("a_quota_that_is_used_up");
    let (reason, ended) = stopped(&scene);
    assert!(reason.contains("quota exceeded"), "{reason}");
    assert_eq!(ended.count(), TIMES);
    assert!(ended.lost(Loss::Disk) > 0);
}

#[test]
fn a_limit_to_the_size_of_files() {
    if child::is("a_limit_to_the_size_of_files") {
        limit_files(20_000);
        return until_it_stops();
    }
    let scene = Scene::new("a_limit_to_the_size_of_files");
    let (reason, ended) = stopped(&scene);
    assert!(reason.contains("File too large"), "{reason}");
    assert_eq!(ended.count(), TIMES);
}

fn limit_files(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a valid limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) }, 0);
}

#[test]
fn a_limit_before_the_start() {
    if child::is("a_limit_before_the_start") {
        limit_files(100);
        let error = lockprof::builder().path(child::folder().join("trace.bin")).start().unwrap_err();
        take(1000);
        limit_files(1 << 40);
        fs::write(child::folder().join("error"), error.to_string()).unwrap();
        return;
    }
    let scene = Scene::new("a_limit_before_the_start");
    // The system's signal ends who takes it.
    assert!(scene.unrecorded().status().unwrap().success());
    let error = fs::read_to_string(scene.folder.join("error")).unwrap();
    assert!(error.contains("File too large"), "{error}");
}

#[test]
fn a_folder_that_is_removed() {
    if child::is("a_folder_that_is_removed") {
        take(10);
        fs::remove_dir_all(child::folder()).unwrap();
        return until_it_stops();
    }
    let scene = Scene::new("a_folder_that_is_removed");
    let mut child = scene.recorded("").spawn().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(reason(child.id()), "the trace was removed");
}

#[test]
fn a_disk_that_is_only_read() {
    if !may_mount("a_disk_that_is_only_read") {
        return;
    }
    let scene = Scene::new("a_disk_that_is_only_read");
    mount(&scene.folder, "size=1m", libc::MS_RDONLY);
    let error = lockprof::builder().path(scene.trace()).start().unwrap_err();
    assert!(error.is_trace() && error.to_string().contains("Read-only file system"), "{error}");
    take(10);
}

/// The child: many locks, and many threads at a time.
fn many() {
    let locks: Vec<Mutex<u64>> = (0..20_000).map(Mutex::new).collect();
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                locks.iter().for_each(|lock| *lock.lock().unwrap() += 1);
                take(TIMES / 40);
            });
        }
    });
    assert!(matches!(status(), Status::Recording(_)), "{:?}", status());
}

#[test]
fn little_shared_memory() {
    if child::is("little_shared_memory") {
        return many();
    }
    if !may_mount("little_shared_memory") {
        return;
    }
    mount(Path::new("/dev/shm"), "size=1m", 0);
    let ended = Scene::new("little_shared_memory").run("");
    assert!(ended.status.success(), "never a signal: {}", ended.status);
    assert!(ended.lost(Loss::Objects) + ended.lost(Loss::Areas) > 0, "what has no room is told");
}

#[test]
fn no_shared_memory() {
    if child::is("no_shared_memory") {
        return take(TIMES);
    }
    if !may_mount("no_shared_memory") {
        return;
    }
    mount(Path::new("/dev/shm"), "size=64k", 0);
    let scene = Scene::new("no_shared_memory");
    let mut command = scene.recorded("");
    let status = command.env_remove("XDG_RUNTIME_DIR").status().unwrap();
    let ended = Ended { status, events: child::events(&scene.trace()) };
    assert!(ended.status.success());
    assert_eq!(ended.count(), TIMES);
    let Some(Event::Session { memory, .. }) = ended.events.first() else { panic!("no session") };
    assert_eq!(memory, "", "of memory without a name nothing can be collected after a kill");
}
