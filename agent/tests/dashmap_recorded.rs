//! `DashMap`: a contended shard, a reference that holds it, and exact counts.
#![cfg(all(target_os = "linux", feature = "record", feature = "dashmap"))]
mod recording;

use lockprof::dashmap::{DashMap, DashSet};
use lockprof::sync::Mutex;
use lockprof_trace::{Event, Kind, Operation, Party, WaitEnd};
use recording::{Sleeper, Trace, line, record};

/// What all shards of the map of this line counted: writes, reads, inserts and removes.
fn counts(trace: &Trace, line: u32) -> [u64; 4] {
    let shards = trace.objects(Kind::DashMap, line);
    [0, 1, 2, 3].map(|count| shards.iter().map(|shard| trace.counts(shard + count).0).sum())
}

#[test]
fn maps_recorded() {
    let (map, map_line) = (DashMap::with_shard_amount(4), line());
    let (set, set_line) = (DashSet::new(), line());
    let (shared, shared_line) = (DashMap::new(), line());
    shared.insert(1, 1);
    let (mut read_line, mut write_line, mut held_line, mut iter_line, mut nest_line) = (0, 0, 0, 0, 0);
    let trace = record(|| {
        // Eight writes of the key's shard, three of them inserts; four of each shard by `retain`.
        assert_eq!((map.insert("a", 1), map.insert("a", 2)), (None, Some(1)));
        *map.entry("a").or_insert(0) += 1;
        *map.entry("b").or_default() += 7;
        assert_eq!((map.remove("c"), map.remove("a")), (None, Some(("a", 3))));
        assert_eq!(map.remove_if("b", |_, value| *value == 0), None);
        map.alter("b", |_, value| value + 1);
        map.retain(|_, value| *value != 8);
        // Four of each shard by `len`, and two look-ups: one finds nothing.
        assert_eq!((map.len(), map.get("b").is_none(), map.contains_key("b")), (0, true, false));

        held_line = line() + 1;
        let mut held = map.entry("hot").insert(1);
        let sleeper = Sleeper::new();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                sleeper.blocks();
                let line = line() + 1;
                assert_eq!(*map.get("hot").unwrap(), 2);
                line
            });
            sleeper.wait();
            *held += 1;
            drop(held);
            read_line = reader.join().unwrap();
        });
        let mut entries = map.iter();
        iter_line = line() - 1;
        let entry = entries.next().unwrap();
        let sleeper = Sleeper::new();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                sleeper.blocks();
                let line = line() + 1;
                assert_eq!(map.insert("hot", 3), Some(2));
                line
            });
            sleeper.wait();
            drop((entry, entries));
            write_line = writer.join().unwrap();
        });
        let (lock, other, beside) = (Mutex::new(()), Mutex::new(()), DashMap::new());
        beside.insert(1, 1);
        nest_line = line() + 1;
        let guard = lock.lock().unwrap();
        let found = beside.get(&1);
        drop(other.lock());
        drop((found, guard));
        // Who drops a reference may be another than who took it: nothing stays held.
        let moved = set.get(&7);
        assert!(moved.is_none() && set.insert(7));
        let moved = set.get(&7);
        std::thread::scope(|scope| _ = scope.spawn(|| drop(moved)));
        assert!(set.insert(1) && !set.insert(1) && set.contains(&1));
        // Of two who read, and one who gave its reference away, it is not known who holds the shard still.
        std::thread::scope(|scope| {
            let mine = shared.get(&1);
            let given = scope.spawn(|| shared.get(&1)).join().unwrap();
            scope.spawn(|| drop(given)).join().unwrap();
            std::mem::forget(mine);
        });
        // What it holds at the end is told of whoever forgot it.
        std::mem::forget(set.get(&1));
    });

    let waits: Vec<_> = trace
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Wait { object, operation, site, end, holder, holder_site, .. } => {
                let (at, held_at) = (trace.line(*site), trace.line(*holder_site));
                Some((*object, *operation, at, *end, *holder, held_at))
            }
            _ => None,
        })
        .collect();
    let (hot, holder) = (waits[0].0, trace.thread("maps_recorded").0);
    assert!(trace.objects(Kind::DashMap, map_line).contains(&hot));
    let wait = |operation, line, held_line| (hot, operation, line, WaitEnd::Done, holder, held_line);
    let (read, write) = (Operation::Read, Operation::Write);
    assert_eq!(waits, [wait(read, read_line, held_line), wait(write, write_line, iter_line)]);
    // Both were for one key, which nobody finds by its hash.
    let keys: Vec<_> = trace
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::KeyWait { ticks, object, key, .. } => Some((*object, *key, *ticks > 0)),
            _ => None,
        })
        .collect();
    assert_eq!(keys, [(hot, keys[0].1, true); 2]);
    // An iterator reads the shards up to that of the entry.
    let [writes, reads, inserts, removes] = counts(&trace, map_line);
    assert_eq!((writes, inserts, removes), (8 + 4 + 2, 3 + 2, 2));
    assert!((4 + 2 + 1 + 1..=4 + 2 + 1 + 4).contains(&reads), "{reads}");
    assert_eq!(counts(&trace, set_line), [3, 4, 3, 0]);

    // A look-up under a lock is told, and a lock under what it found.
    let mut nested: Vec<_> = trace
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Nested { operation, site, held, .. } => {
                Some((*operation, trace.line(*site), trace.line(*held.last()?)))
            }
            _ => None,
        })
        .collect();
    nested.sort_by_key(|(_, line, _)| *line);
    let [lock, found, other] = [0, 1, 2].map(|offset| nest_line + offset);
    assert_eq!(nested, [(read, found, lock), (Operation::Lock, other, found)]);

    let held_by = |line: u32| {
        let shards = trace.objects(Kind::DashMap, line);
        let held = trace.handles().into_iter().filter(|(_, object, ..)| shards.contains(object));
        held.map(|(_, _, party, _)| party).collect::<Vec<_>>()
    };
    assert_eq!(trace.handles().len(), 2);
    assert_eq!((held_by(set_line), held_by(shared_line)), (vec![holder], vec![Party::UNKNOWN]));
}
