//! `StateMap`: what is refused, illegal or blind is recorded with both parties, and what is as it should be is not.
#![cfg(all(target_os = "linux", feature = "record"))]
mod recording;

use lockprof::map::{Refused, StateMap};
use lockprof_trace::{Change, Event, Kind, Party};
use recording::{line, record};

#[derive(Clone, Debug, PartialEq)]
enum Job {
    Pending,
    Running { worker: &'static str },
    Done,
}
use Job::{Done, Pending, Running};

const SECRET: &str = "s3cr3t";

fn on_a_thread<R: Send>(name: &str, act: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        std::thread::Builder::new().name(name.into()).spawn_scoped(scope, act).unwrap().join().unwrap()
    })
}

#[test]
fn states_recorded() {
    let forward =
        |from: &Job, to: &Job| matches!((from, to), (Pending, Running { .. }) | (Running { .. }, Done));
    let (jobs, map_line) = (StateMap::with_rule(forward), line());
    let early_line = line() + 1;
    assert_eq!(jobs.insert("early", Pending), Ok(()));
    let (mut insert_line, mut first, mut second) = (0, 0, 0);
    let trace = record(|| {
        insert_line = line() + 1;
        assert_eq!(jobs.insert("mail", Pending), Ok(()));
        on_a_thread("first", || {
            first = line() + 1;
            assert_eq!(jobs.compare_and_set("mail", &Pending, Running { worker: SECRET }), Ok(()));
        });
        on_a_thread("second", || {
            second = line();
            let refused = jobs.compare_and_set("mail", &Pending, Running { worker: "b" });
            assert_eq!(refused, Err(Refused::Other(Running { worker: SECRET })));
            assert_eq!(jobs.insert("mail", Pending), Err(Refused::Other(Running { worker: SECRET })));
            assert_eq!(jobs.set("mail", Done), Some(Running { worker: SECRET }));
            assert_eq!(jobs.set("mail", Pending), Some(Done));
            assert_eq!(jobs.compare_and_set("mail", &Pending, Done), Err(Refused::Illegal));
            assert_eq!(jobs.compare_and_set("gone", &Pending, Done), Err(Refused::Absent));
            assert_eq!((jobs.set("new", Done), jobs.set("early", Done)), (None, Some(Pending)));
        });
    });

    let map = trace.object(Kind::StateMap, map_line);
    let mut told = vec![];
    let mut keys = vec![];
    let mut latest = 0;
    for event in trace.events() {
        if let Event::StateChange {
            at,
            object,
            key,
            change,
            party,
            site,
            from,
            expected,
            to,
            writer,
            writer_site,
            written,
        } = event
        {
            assert_eq!((*object, *party), (map, trace.thread("second").0));
            assert!(latest <= *at && written <= at && (*written == 0) == (*writer == Party::UNKNOWN));
            latest = *at;
            let states = [from, expected, to].map(|state| state.as_ref());
            told.push((*change, trace.line(*site) - second, states, *writer, trace.line(*writer_site)));
            keys.push(*key);
        }
    }
    let (by_first, by_second) = (trace.thread("first").0, trace.thread("second").0);
    assert_eq!(
        told,
        [
            (Change::Stale, 1, ["Running", "Pending", "Running"], by_first, first),
            (Change::Exists, 3, ["Running", "", "Pending"], by_first, first),
            (Change::Blind, 4, ["Running", "", "Done"], by_first, first),
            (Change::Illegal, 5, ["Done", "", "Pending"], by_second, second + 4),
            (Change::Forbidden, 6, ["Pending", "Pending", "Done"], by_second, second + 5),
            (Change::Absent, 7, ["", "Pending", "Done"], Party::UNKNOWN, 0),
            (Change::Illegal, 8, ["Pending", "", "Done"], Party::UNKNOWN, early_line),
        ]
    );
    assert!(keys[..5].iter().all(|key| *key == keys[0]) && keys[5] != keys[0] && keys[6] != keys[5]);
    // Ten writes, of which five put a key in, or its state over another; no reads.
    let counts: Vec<_> = (0..4).map(|count| trace.counts(map + count)).collect();
    assert_eq!(counts, [(10, 0), (0, 0), (5, 0), (0, 0)]);
    assert!(insert_line > 0 && !format!("{:?}", trace.events()).contains(SECRET));
}
