//! Pressure: what slows a program down without a circle, each beside a sister that is only busy.
mod story;

use lockprof_engine::findings::Finding;
use lockprof_trace::Operation::{Acquire, Lock, Write};
use lockprof_trace::memory::entry::IS_GLOBAL;
use lockprof_trace::{Event, HoldSource, Kind, Role, WaitEnd};
use story::{BEGIN, FINISH, SECOND, Story, line, only};

/// What one id has counted: uses, and time waited and held.
fn counted(story: &mut Story, object: u64, [count, wait_ticks, hold_ticks]: [u64; 3]) {
    let (contended, wait_max, hold_max, instances, live) = (0, 0, 0, 1, 1);
    story.add(Event::Counts {
        object,
        count,
        contended,
        wait_ticks,
        wait_max,
        hold_ticks,
        hold_max,
        instances,
        live,
    });
}

fn codes(story: Story) -> Vec<&'static str> {
    story.report().findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn one_shard_of_many_is_told_from_a_map_that_is_hot_all_over() {
    let codes = |waits: [u64; 8]| {
        let mut story = Story::new();
        let party = story.thread(20);
        for wait in waits {
            let shard = story.object(Kind::DashMap, 10);
            story.waited(FINISH - 1, wait, party, Write, shard, 30, WaitEnd::Done, 31);
            counted(&mut story, shard, [1_000, wait, wait]);
        }
        codes(story)
    };
    assert_eq!(codes([5 * SECOND, 1, 1, 1, 1, 1, 1, SECOND]), ["LP0031"]);
    assert_eq!(codes([SECOND; 8]), ["LP0009"], "all alike");
    assert!(codes([SECOND / 2, 1, 1, 1, 1, 1, 1, 1]).is_empty(), "not hot at all");
}

#[test]
fn a_key_that_all_want_is_told_from_keys_that_meet_in_a_shard() {
    // One shard makes most of the wait where `apart` says so; the waits for each are for so many keys.
    let told = |apart: bool, keys: u64| {
        let mut story = Story::new();
        let party = story.thread(20);
        for n in 0..8 {
            let shard = story.object(Kind::DashMap, 10);
            let wait = if n == 0 || !apart { SECOND } else { SECOND / 100 };
            story.waited(FINISH - 1, wait, party, Write, shard, 30, WaitEnd::Done, 31);
            counted(&mut story, shard, [1_000, wait, wait]);
            for key in 0..keys {
                story.add(Event::KeyWait { at: FINISH - 1, ticks: wait / keys, object: shard, key });
            }
        }
        let finding = only(story.report().findings);
        (finding.code, finding.notes.join("; "), finding.help)
    };
    let (code, notes, help) = told(true, 1);
    assert!(code == "LP0031" && notes.contains("; one key makes 93 % of the wait"), "{notes}");
    assert!(help.contains("all want one key"), "{help}");
    let (code, notes, help) = told(true, 10);
    assert!(code == "LP0031" && notes.contains("no key is known to make more than 9 % of it"), "{notes}");
    assert!(help.contains("meet in one shard"), "{help}");
    assert_eq!(told(false, 1).0, "LP0009", "each shard has a key of its own");
}

#[test]
fn a_map_of_few_shards_has_a_hot_key_all_the_same() {
    let code = |others: u64| {
        let mut story = Story::new();
        let (shard, party) = (story.object(Kind::DashMap, 10), story.thread(20));
        story.waited(FINISH - 1, 2 * SECOND, party, Write, shard, 30, WaitEnd::Done, 31);
        counted(&mut story, shard, [1_000, 2 * SECOND, 2 * SECOND]);
        for key in 0..others {
            story.add(Event::KeyWait { at: FINISH - 1, ticks: SECOND / others, object: shard, key });
        }
        story.add(Event::KeyWait { at: FINISH - 1, ticks: SECOND, object: shard, key: 99 });
        only(story.report().findings).code
    };
    assert_eq!(code(4), "LP0031");
    assert_eq!(code(1), "LP0031", "half of the wait for each of two");
}

/// A holder that is stopped by the system lets everybody wait once, for long; that is no line to change.
#[test]
fn a_holder_that_lost_its_core_makes_no_hot_lock() {
    let codes = |uses: u64| {
        let mut story = Story::new();
        let (shard, party) = (story.object(Kind::DashMap, 10), story.thread(20));
        for n in 0..28 {
            story.waited(FINISH - n, SECOND / 20, party, Write, shard, 30, WaitEnd::Done, 31);
        }
        for n in 0..64 {
            story.held(BEGIN + n, 1, party, shard, 31, HoldSource::Sampled);
        }
        story.held(FINISH - 30, SECOND / 20, party, shard, 31, HoldSource::Coarse);
        counted(&mut story, shard, [uses, 28 * SECOND / 20, SECOND]);
        codes(story)
    };
    assert!(codes(1_000_000).is_empty());
    assert_eq!(codes(10_000), ["LP0009"], "not so few of them");
}

