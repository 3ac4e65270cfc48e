//! Threads that nobody sees are counted: not `main`, those spawned through lockprof, a runtime's, nor lockprof's own. One that
//! has not run for long is told as such.
#![cfg(all(target_os = "linux", feature = "record", feature = "tokio"))]
mod recording;

use lockprof::tokio::runtime::Builder;
use lockprof_trace::Event;
use recording::record;
use std::sync::mpsc;
use std::thread::Thread;

/// How many threads of the process are there that only this test's harness has made.
fn of_the_harness() -> u64 {
    // SAFETY: it has no arguments, and cannot fail.
    u64::from(unsafe { libc::gettid() } as u32 != std::process::id())
}

#[test]
fn threads_that_nobody_sees_are_counted() {
    let mut parked: Vec<Thread> = vec![];
    let trace = record(|| {
        let (tell, told) = mpsc::channel();
        let parks = |tell: mpsc::Sender<Thread>| {
            move || {
                tell.send(std::thread::current()).unwrap();
                std::thread::park();
            }
        };
        std::thread::spawn(parks(tell.clone()));
        lockprof::thread::spawn(parks(tell.clone()));
        let runtime = Builder::new_multi_thread().worker_threads(2).on_thread_start(|| ()).build().unwrap();
        runtime.spawn_blocking(parks(tell));
        parked.extend(told.iter().take(3));
        runtime.shutdown_background();
    });
    let last = trace.events().iter().rev().find_map(|event| match event {
        Event::Unseen { at, threads, ran } => Some((*threads, ran <= at)),
        _ => None,
    });
    assert_eq!(last, Some((1 + of_the_harness(), true)));
    parked.iter().for_each(Thread::unpark);
}
