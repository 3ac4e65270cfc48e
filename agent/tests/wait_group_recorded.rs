//! Wait groups: the wait is recorded, and an add after it by whom it should have waited for; and passes that are torn.
#![cfg(all(target_os = "linux", feature = "record"))]
mod recording;

use lockprof::map::Versions;
use lockprof::wait_group::WaitGroup;
use lockprof_trace::{Event, Kind, Operation, WaitEnd};
use recording::{Sleeper, line, record};

#[test]
fn wait_group_recorded() {
    let (group, group_line) = (WaitGroup::new(), line());
    let (versions, versions_line) = (Versions::new(), line());
    let (mut empty_line, mut wait_line, mut late_line) = (0, 0, 0);
    let (mut write_line, mut pass_line) = (0, 0);
    let trace = record(|| {
        group.add(1);
        let sleeper = Sleeper::new();
        std::thread::scope(|scope| {
            let (group, sleeper) = (&group, &sleeper);
            let waiter = scope.spawn(move || {
                sleeper.blocks();
                let line = line() + 1;
                group.wait();
                // Its own next round.
                group.add(1);
                group.done();
                line
            });
            sleeper.wait();
            group.done();
            wait_line = waiter.join().unwrap();
        });
        empty_line = line() + 1;
        group.wait();
        std::thread::scope(|scope| {
            let late = scope.spawn(|| {
                let line = line() + 1;
                group.add(1);
                group.add(1);
                group.done();
                group.done();
                line
            });
            late_line = late.join().unwrap();
        });
        group.done();

        write_line = line() + 1;
        let write = versions.write(&7);
        pass_line = line() + 1;
        let read = versions.read(&7);
        assert!(read.is_torn([1, 0, 1]) && !read.is_torn([1, 1]) && !read.is_torn([]));
        write.complete();
        let newer = versions.write(&7);
        assert!(read.is_torn([0, 1]));
        newer.complete();
    });
    assert_eq!(format!("{group:?}"), "WaitGroup { working: 0 }");

    let object = trace.object(Kind::WaitGroup, group_line);
    assert_eq!(trace.counts(object).0, 2);
    let waits = trace.waits(Operation::CondvarWait);
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert_eq!((waits[0].object, waits[0].line, waits[0].end), (object, wait_line, Some(WaitEnd::Done)));
    let late = trace.events().iter().filter_map(|event| match event {
        Event::LateAdd { at, object, party, site, waiter, waiter_site, returned } => {
            assert!(returned < at && party != waiter);
            Some((*object, trace.line(*site), trace.line(*waiter_site)))
        }
        _ => None,
    });
    assert_eq!(late.collect::<Vec<_>>(), [(object, late_line, empty_line)]);

    let torn = trace.events().iter().filter_map(|event| match event {
        Event::TornRead { at, object, party, site, oldest, newest, writer, writer_site, written, .. } => {
            assert!(written <= at && (writer == party) == (*writer_site != 0));
            Some((*object, trace.line(*site), *oldest, *newest, trace.line(*writer_site)))
        }
        _ => None,
    });
    let object = trace.object(Kind::Versions, versions_line);
    let line_of = |writer_line| (object, pass_line, 0, 1, writer_line);
    assert_eq!(torn.collect::<Vec<_>>(), [line_of(write_line), line_of(0)]);
}
