//! Threads and tasks that nobody sees are counted. Threads: not `main`, those spawned through lockprof, a runtime's, nor lockprof's
//! own. Tasks: those that are spawned through tokio itself on a runtime that lockprof knows, as long as that lives.
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
fn what_nobody_sees_is_counted() {
    let mut parked: Vec<Thread> = vec![];
    let mut kept = vec![];
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
        // A thread is seen once it has begun to run.
        let (begin, begun) = mpsc::channel();
        let workers = || {
            begun.try_iter().for_each(drop);
            let begin = begin.clone();
            let begins = move || begin.send(()).unwrap_or_default();
            let runtime = Builder::new_multi_thread().worker_threads(2).on_thread_start(begins).build();
            begun.iter().take(2).for_each(drop);
            runtime.unwrap()
        };
        let runtime = workers();
        runtime.spawn_blocking(parks(tell));
        // What it had counts no more when it is gone.
        tokio::runtime::Handle::from(runtime.handle().clone()).spawn(std::future::pending::<()>());
        parked.extend(told.iter().take(3));
        runtime.shutdown_background();
        let runtime = workers();
        let plain = tokio::runtime::Handle::from(runtime.handle().clone());
        (0..3).for_each(|_| drop(plain.spawn(std::future::pending::<()>())));
        (0..4).for_each(|_| drop(runtime.spawn(std::future::pending::<()>())));
        kept.push(runtime);
    });
    let last = trace.events().iter().rev().find_map(|event| match event {
        Event::Unseen { at, others, ran } => Some((*others, ran <= at)),
        _ => None,
    });
    assert_eq!(last, Some((1 + 3 + of_the_harness(), true)));
    parked.iter().for_each(Thread::unpark);
}
