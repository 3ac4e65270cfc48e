//! An end of a channel, or an owned guard, whose party has locked something between making it and waiting, may have been left
//! there for others to find: the record says so. Of one whose party has locked nothing since, it does not. What is used in a
//! static is told as such.
#![cfg(all(target_os = "linux", feature = "full"))]
mod recording;

use lockprof::tokio::runtime::Builder;
use lockprof::{crossbeam_channel, parking_lot, sync, thread, tokio};
use lockprof_trace::memory::entry::{IS_GLOBAL, MAY_BE_SHELVED};
use lockprof_trace::{Event, Role};
use recording::record;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

static LOCK: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
static OTHER: sync::Mutex<()> = sync::Mutex::new(());

/// What a thread does between making a channel and waiting on it, and whether it may have left the sender there.
const DOES: [(fn(), bool); 4] = [
    (|| (), false),
    (|| drop(LOCK.lock()), true),
    (|| drop(OTHER.lock()), true),
    (|| drop(tokio::sync::Mutex::new(()).try_lock()), true),
];

type Ends = (crossbeam_channel::Sender<u32>, crossbeam_channel::Receiver<u32>);
static OF_THREADS: OnceLock<Ends> = OnceLock::new();
static OF_TASKS: OnceLock<(tokio::sync::mpsc::Sender<u32>, tokio::sync::mpsc::Receiver<u32>)> =
    OnceLock::new();

#[test]
fn what_may_have_been_left_under_a_lock_is_told() {
    let (mut ends, mut kept) = (vec![], vec![]);
    let mut expected = BTreeMap::new();
    let trace = record(|| {
        for (number, (does, shelves)) in DOES.into_iter().enumerate() {
            let making = thread::spawn(move || {
                // Locked before: that makes no difference.
                drop((LOCK.lock(), OTHER.lock()));
                let ends = crossbeam_channel::bounded::<u32>(number + 10);
                does();
                ends.1.recv_timeout(Duration::from_millis(1)).unwrap_err();
                ends
            });
            ends.push(making.join().unwrap());
            expected.insert(number as u64 + 10, shelves);
        }
        let used = &OF_THREADS.get_or_init(|| crossbeam_channel::bounded(1)).1;
        used.recv_timeout(Duration::from_millis(1)).unwrap_err();
        let runtime = Builder::new_current_thread().build().unwrap();
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        runtime.block_on(async {
            let owned = lock.clone().lock_owned().await;
            drop(LOCK.lock());
            let waits = lock.lock();
            tokio::select! { biased; _ = waits => unreachable!("it is taken"), () = std::future::ready(()) => {} }
            kept.push(owned);
            let sender = &OF_TASKS.get_or_init(|| tokio::sync::mpsc::channel(2)).0;
            sender.send(1).await.unwrap();
        });
    });
    let capacities: BTreeMap<u64, u64> = trace
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Object { object, capacity, .. } => Some((*object, *capacity)),
            _ => None,
        })
        .collect();
    let handles = trace.events().iter().filter_map(|event| match event {
        Event::Handle { object, role, moved, .. } => {
            Some((*object, *role, moved & MAY_BE_SHELVED != 0, moved & IS_GLOBAL != 0))
        }
        _ => None,
    });
    let (mut senders, mut guards, mut globals) = (BTreeMap::new(), vec![], vec![]);
    for (object, role, shelved, global) in handles {
        if global {
            globals.push((capacities[&object], role));
        }
        match role {
            _ if capacities.get(&object).is_some_and(|capacity| *capacity < 10 && *capacity > 0) => {}
            Role::Sender => drop(senders.insert(capacities[&object], shelved)),
            Role::Exclusive => guards.push(shelved),
            _ => {}
        }
    }
    assert_eq!(senders, expected);
    assert_eq!(guards, [true]);
    globals.sort_unstable();
    assert_eq!(globals, [(1, Role::Receiver), (2, Role::Sender)]);
}
