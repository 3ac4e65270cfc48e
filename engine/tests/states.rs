//! What is found of maps: states overwritten, stale reads, growth under the lock.
mod story;

use lockprof_engine::findings::Finding;
use lockprof_engine::findings::Verdict::{Hazard, Proved, Suspected};
use lockprof_trace::{Change, Event, Kind, Operation, Party, WaitEnd};
use story::{BEGIN, SECOND, Story, line, only};

/// A write from one state to another by the first of two threads, over what the second has written (or itself).
fn written(change: Change, from: &'static str, to: &'static str, by_other: bool) -> Vec<Finding> {
    let mut story = Story::new();
    let object = story.object(Kind::StateMap, 10);
    let (party, other) = (story.thread(20), story.thread(21));
    let (site, writer_site) = (story.line(30), story.line(40));
    for key in [1, 1, 2] {
        story.add(Event::StateChange {
            at: BEGIN + SECOND,
            object,
            key,
            change,
            party,
            site,
            from: from.into(),
            expected: "".into(),
            to: to.into(),
            writer: if by_other { other } else { party },
            writer_site,
            written: BEGIN + SECOND / 2,
        });
    }
    story.report().findings
}

#[test]
fn a_state_that_another_had_written() {
    let illegal = only(written(Change::Illegal, "Done", "Running", true));
    assert_eq!((illegal.code, illegal.verdict, illegal.count), ("LP0020", Proved, 3));
    assert_eq!((line(&illegal.at), line(&illegal.places[1].at)), (30, 40));
    assert!(illegal.message.contains("3 times on 2 keys"), "{}", illegal.message);
    assert!(illegal.notes[0].ends_with("500.0 ms later"), "{:?}", illegal.notes);
    let blind = only(written(Change::Blind, "Pending", "Running", true));
    assert_eq!((blind.code, blind.verdict), ("LP0020", Hazard));
    let twice = only(written(Change::Blind, "Sold", "Sold", true));
    assert_eq!((twice.code, twice.verdict), ("LP0021", Suspected));
}

#[test]
fn what_is_refused_or_ones_own_is_none() {
    for change in [Change::Stale, Change::Forbidden, Change::Absent, Change::Exists, Change::Accepted] {
        assert!(written(change, "Done", "Running", true).is_empty(), "{change}");
    }
    assert!(written(Change::Blind, "Pending", "Running", false).is_empty());
}

#[test]
fn a_read_that_missed_a_write() {
    let mut story = Story::new();
    let object = story.object(Kind::Versions, 10);
    let (party, writer) = (story.thread(20), story.thread(21));
    let (site, writer_site) = (story.line(30), story.line(40));
    let (version, latest, written) = (1, 2, BEGIN + SECOND / 2);
    let at = BEGIN + SECOND;
    story.add(Event::StaleRead {
        at,
        object,
        key: 1,
        party,
        site,
        version,
        latest,
        writer,
        writer_site,
        written,
    });
    let found = only(story.report().findings);
    assert_eq!(
        (found.code, found.verdict, line(&found.at), line(&found.places[1].at)),
        ("LP0022", Proved, 30, 40)
    );
}

#[test]
fn growth_that_others_wait_for() {
    let found = |ticks: u64, waited: u64| {
        let mut story = Story::new();
        let object = story.object(Kind::SafeMap, 10);
        let party = story.thread(20);
        let site = story.line(30);
        story.add(Event::Growth { at: BEGIN + SECOND, ticks, object, party, site, keys: 7, from: 7, to: 14 });
        story.waited(
            BEGIN + SECOND,
            waited,
            Party::thread(9),
            Operation::Write,
            object,
            31,
            WaitEnd::Done,
            0,
        );
        story.hazards("LP0023")
    };
    let long = SECOND / 100;
    let told = only(found(long, long));
    assert_eq!((line(&told.at), line(&told.objects[0].created_at)), (30, 10));
    assert!(found(long, long / 2).is_empty() && found(1_000, long).is_empty());
}