#[test]
fn a_convoy_is_told_from_a_lock_that_is_held_all_the_time() {
    let codes = |held: u64, uses: u64| {
        let mut story = Story::new();
        let (lock, party) = (story.object(Kind::TokioMutex, 10), story.thread(20));
        let length = FINISH - BEGIN;
        // Seven stand in line all the time.
        for n in 0..2_000 {
            story.waited(BEGIN + n, 7 * length / 2_000, party, Lock, lock, 30, WaitEnd::Done, 31);
        }
        counted(&mut story, lock, [uses, 7 * length, held]);
        codes(story)
    };
    let length = FINISH - BEGIN;
    assert_eq!(codes(length / 10, 2_000), ["LP0032"]);
    assert_eq!(codes(length, 2_000), ["LP0009"], "somebody works under it at every moment");
    assert_eq!(codes(length / 10, 8_000), ["LP0009"], "most get it at once");
}

#[test]
fn a_writer_is_starved_where_neither_a_hold_nor_writers_explain_its_wait() {
    let found = |hold: u64, written: u64, reads: u64| -> Vec<Finding> {
        let mut story = Story::new();
        let (lock, reader, writer) = (story.object(Kind::RwLock, 10), story.thread(20), story.thread(21));
        story.held(FINISH - 9, hold, reader, lock + 1, 30, HoldSource::Coarse);
        story.waited(FINISH - 1, 2 * SECOND, writer, Write, lock, 31, WaitEnd::Done, 30);
        counted(&mut story, lock, [5, 2 * SECOND, written]);
        counted(&mut story, lock + 1, [reads, 0, 0]);
        let report = story.report();
        report.findings.into_iter().filter(|finding| finding.code == "LP0033").collect()
    };
    let starved = only(found(SECOND / 20, 0, 100_000));
    assert_eq!((line(&starved.at), line(&starved.objects[0].created_at)), (31, 10));
    assert!(found(SECOND, 0, 100_000).is_empty(), "one reader held it for half of that");
    assert!(found(SECOND / 20, 2 * SECOND, 100_000).is_empty(), "other writers were before it");
    assert!(found(SECOND / 20, 0, 10).is_empty(), "nobody came");
}

#[test]
fn messages_that_gather_are_told_from_a_burst_and_from_a_queue_in_use() {
    let codes = |levels: [u64; 8]| {
        let mut story = Story::new();
        let (channel, step) = (story.object(Kind::TokioUnbounded, 10), (FINISH - BEGIN) / 9);
        for (n, waiting) in levels.into_iter().enumerate() {
            story.add(Event::Backlog { at: BEGIN + step * (n as u64 + 1), object: channel, waiting });
        }
        codes(story)
    };
    assert_eq!(codes([100, 400, 800, 1_200, 1_500, 1_900, 2_400, 3_000]), ["LP0034"]);
    assert!(codes([0, 0, 0, 0, 0, 0, 2_000, 3_000]).is_empty(), "a burst in the end");
    assert!(codes([100, 2_000, 500, 1_500, 100, 3_000, 200, 2_500]).is_empty(), "it is emptied");
    assert!(codes([1_000, 3_000, 3_000, 3_000, 3_000, 3_000, 3_000, 3_000]).is_empty(), "filled ahead");
    assert!(codes([10, 20, 30, 40, 50, 60, 70, 80]).is_empty(), "too few to matter");
}

#[test]
fn a_long_poll_is_told_where_tasks_of_the_same_runtime_waited_for_it() {
    let codes = |ticks: u64, waiting: u64, kind: Kind| {
        let mut story = Story::new();
        let (task, waiter) = (story.task(20), story.task_of(kind, BEGIN, 21));
        story.add(Event::LongPoll { at: FINISH - 1, ticks, task, waiting, waiter });
        story.ends_at(task, FINISH - 1);
        story.ends_at(waiter, FINISH - 1);
        codes(story)
    };
    assert_eq!(codes(SECOND / 10, 1, Kind::Task), ["LP0035"]);
    assert!(codes(SECOND / 100, 1, Kind::Task).is_empty(), "as long as looks are apart");
    assert!(codes(SECOND / 25, 1, Kind::Task).is_empty(), "it cost nobody much");
    assert!(codes(SECOND / 10, 1, Kind::BlockingTask).is_empty(), "jobs wait for threads of their own sort");
}

#[test]
fn who_waits_for_a_permit_to_be_added_waits_for_no_holder() {
    let found = |held: u64, forgotten: bool| {
        let mut story = Story::new();
        let (worker, permits) = (story.task(20), story.object(Kind::TokioSemaphore, 10));
        for second in 1..9 {
            story.waited(
                BEGIN + second * SECOND,
                SECOND - 1,
                worker,
                Acquire,
                permits,
                30,
                WaitEnd::Done,
                30,
            );
            story.held(BEGIN + second * SECOND, held, worker, permits, 30, HoldSource::Coarse);
        }
        story.handle(worker, Role::Permit, permits, 30, 1);
        story.came(if forgotten { IS_GLOBAL } else { 0 });
        codes(story)
    };
    assert!(found(1_000, true).is_empty());
    assert!(found(SECOND, true).contains(&"LP0009"), "a pool of which one was forgotten");
    assert!(found(1_000, false).contains(&"LP0009"), "one is held all the time");
}
