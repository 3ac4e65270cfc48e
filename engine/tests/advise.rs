//! What is advised, rule by rule, each beside what is best kept.
mod story;

use lockprof_engine::advise::{Advice, advise, text};
use lockprof_trace::Operation::{Lock, Read, Recv, Send, Write};
use lockprof_trace::{Event, HoldSource, Kind, Operation, Party, Role, WaitEnd};
use story::{BEGIN, FINISH, SECOND, Story, line, only};

const MS: u64 = SECOND / 1_000;

fn counts(story: &mut Story, id: u64, count: u64, contended: u64) {
    let event = Event::Counts {
        object: id,
        count,
        contended,
        wait_ticks: 0,
        wait_max: 0,
        hold_ticks: 0,
        hold_max: 0,
        instances: 1,
        live: 1,
    };
    story.add(event);
}

/// Waits of ten threads, `ticks` each, at line 30, for what is held from line 40.
fn waits(story: &mut Story, object: u64, operation: Operation, ticks: u64) {
    for number in 0..10 {
        let at = BEGIN + SECOND + number * MS;
        story.waited(at, ticks, Party::thread(100 + number), operation, object, 30, WaitEnd::Done, 40);
    }
}

/// The one advice that a story gets.
fn advised(story: Story) -> Advice {
    let report = story.report();
    let advice = only(advise(&report));
    assert_eq!(line(&advice.created_at), 10);
    advice
}

#[test]
fn names_from_the_trace_do_not_harm_the_terminal() {
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    // Of a lock that is held still its lines are told.
    let holder = story.thread(20);
    counts(&mut story, lock, 20, 10);
    waits(&mut story, lock, Lock, 80 * MS);
    story.holds(holder, lock, 40);
    for line in [10, 30, 40] {
        let file = "\u{1b}]0;title\u{7}.rs".into();
        story.add(Event::Site { site: 0x1000 + line, file, line, column: 1 });
    }
    let text = text(&advise(&story.report()));
    assert!(text.contains("\u{fffd}]0;title\u{fffd}.rs:10") && text.contains(".rs:30"), "{text}");
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}

#[test]
fn what_nobody_waits_for_is_kept() {
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    counts(&mut story, lock, 1_000_000, 10);
    waits(&mut story, lock, Lock, MS);
    let advice = advised(story);
    assert_eq!((advice.rule, advice.saves_ns), ("keep", 0));
    assert_eq!(text(&[advice]), "keep: 1 object, for which next to nobody waits\n");
    // One use in ten thousand waits, as of a holder that lost its core.
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    counts(&mut story, lock, 100_000, 10);
    waits(&mut story, lock, Lock, 20 * MS);
    assert_eq!(advised(story).rule, "keep");
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    counts(&mut story, lock, 1_000, 10);
    waits(&mut story, lock, Lock, 20 * MS);
    assert_ne!(advised(story).rule, "keep");
}

#[test]
fn what_is_used_wrongly_is_told_first_though_nobody_waits_for_it() {
    let mut story = Story::new();
    let hot = story.object(Kind::SafeMap, 11);
    counts(&mut story, hot, 10_000, 4_000);
    waits(&mut story, hot, Write, 80 * MS);
    // A read lock around less than it costs.
    let (lock, party) = (story.object(Kind::RwLock, 10), story.thread(20));
    counts(&mut story, lock, 3, 0);
    counts(&mut story, lock + 1, 1_000_000, 0);
    (0..9).for_each(|_| story.held(BEGIN + SECOND, 40, party, lock + 1, 32, HoldSource::Sampled));
    let all = advise(&story.report());
    let rules: Vec<_> = all.iter().map(|advice| (advice.rule, line(&advice.created_at))).collect();
    assert_eq!(rules, [("fault", 10), ("shard", 11)]);
    assert!(all[0].advice.contains("ArcSwap") && all[0].expects.contains("LP0025"), "{:?}", all[0]);
}

