//! Growth of a map under its lock, snapshots, and stale reads: what a recording says of them.
#![cfg(all(target_os = "linux", feature = "record"))]
mod recording;

use lockprof::map::{SafeMap, SnapshotMap, Versions};
use lockprof_trace::{Event, Kind, Operation, WaitEnd};
use recording::{Sleeper, line, record};

#[test]
fn snapshots_recorded() {
    let (grown, grown_line) = (SafeMap::new(), line());
    let (config, config_line) = (SnapshotMap::new(), line());
    let (versions, versions_line) = (Versions::new(), line());
    let (mut insert_line, mut reserve_line, mut update_line) = (0, 0, 0);
    let (mut write_line, mut read_line) = (0, 0);
    let mut rooms = vec![];
    let trace = record(|| {
        for key in 0..1000 {
            let room = grown.capacity();
            insert_line = line() + 1;
            grown.insert(key, key);
            if grown.capacity() != room && key >= 64 {
                rooms.push((insert_line, key, room as u64, grown.capacity() as u64));
            }
        }
        let room = grown.capacity();
        reserve_line = line() + 1;
        grown.reserve(10_000);
        rooms.push((reserve_line, 1000, room as u64, grown.capacity() as u64));

        // Reads wait for nobody, writers for each other.
        config.insert("a", 1);
        let sleeper = Sleeper::new();
        std::thread::scope(|scope| {
            let mut other = None;
            config.update(|map| {
                map.insert("b", 2);
                assert_eq!((config.get("a"), config.get("b")), (Some(1), None));
                let (config, sleeper) = (&config, &sleeper);
                other = Some(scope.spawn(move || {
                    sleeper.blocks();
                    let line = line() + 1;
                    config.update(|map| map.insert("c", 3));
                    line
                }));
                sleeper.wait();
            });
            update_line = other.unwrap().join().unwrap();
        });
        assert_eq!((config.load().len(), config.remove("a"), config.remove("z")), (3, Some(1), None));

        write_line = line() + 1;
        let write = versions.write(&7);
        write.complete();
        read_line = line() + 1;
        let read = versions.read(&7);
        assert!(read.is_stale(0) && !read.is_stale(1));
    });

    let map = trace.object(Kind::SafeMap, grown_line);
    let told: Vec<_> = trace
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Growth { at, ticks, object, party, site, keys, from, to, entry_bytes }
                if *object == map =>
            {
                assert!(ticks < at && party.is_thread());
                assert_eq!(*entry_bytes, size_of::<(u64, u64)>() as u64);
                Some((trace.line(*site), *keys, *from, *to))
            }
            _ => None,
        })
        .collect();
    assert!(told.len() > 3 && told == rooms, "{told:?}");
    assert_eq!(trace.counts(map + 2).0, 1000);

    let map = trace.object(Kind::SnapshotMap, config_line);
    let counts: Vec<_> = (0..4).map(|count| trace.counts(map + count)).collect();
    assert_eq!(counts, [(5, 1), (3, 0), (1, 0), (1, 0)]);
    let waits = trace.waits(Operation::Write);
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert_eq!((waits[0].object, waits[0].line, waits[0].end), (map, update_line, Some(WaitEnd::Done)));

    let stale: Vec<_> = trace
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::StaleRead {
                at,
                object,
                party,
                site,
                version,
                latest,
                writer,
                writer_site,
                written,
                ..
            } => {
                assert!(written <= at && party == writer && party.is_thread());
                Some((*object, trace.line(*site), *version, *latest, trace.line(*writer_site)))
            }
            _ => None,
        })
        .collect();
    assert_eq!(stale, [(trace.object(Kind::Versions, versions_line), read_line, 0, 1, write_line)]);
}
