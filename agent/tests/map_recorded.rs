//! `SafeMap` and `Watcher`: what a recording says of them.
#![cfg(all(target_os = "linux", feature = "record"))]
mod recording;

use lockprof::map::SafeMap;
use lockprof::watch::Watcher;
use lockprof_trace::{Event, Kind, Operation, Role, WaitEnd};
use recording::{Sleeper, line, record};

#[test]
fn maps_and_watchers_are_recorded() {
    let (map, map_line) = (SafeMap::new(), line());
    let (mut read_line, mut watched) = (0, 0);
    let mut kept = vec![];
    let trace = record(|| {
        // Six writes: two inserts, an update, a remove that finds nothing, one that does, and the guard.
        map.insert("a", 1);
        map.insert("a", 2);
        assert_eq!(map.update("a", |value| *value + 1), Some(3));
        assert_eq!((map.remove("b"), map.remove("a")), (None, Some(2)));
        let mut guard = map.write();
        guard.insert("c", 4);
        let sleeper = Sleeper::new();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                sleeper.blocks();
                let line = line() + 1;
                assert_eq!(map.get("c"), Some(4));
                line
            });
            sleeper.wait();
            drop(guard);
            read_line = reader.join().unwrap();
        });
        // One more read, and no write.
        assert_eq!(map.get_or_insert_with("c", || unreachable!()), 4);

        watched = line() + 2;
        for delivered in 0..3 {
            let watcher = Watcher::new("config");
            (0..delivered).for_each(|_| watcher.deliver());
            if delivered == 1 { watcher.release() } else { kept.push(watcher) }
        }
    });

    let id = trace.object(Kind::SafeMap, map_line);
    let counts: Vec<_> = (0..4).map(|count| trace.counts(id + count)).collect();
    assert_eq!(counts, [(6, 0), (2, 1), (3, 0), (1, 0)]);
    let waits = trace.waits(Operation::Read);
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert_eq!((waits[0].object, waits[0].line, waits[0].end), (id, read_line, Some(WaitEnd::Done)));

    let class = trace.class(Kind::Watcher, watched);
    let (mut registered, mut released, mut names) = (0, vec![], vec![]);
    for event in trace.events() {
        match event {
            Event::Watcher { site, .. } if trace.line(*site) == watched => registered += 1,
            Event::WatcherEnd { delivered, .. } => released.push(*delivered),
            Event::Name { name, .. } => names.push(name.as_ref()),
            _ => {}
        }
    }
    assert_eq!((registered, released, names), (3, vec![1], vec!["config"]));
    let mut delivered: Vec<_> = trace
        .handles()
        .into_iter()
        .filter(|(role, ..)| *role == Role::Watcher)
        .map(|(.., count)| count)
        .collect();
    delivered.sort();
    assert_eq!(delivered, [0, 2]);
    assert!(kept.iter().map(Watcher::delivered).eq([0, 2]));
    assert_ne!(class, 0);
}