#[test]
fn a_long_call_under_a_lock_is_to_be_shortened() {
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    counts(&mut story, lock, 1_000, 10);
    waits(&mut story, lock, Lock, 200 * MS);
    let holder = story.thread(20);
    for hold in 1..=4 {
        story.held(BEGIN + hold * SECOND, SECOND / 2, holder, lock, 40, HoldSource::Coarse);
    }
    let advice = advised(story);
    assert_eq!((advice.rule, advice.saves_ns), ("shorten", 2 * SECOND));
    assert!(advice.advice.contains("shop.rs:40"), "{advice:?}");
}

#[test]
fn a_map_that_is_read_is_to_be_published() {
    let of = |reads: u64, writes: u64| {
        let mut story = Story::new();
        let map = story.object(Kind::SafeMap, 10);
        counts(&mut story, map, writes, 5);
        counts(&mut story, map + 1, reads, 1_000);
        waits(&mut story, map, Read, 100 * MS);
        advised(story)
    };
    let advice = of(10_000, 20);
    assert_eq!((advice.rule, advice.saves_ns), ("snapshot", SECOND));
    assert!(advice.advice.contains("SnapshotMap"), "{advice:?}");
    assert_eq!(of(10_000, 5_000).rule, "shard");
    // Twenty copies in ten seconds, of a gigabyte each.
    let mut story = Story::new();
    let map = story.object(Kind::SafeMap, 10);
    counts(&mut story, map, 20, 5);
    counts(&mut story, map + 1, 10_000, 1_000);
    waits(&mut story, map, Read, 100 * MS);
    let (party, site) = (Party::thread(100), 0);
    let (keys, from, to, entry_bytes) = (500_000, 500_000, 1_000_000, 1_000);
    story.add(Event::Growth {
        at: BEGIN + SECOND,
        ticks: 1,
        object: map,
        party,
        site,
        keys,
        from,
        to,
        entry_bytes,
    });
    assert_eq!(advised(story).rule, "shard");
}

#[test]
fn short_holds_that_many_wait_for_are_to_be_divided() {
    let mut story = Story::new();
    let map = story.object(Kind::SafeMap, 10);
    counts(&mut story, map, 10_000, 4_000);
    waits(&mut story, map, Write, 80 * MS);
    let advice = advised(story);
    assert_eq!((advice.rule, advice.saves_ns), ("shard", 700 * MS));
}

