//! tokio's locks: what a recording says of them.
#![cfg(all(target_os = "linux", feature = "record", feature = "tokio"))]
mod recording;

use lockprof::tokio;
use lockprof_trace::{Event, Kind, Operation, Party, Role, WaitEnd};
use recording::{Trace, line, record};
use std::sync::Arc;
use tokio::sync::{Barrier, Mutex, MutexGuard, OnceCell, OwnedMutexGuard, RwLock, Semaphore};
use tokio::task::yield_now;

/// Waits of tasks, each by its object and how it ended.
fn ends(trace: &Trace, operation: Operation) -> Vec<(u64, Option<WaitEnd>)> {
    let waits = trace.waits(operation);
    assert!(waits.iter().all(|wait| wait.party.is_task()), "{waits:?}");
    waits.into_iter().map(|wait| (wait.object, wait.end)).collect()
}

#[test]
fn locks_are_recorded() {
    let mut lines = [0; 5];
    let mut wait_line = 0;
    let trace = record(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // One lock that is free, one that is waited for, one wait given up.
            let (mutex, created) = (Arc::new(Mutex::new(1)), line());
            lines[0] = created;
            *mutex.lock().await += 1;
            let guard = MutexGuard::map(mutex.try_lock().unwrap(), |value| value);
            assert!(mutex.try_lock().is_err());
            let waiter = tokio::spawn({
                let mutex = mutex.clone();
                async move {
                    let (guard, line) = (mutex.lock().await, line());
                    drop(guard);
                    line
                }
            });
            let loser = tokio::spawn({
                let mutex = mutex.clone();
                async move {
                    tokio::select! {
                        biased;
                        _ = mutex.lock_owned() => unreachable!(),
                        () = yield_now() => {}
                    }
                }
            });
            loser.await.unwrap();
            drop(guard);
            wait_line = waiter.await.unwrap();
            let owned = OwnedMutexGuard::map(mutex.clone().lock_owned().await, |value| value);
            drop(owned);

            // A reader waits for a writer, which downgrades.
            let (lock, created) = (Arc::new(RwLock::new(1)), line());
            lines[1] = created;
            let writer = lock.write().await;
            let reader = tokio::spawn({
                let lock = lock.clone();
                async move { *lock.read().await }
            });
            yield_now().await;
            let shared = writer.downgrade();
            assert_eq!(reader.await.unwrap(), 1);
            drop(shared);

            // Permits: split, merged, forgotten, and the end of it all.
            let (semaphore, created) = (Arc::new(Semaphore::new(3)), line());
            lines[2] = created;
            let mut permits = semaphore.acquire_many(3).await.unwrap();
            let one = permits.split(1).unwrap();
            permits.merge(one);
            let refused = tokio::spawn(semaphore.clone().acquire_owned());
            yield_now().await;
            semaphore.close();
            assert!(refused.await.unwrap().is_err());
            permits.forget();
            std::mem::forget(semaphore);

            // The second of two waits for neither.
            let (barrier, created) = (Arc::new(Barrier::new(2)), line());
            lines[3] = created;
            let first = tokio::spawn({
                let barrier = barrier.clone();
                async move { barrier.wait().await.is_leader() }
            });
            yield_now().await;
            assert!(barrier.wait().await.is_leader());
            assert!(!first.await.unwrap());

            // Who initialises waits for what that waits for; who comes meanwhile waits for the cell.
            let (cell, created) = (Arc::new(OnceCell::new()), line());
            lines[4] = created;
            let init = || {
                let cell = cell.clone();
                async move {
                    *cell
                        .get_or_init(async || {
                            yield_now().await;
                            5
                        })
                        .await
                }
            };
            let both = [tokio::spawn(init()), tokio::spawn(init())];
            for task in both {
                assert_eq!(task.await.unwrap(), 5);
            }
        });
    });

    let mutex = trace.object(Kind::TokioMutex, lines[0]);
    assert_eq!(
        ends(&trace, Operation::Lock),
        [(mutex, Some(WaitEnd::Cancelled)), (mutex, Some(WaitEnd::Done))]
    );
    assert_eq!(trace.waits(Operation::Lock)[1].line, wait_line);
    assert_eq!(trace.counts(mutex), (4, 2));

    let lock = trace.object(Kind::TokioRwLock, lines[1]);
    assert_eq!(ends(&trace, Operation::Read), [(lock, Some(WaitEnd::Done))]);
    assert_eq!((trace.counts(lock), trace.counts(lock + 1)), ((1, 0), (1, 1)));

    let semaphore = trace.object(Kind::TokioSemaphore, lines[2]);
    assert_eq!(ends(&trace, Operation::Acquire), [(semaphore, Some(WaitEnd::Disconnected))]);
    assert_eq!(trace.counts(semaphore), (1, 1));
    // What was forgotten is still taken; nothing else is.
    let handles = trace.handles();
    let [(Role::Permit, object, party, 3)] = handles[..] else { panic!("{handles:?}") };
    assert!(object == semaphore && party.is_thread());

    let barrier = trace.object(Kind::TokioBarrier, lines[3]);
    assert_eq!(ends(&trace, Operation::Barrier), [(barrier, Some(WaitEnd::Done))]);
    let cell = trace.object(Kind::TokioOnceCell, lines[4]);
    assert_eq!(ends(&trace, Operation::Init), [(cell, Some(WaitEnd::Done))]);
    assert_eq!(trace.counts(cell), (1, 1));

    // `block_on` runs as the thread: it waited for its tasks.
    let joins = trace.waits(Operation::Join);
    assert!(joins.iter().all(|wait| wait.party.is_thread() && wait.holder.is_task()), "{joins:?}");
    let tasks = trace.events().iter().filter(|event| matches!(event, Event::TaskEnd { .. })).count();
    assert_eq!(tasks, 7);
    assert!(
        !trace
            .events()
            .iter()
            .any(|event| matches!(event, Event::OpenTask { task, .. } if *task != Party::UNKNOWN))
    );
}
