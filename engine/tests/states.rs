//! What is found of maps, of a lock that guards too little, and of wait groups.
mod story;

use lockprof_engine::findings::Finding;
use lockprof_engine::findings::Verdict::{Hazard, Proved, Suspected};
use lockprof_trace::{Change, Event, HoldSource, Kind, Operation, Party, WaitEnd};
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
        story.add(Event::Growth {
            at: BEGIN + SECOND,
            ticks,
            object,
            party,
            site,
            keys: 7,
            from: 7,
            to: 14,
            entry_bytes: 16,
        });
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

#[test]
fn a_pass_over_two_versions() {
    let found = |written: u64| {
        let mut story = Story::new();
        let object = story.object(Kind::Versions, 10);
        let (party, other) = (story.thread(20), story.thread(21));
        let (site, begun) = (story.line(30), story.line(40));
        let at = BEGIN + SECOND;
        let (writer, writer_site) = if written == 0 { (Party::UNKNOWN, 0) } else { (other, begun) };
        let torn = |at| Event::TornRead {
            at,
            object,
            key: 1,
            party,
            site,
            oldest: 3,
            newest: 4,
            writer,
            writer_site,
            written,
        };
        story.add(torn(at));
        story.add(torn(at + 1));
        only(story.report().findings)
    };
    let torn = found(BEGIN + SECOND / 2);
    assert_eq!((torn.code, torn.verdict, torn.count, line(&torn.at)), ("LP0024", Proved, 2, 30));
    assert_eq!(line(&torn.places[1].at), 40);
    assert!(torn.notes[0].contains("500.0 ms after"), "{:?}", torn.notes);
    let unknown = found(0);
    assert_eq!((line(&unknown.at), unknown.places.len(), unknown.notes.len()), (30, 1, 0));
}

#[test]
fn an_add_after_the_wait_that_was_meant_for_it() {
    let found = |parent: Party, born: u64| {
        let mut story = Story::new();
        let object = story.object(Kind::WaitGroup, 10);
        let (party, class) = (Party::task(7), story.class(Kind::Task, 20));
        story.add(Event::Task { at: born, task: party, parent, class, runtime: 0 });
        let (site, waiter_site, returned) = (story.line(30), story.line(40), BEGIN + SECOND);
        let waiter = Party::thread(9);
        story.add(Event::LateAdd { at: returned + 5, object, party, site, waiter, waiter_site, returned });
        story.report().findings
    };
    let late = only(found(Party::thread(9), BEGIN));
    assert_eq!((late.code, late.verdict, late.count, line(&late.at)), ("LP0026", Suspected, 1, 30));
    let lines: Vec<u64> = late.places.iter().map(|place| line(&place.at)).collect();
    assert_eq!(lines, [30, 40, 20]);
    assert!(found(Party::thread(9), BEGIN + 2 * SECOND).is_empty(), "spawned after the wait");
    assert!(found(Party::thread(8), BEGIN).is_empty(), "spawned by another");
}

#[test]
fn a_read_lock_for_less_than_it_costs() {
    let found = |reads: u64, waits: u64, writes: u64, held: u64| {
        let mut story = Story::new();
        let lock = story.object(Kind::RwLock, 10);
        let party = story.thread(20);
        story.counts(lock, writes, 0);
        story.counts(lock + 1, reads, waits);
        for _sample in 0..9 {
            story.held(BEGIN + SECOND, held, party, lock + 1, 30, HoldSource::Sampled);
        }
        story.hazards("LP0025")
    };
    // The recording is ten seconds long.
    let needless = only(found(1_000_000, 1, 10, 40));
    assert_eq!((line(&needless.at), line(&needless.objects[0].created_at)), (30, 10));
    assert!(found(400_000, 0, 0, 40).is_empty(), "seldom read");
    assert!(found(1_000_000, 101, 0, 40).is_empty(), "writers stand in the way");
    assert!(found(1_000_000, 0, 1_001, 40).is_empty(), "written often");
    assert!(found(1_000_000, 0, 0, 4_000).is_empty(), "something is done under it");
}
