//! However a process ends, its trace can be read to the end; what a fork's child does is not in its parent's.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::Scene;
use lockprof::sync::Mutex;
use lockprof::{Status, status};
use lockprof_trace::End;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::{Command, exit};

static LOCK: Mutex<u64> = Mutex::new(0);

fn take(times: u64) {
    for _ in 0..times {
        *LOCK.lock().unwrap() += 1;
    }
}

/// Forks; what `act` returns is the exit code of the child, which this one waits for.
fn fork(act: fn() -> i32) {
    // SAFETY: the child runs a few lines that take no lock of the C library, and ends by `_exit`.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::_exit(act());
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        assert_eq!(status, 0, "the child of the fork");
    }
}

fn works_unrecorded() -> i32 {
    take(500);
    i32::from(status() == Status::Off)
}

#[test]
fn returns() {
    if child::is("returns") {
        return take(1000);
    }
    let ended = Scene::new("returns").run("");
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (Some(0), End::Finished, 1000));
}

#[test]
fn exits() {
    if child::is("exits") {
        take(1000);
        exit(7);
    }
    let ended = Scene::new("exits").run("");
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (Some(7), End::Finished, 1000));
}

#[test]
fn aborts() {
    if child::is("aborts") {
        take(1000);
        std::process::abort();
    }
    let ended = Scene::new("aborts").run("");
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (None, End::Collected, 1000));
}

#[test]
fn forks() {
    if child::is("forks") {
        take(1000);
        fork(works_unrecorded);
        // The child may fork in its turn, and take a lock in that one too.
        fork(|| {
            fork(works_unrecorded);
            works_unrecorded()
        });
        take(1000);
        exit(7);
    }
    let ended = Scene::new("forks").run("");
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (Some(7), End::Finished, 2000));
}

/// Files that the application has opened since the recording ended.
static FILES: Mutex<Vec<File>> = Mutex::new(vec![]);

#[test]
fn forks_after_the_end() {
    if child::is("forks_after_the_end") {
        lockprof::builder().start().unwrap().finish();
        // The numbers that are free now are all taken: the trace's is among them.
        FILES.lock().unwrap().extend((0..32).map(|_| File::open("/dev/null").unwrap()));
        fork(|| {
            // SAFETY: only asks whether the number is that of an open file.
            let is_open = |file: &File| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFD) } >= 0;
            i32::from(!FILES.lock().unwrap().iter().all(is_open))
        });
        return;
    }
    let ended = Scene::new("forks_after_the_end").run("");
    assert_eq!((ended.status.code(), ended.end()), (Some(0), End::Finished));
}

#[test]
fn forks_while_others_lock() {
    if child::is("forks_while_others_lock") {
        let threads: Vec<_> = (0..3).map(|_| std::thread::spawn(|| take(20_000))).collect();
        for _ in 0..50 {
            // The lock itself may be held by a thread that the child does not have: another is taken.
            fork(|| {
                let own = Mutex::new(0);
                (0..500).for_each(|_| *own.lock().unwrap() += 1);
                i32::from(*own.lock().unwrap() != 500)
            });
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        exit(7);
    }
    let ended = Scene::new("forks_while_others_lock").run("");
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (Some(7), End::Finished, 60_000));
}

#[test]
fn starts_others() {
    if child::is("starts_others") {
        take(1000);
        // By `vfork` or its like, and `exec`: the parent's memory is shared for a moment.
        for _ in 0..20 {
            assert!(Command::new("true").env_remove("LOCKPROF").status().unwrap().success());
        }
        fork(|| {
            take(500);
            // SAFETY: a list of C strings that ends with null.
            unsafe { libc::execlp(c"true".as_ptr(), c"true".as_ptr(), std::ptr::null::<libc::c_char>()) }
        });
        take(1000);
        exit(7);
    }
    let ended = Scene::new("starts_others").run("");
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (Some(7), End::Finished, 2000));
}

#[test]
fn becomes_a_daemon() {
    if child::is("becomes_a_daemon") {
        take(1000);
        // SAFETY: no other thread of the program runs.
        if unsafe { libc::daemon(1, 1) } == 0 {
            take(500);
            std::fs::write(child::folder().join("daemon"), format!("{:?}", status())).unwrap();
            exit(0);
        }
    }
    let scene = Scene::new("becomes_a_daemon");
    let ended = scene.run("");
    // The parent has left by `_exit`, the daemon goes on, and neither harms what was recorded before.
    let daemon = scene.folder.join("daemon");
    while !std::fs::read_to_string(&daemon).is_ok_and(|text| !text.is_empty()) {
        std::thread::yield_now();
    }
    assert_eq!((ended.status.code(), ended.end(), ended.count()), (Some(0), End::Collected, 1000));
}

#[test]
fn a_path_that_cannot_be_written_is_an_error_and_no_more() {
    let error = lockprof::builder().path("/nonexistent/folder/trace.bin").start().unwrap_err();
    assert!(error.is_trace());
    assert!(error.to_string().contains("/nonexistent/folder/trace.bin"), "{error}");
    take(3);
}