#[test]
fn one_shard_that_all_want_is_not_to_be_divided_further() {
    let of = |waits: [u64; 8]| {
        let mut story = Story::new();
        for wait in waits {
            let shard = story.object(Kind::DashMap, 10);
            story.add(Event::Counts {
                object: shard,
                count: 1_000,
                contended: 500,
                wait_ticks: wait,
                wait_max: 0,
                hold_ticks: 0,
                hold_max: 0,
                instances: 1,
                live: 1,
            });
            story.waited(FINISH - 1, wait, Party::thread(100), Write, shard, 30, WaitEnd::Done, 31);
        }
        advised(story)
    };
    let advice = of([5 * SECOND, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(advice.rule, "skew");
    assert!(advice.evidence.iter().any(|line| line.contains("one of the 8")), "{advice:?}");
    assert_ne!(of([SECOND; 8]).rule, "skew");
}

#[test]
fn channels() {
    let mut story = Story::new();
    let channel = story.object(Kind::TokioChannel, 10);
    counts(&mut story, channel, 10_000, 4_000);
    waits(&mut story, channel, Send, 80 * MS);
    assert_eq!(advised(story).rule, "receivers");
    // Whoever waits for messages is idle.
    let mut story = Story::new();
    let channel = story.object(Kind::TokioChannel, 10);
    counts(&mut story, channel, 10, 4);
    waits(&mut story, channel, Recv, 80 * MS);
    assert_eq!(advised(story).rule, "keep");
    let mut story = Story::new();
    let channel = story.object(Kind::TokioUnbounded, 10);
    counts(&mut story, channel, 50_000, 0);
    counts(&mut story, channel + 1, 10_000, 0);
    assert_eq!(advised(story).rule, "bounded");
    // Blocked for good: the receiver has ended, and somebody keeps its end.
    let mut story = Story::new();
    let channel = story.object(Kind::TokioChannel, 10);
    let (sender, receiver) = (story.task(20), story.task(21));
    story.handle(receiver, Role::Receiver, channel, 10, 4);
    story.handle(sender, Role::Sender, channel, 10, 4);
    story.ends(receiver);
    story.waits(sender, Send, channel, 31);
    let advice = advised(story);
    assert_eq!((advice.rule, advice.saves_ns), ("time-limit", 8 * SECOND));
    assert!(advice.advice.contains("shop.rs:31"), "{advice:?}");
}

#[test]
fn what_saves_most_comes_first_and_what_is_kept_last() {
    let mut story = Story::new();
    for (at, ticks) in [(10, MS), (11, 80 * MS), (12, 800 * MS)] {
        let map = story.object(Kind::SafeMap, at);
        counts(&mut story, map, 10_000, 4_000);
        waits(&mut story, map, Write, ticks);
    }
    let all = advise(&story.report());
    let lines: Vec<u64> = all.iter().map(|advice| line(&advice.created_at)).collect();
    assert_eq!((lines, all[2].rule), (vec![12, 11, 10], "keep"));
    let text = text(&all);
    assert_eq!(text.matches("advise[shard]").count(), 2);
    assert!(
        text.contains("keep: 1 object") && text.ends_with("lockprof diff before.bin after.bin\n"),
        "{text}"
    );
}

#[test]
fn what_is_blocked_for_good_is_to_be_mended_first() {
    let mut story = Story::new();
    let (one, other) = (story.object(Kind::Mutex, 10), story.object(Kind::Mutex, 11));
    let (clerk, packer) = (story.thread(20), story.thread(21));
    [one, other].into_iter().for_each(|lock| counts(&mut story, lock, 2, 1));
    story.holds(clerk, one, 30);
    story.waits(clerk, Lock, other, 31);
    story.holds(packer, other, 40);
    story.waits(packer, Lock, one, 41);
    // A lock that is only waited for much.
    let hot = story.object(Kind::Mutex, 12);
    counts(&mut story, hot, 10_000, 4_000);
    waits(&mut story, hot, Lock, 80 * MS);
    let all = advise(&story.report());
    let mut rules: Vec<_> = all.iter().map(|advice| (advice.rule, line(&advice.created_at))).collect();
    rules.sort_unstable();
    assert_eq!(rules, [("fault", 10), ("fault", 11), ("shard", 12)]);
    for advice in &all[..2] {
        assert!(advice.advice.starts_with("fix LP0001 first: take the locks in one order"), "{advice:?}");
        assert!(advice.evidence[0].contains("wait for each other") && advice.saves_ns > 0, "{advice:?}");
    }
}

#[test]
fn a_lock_that_is_held_still_is_not_held_shortly() {
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    let holder = story.thread(20);
    counts(&mut story, lock, 20, 10);
    waits(&mut story, lock, Lock, 80 * MS);
    story.holds(holder, lock, 40);
    let advice = advised(story);
    assert_eq!(advice.rule, "look");
    assert!(advice.evidence[1].contains("shop.rs:40:5 (10.00 s)"), "{advice:?}");
}

#[test]
fn of_several_processes_each_is_measured_by_its_own_time() {
    let mut story = Story::new();
    let lock = story.object(Kind::RwLock, 10);
    counts(&mut story, lock, 10, 5);
    counts(&mut story, lock + 1, 10_000, 500);
    waits(&mut story, lock, Read, 100 * MS);
    let mut report = story.report();
    let alone = advise(&report);
    assert_eq!(alone[0].rule, "snapshot");
    // Another process was recorded for longer.
    let mut other = report.processes[0].clone();
    other.duration_ns *= 50;
    report.duration_ns = other.duration_ns;
    report.processes.push(other);
    assert_eq!(only(advise(&report)).evidence, alone[0].evidence);
}
