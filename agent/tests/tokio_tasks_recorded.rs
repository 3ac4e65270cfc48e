//! Tasks: their lives, how they end, and what stands in the way of those that do not.
#![cfg(all(target_os = "linux", feature = "record", feature = "tokio"))]
mod recording;

use lockprof::tokio;
use lockprof_trace::{Event, Kind, Operation, Outcome, Party, TaskState, WaitEnd};
use recording::{Trace, line, record};
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::{Poll, Waker};
use tokio::sync::{Mutex, mpsc};
use tokio::task::{JoinSet, LocalSet, spawn_local, yield_now};

/// The tasks spawned at this line, with their outcomes and polls.
fn ended(trace: &Trace, kind: Kind, line: u32) -> Vec<(Outcome, u64)> {
    let wanted = trace.class(kind, line);
    let born = |event: &Event<'_>| match event {
        Event::Task { task, class, .. } if *class == wanted => Some(*task),
        _ => None,
    };
    let tasks: Vec<Party> = trace.events().iter().filter_map(born).collect();
    let end = |event: &Event<'_>| match event {
        Event::TaskEnd { task, outcome, polls, .. } if tasks.contains(task) => Some((*outcome, *polls)),
        _ => None,
    };
    trace.events().iter().filter_map(end).collect()
}

#[test]
fn tasks_are_recorded() {
    let mut lines = [0; 8];
    let mut wakers = Vec::<Waker>::new();
    let mut runtimes = vec![];
    let mut stuck = None;
    let trace = record(|| {
        let build = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let runtime = build();
        runtime.block_on(async {
            let (task, at) = (tokio::spawn(async { yield_now().await }), line());
            lines[0] = at;
            task.await.unwrap();

            let (task, at) = (tokio::spawn(async { std::panic::resume_unwind(Box::new(())) }), line());
            lines[1] = at;
            let task: tokio::task::JoinHandle<()> = task;
            assert!(task.await.unwrap_err().is_panic());

            let (task, at) = (tokio::spawn(pending::<()>()), line());
            lines[2] = at;
            yield_now().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());

            // The drop of a set aborts what is in it; what was detached before lives on.
            let mut set = JoinSet::new();
            lines[3] = line() + 1;
            set.spawn(pending::<()>());
            yield_now().await;
            drop(set);
            yield_now().await;

            let (task, at) = (tokio::task::spawn_blocking(|| 3), line());
            lines[4] = at;
            assert_eq!(task.await.unwrap(), 3);
        });
        LocalSet::new().block_on(&runtime, async {
            let (task, at) = (spawn_local(async { yield_now().await }), line());
            lines[5] = at;
            task.await.unwrap();
        });

        // The runtime shuts down with tasks that wait: for a lock, and for a channel.
        let other = build();
        let mutex = Arc::new(Mutex::new(()));
        let guard = mutex.clone().try_lock_owned().unwrap();
        let (sender, mut receiver) = mpsc::channel::<()>(1);
        other.block_on(async {
            let at = line() + 1;
            tokio::spawn(async move { drop(mutex.lock().await) });
            lines[6] = at;
            tokio::spawn(async move { receiver.recv().await });
            yield_now().await;
        });
        drop(other);
        drop((guard, sender));

        // These are still there at the end: one that nobody can wake, one that a clone of its waker can, one that is woken
        // and not polled, one that was never polled.
        runtime.block_on(async {
            tokio::spawn(pending::<()>());
            let (report, mut reports) = mpsc::unbounded_channel();
            for _ in 0..2 {
                let report = report.clone();
                tokio::spawn(poll_fn(move |cx| {
                    report.send(cx.waker().clone()).unwrap();
                    Poll::<()>::Pending
                }));
            }
            yield_now().await;
            for _ in 0..2 {
                wakers.push(reports.recv().await.unwrap());
            }
            wakers.remove(0).wake();
            stuck = Some(tokio::spawn(pending::<()>()));
        });
        runtimes.push(runtime);
    });

    assert_eq!(ended(&trace, Kind::Task, lines[0]), [(Outcome::Finished, 2)]);
    assert_eq!(ended(&trace, Kind::Task, lines[1]), [(Outcome::Panicked, 1)]);
    assert_eq!(ended(&trace, Kind::Task, lines[2]), [(Outcome::Aborted, 1)]);
    assert_eq!(ended(&trace, Kind::Task, lines[3]), [(Outcome::Aborted, 1)]);
    assert_eq!(ended(&trace, Kind::BlockingTask, lines[4]), [(Outcome::Finished, 1)]);
    assert_eq!(ended(&trace, Kind::Task, lines[5]), [(Outcome::Finished, 2)]);
    assert_eq!(ended(&trace, Kind::Task, lines[6]), [(Outcome::Dropped, 1)]);

    let abandoned = |operation| {
        let waits = trace.waits(operation);
        assert!(matches!(waits[..], [wait] if wait.end == Some(WaitEnd::Abandoned)), "{waits:?}");
    };
    abandoned(Operation::Lock);
    abandoned(Operation::Recv);

    let open = |event: &Event<'_>| match event {
        Event::OpenTask { state, wakers, polls, .. } => Some((*state, *wakers, *polls)),
        _ => None,
    };
    let mut open: Vec<_> = trace.events().iter().filter_map(open).collect();
    open.sort();
    let (new, parked, ready) = (TaskState::New, TaskState::Parked, TaskState::Ready);
    // And those two of which the shutdown found the waker where they wait.
    let dropped = (parked, 2, 1);
    assert_eq!(open, [(new, 1, 0), (parked, 1, 1), (parked, 2, 1), dropped, dropped, (ready, 1, 1)]);
    drop((wakers, stuck, runtimes));
}
