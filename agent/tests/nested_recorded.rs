//! What a recording says of things that are begun while others are held.
#![cfg(all(target_os = "linux", feature = "record", feature = "full"))]
mod recording;

use lockprof::tokio::task;
use lockprof::{parking_lot, sync, thread, tokio};
use lockprof_trace::{Kind, Operation};
use recording::{line, record};
use std::time::Duration;

/// A nesting by its lines: what was begun there, and where each thing that was held had been taken.
type Told = (Operation, u32, Vec<u32>);

#[test]
fn nestings_are_told_once_each() {
    let (outer, outer_line) = (parking_lot::Mutex::new(0), line());
    let (inner, inner_line) = (sync::RwLock::new(0), line());
    let mut expected: Vec<Told> = vec![];
    let mut expects = |operation, line: u32, held: &[u32]| expected.push((operation, line, held.to_vec()));

    #[allow(clippy::await_holding_lock)] // It is what shall be told.
    let trace = record(|| {
        let spawned = thread::scope(|scope| {
            let one = scope.spawn(|| {
                let mut lines = [0; 2];
                for _ in 0..1000 {
                    let _outer = outer.lock();
                    lines[0] = line() - 1;
                    let _inner = inner.read().unwrap();
                    lines[1] = line() - 1;
                }
                // A try waits for nobody.
                let _outer = outer.lock();
                drop(inner.try_write().unwrap());
                lines
            });
            one.join().unwrap()
        });
        expects(Operation::Read, spawned[1], &[spawned[0]]);

        let held = inner.write().unwrap();
        let (under, nested) = (line() - 1, outer.lock());
        expects(Operation::Lock, line() - 1, &[under]);
        // Both are held by this thread itself.
        let refused = (outer.try_lock().is_some(), line());
        expects(Operation::Lock, refused.1, &[under, under + 1]);
        assert!(!refused.0);
        drop((held, nested));

        // A wait for a message while a lock is held.
        let (sender, receiver) = sync::mpsc::channel();
        thread::scope(|scope| {
            let guard = outer.lock();
            let taken = line() - 1;
            scope.spawn(move || {
                thread::sleep(Duration::from_millis(5));
                sender.send(1).unwrap();
            });
            receiver.recv().unwrap();
            expects(Operation::Recv, line() - 1, &[taken]);
            drop(guard);
        });
        expects(Operation::Join, 0, &[]);

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let local = task::LocalSet::new();
        let lines = local.block_on(&runtime, async {
            task::spawn_local(async {
                let (first, second) = (tokio::sync::Mutex::new(0), tokio::sync::RwLock::new(0));
                let held = first.lock().await;
                let (one, nested) = (line() - 1, second.write().await);
                let two = line() - 1;
                drop((held, nested));
                let kept = parking_lot::Mutex::new(0);
                let blocking = kept.lock();
                let three = line() - 1;
                task::yield_now().await;
                drop(blocking);
                [one, two, three]
            })
            .await
            .unwrap()
        });
        expects(Operation::Write, lines[1], &[lines[0]]);
        expects(Operation::Await, 0, &[lines[2]]);
    });

    expected.retain(|told| told.0 != Operation::Join);
    let told: Vec<Told> = trace
        .nested()
        .into_iter()
        .map(|(operation, _, line, held)| (operation, line, held.into_iter().map(|(_, line)| line).collect()))
        .filter(|told: &Told| told.0 != Operation::Join && told.0 != Operation::BlockOn)
        .collect();
    assert_eq!(told, expected);

    // The ids tell how each was held: a reader by the one behind the lock's own.
    let (outer, inner) = (trace.object(Kind::Mutex, outer_line), trace.object(Kind::StdRwLock, inner_line));
    let nested = trace.nested();
    assert_eq!((nested[0].1, nested[0].3[0].0), (inner + 1, outer));
    assert_eq!((nested[1].1, nested[1].3[0].0), (outer, inner));
}
