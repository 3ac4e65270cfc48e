//! Hazards: what did not bite in this run. Each situation stands beside the one that can never bite.
mod story;

use lockprof_engine::findings::Finding;
use lockprof_trace::Operation::{Await, CondvarWait, Join, Lock, Read, Recv, Send, Write};
use lockprof_trace::{HoldSource, Kind, Party, WaitEnd};
use story::{BEGIN, SECOND, Story, line, only};

/// Two locks taken in both orders, each under `gates`, by parties that `live` makes.
fn inversion(gates: [&[(u64, u64)]; 2], live: impl FnOnce(&mut Story) -> [Party; 2]) -> Vec<Finding> {
    let mut story = Story::new();
    let (one, other) = (story.object(Kind::Mutex, 10), story.object(Kind::StdMutex, 11));
    let [a, b] = live(&mut story);
    let under = |gate: &[(u64, u64)], held: (u64, u64)| [gate, &[held]].concat();
    story.nested(a, Lock, (other, 31), &under(gates[0], (one, 30)));
    story.nested(b, Lock, (one, 41), &under(gates[1], (other, 40)));
    story.hazards("LP0010")
}

fn together(story: &mut Story) -> [Party; 2] {
    [story.thread(20), story.thread(21)]
}

#[test]
fn two_orders_that_did_not_meet() {
    let found = only(inversion([&[], &[]], together));
    let mut lines: Vec<u64> = found.places.iter().map(|place| line(&place.at)).collect();
    lines.sort_unstable();
    assert_eq!((lines, found.count), (vec![30, 31, 40, 41], 1));
    let created: Vec<u64> = found.objects.iter().map(|object| line(&object.created_at)).collect();
    assert_eq!(created, [10, 11]);
}

#[test]
fn a_gate_keeps_them_apart() {
    // Read locks are no gate.
    let with = |held: [u64; 2]| {
        let mut story = Story::new();
        let gate = story.object(Kind::RwLock, 12);
        let (one, other) = (story.object(Kind::Mutex, 10), story.object(Kind::Mutex, 11));
        let (a, b) = (story.thread(20), story.thread(21));
        story.nested(a, Lock, (other, 31), &[(gate + held[0], 29), (one, 30)]);
        story.nested(b, Lock, (one, 41), &[(gate + held[1], 39), (other, 40)]);
        story.hazards("LP0010").len()
    };
    assert_eq!([with([0, 0]), with([0, 1]), with([1, 1])], [0, 0, 1]);
}

#[test]
fn parties_that_never_lived_together() {
    let stages = inversion([&[], &[]], |story| {
        let first = story.thread_at(BEGIN, 20);
        story.ends_at(first, BEGIN + SECOND);
        [first, story.thread_at(BEGIN + 2 * SECOND, 21)]
    });
    assert!(stages.is_empty());
    let alone = inversion([&[], &[]], |story| {
        let thread = story.thread(20);
        [thread, thread]
    });
    assert!(alone.is_empty());
}

#[test]
fn a_circle_of_three_and_one_that_only_reads() {
    let circle = |kind: Kind, offset: u64, operation| {
        let mut story = Story::new();
        let locks = [10, 11, 12].map(|line| story.object(kind, line));
        for at in 0..3 {
            let party = story.thread(20 + at as u64);
            let lines = (30 + at as u64 * 2, 31 + at as u64 * 2);
            let inner = (locks[(at + 1) % 3] + offset, lines.1);
            story.nested(party, operation, inner, &[(locks[at] + offset, lines.0)]);
        }
        story.hazards("LP0010").len()
    };
    assert_eq!((circle(Kind::Mutex, 0, Lock), circle(Kind::RwLock, 1, Read)), (1, 0));
}

#[test]
fn an_inversion_that_bit_is_told_once() {
    let mut story = Story::new();
    let (one, other) = (story.object(Kind::Mutex, 10), story.object(Kind::Mutex, 11));
    let (a, b) = (story.thread(20), story.thread(21));
    story.nested(a, Lock, (other, 31), &[(one, 30)]);
    story.nested(b, Lock, (one, 41), &[(other, 40)]);
    story.holds(a, one, 30);
    story.holds(b, other, 40);
    story.waits(a, Lock, other, 31);
    story.waits(b, Lock, one, 41);
    assert!(story.hazards("LP0010").is_empty());
}

#[test]
fn guards_across_an_await() {
    let found = |kind: Kind| {
        let mut story = Story::new();
        let (lock, task) = (story.object(kind, 10), story.task(20));
        story.nested(task, Await, (0, 0), &[(lock, 30)]);
        story.hazards("LP0011")
    };
    assert_eq!(line(&only(found(Kind::Mutex)).at), 30);
    assert!(found(Kind::TokioMutex).is_empty());
}

#[test]
fn who_blocks_a_worker() {
    let found = |kind: Kind, party: fn(&mut Story) -> Party, ticks| {
        let mut story = Story::new();
        let (object, party) = (story.object(kind, 10), party(&mut story));
        story.waited(BEGIN + SECOND, ticks, party, Recv, object, 30, WaitEnd::Done, 0);
        story.hazards("LP0012").len()
    };
    let task: fn(&mut Story) -> Party = |story| story.task(20);
    let job: fn(&mut Story) -> Party = |story| story.task_of(Kind::BlockingTask, BEGIN, 20);
    let thread: fn(&mut Story) -> Party = |story| story.thread(20);
    let long = SECOND / 10;
    assert_eq!(found(Kind::StdChannel, task, long), 1);
    assert_eq!(found(Kind::StdChannel, task, 1_000), 0);
    assert_eq!(found(Kind::StdChannel, job, long), 0);
    assert_eq!(found(Kind::StdChannel, thread, long), 0);
    assert_eq!(found(Kind::TokioChannel, task, long), 0);
}

#[test]
fn what_is_held_already() {
    let found_of = |kind, operation, inner: u64, outer: u64, writes: u64| {
        let mut story = Story::new();
        let (lock, thread) = (story.object(kind, 10), story.thread(20));
        story.counts(lock, writes, 0);
        story.nested(thread, operation, (lock + inner, 31), &[(lock + outer, 30)]);
        story.hazards("LP0013")
    };
    let found = |operation, inner, outer, writes| found_of(Kind::RwLock, operation, inner, outer, writes);
    assert_eq!(line(&only(found(Write, 0, 0, 1)).at), 31);
    assert_eq!(line(&only(found(Read, 1, 1, 1)).at), 31);
    // Nobody ever writes; or a reader does not stand behind writers.
    assert!(found(Read, 1, 1, 0).is_empty());
    assert!(found_of(Kind::DashMap, Read, 1, 1, 1).is_empty());
    assert_eq!(line(&only(found_of(Kind::DashMap, Write, 0, 1, 1)).at), 31);
}

#[test]
fn a_future_that_another_one_of_its_task_lets_in_does_not_wait_for_itself() {
    let found = |kind: Kind, operation, end: WaitEnd| {
        let mut story = Story::new();
        let (lock, task) = (story.object(kind, 10), story.task(20));
        let counted = lock + u64::from(operation == Read);
        story.counts(lock, 9, 0);
        story.nested(task, operation, (counted, 31), &[(counted, 30)]);
        story.waited(BEGIN + SECOND, SECOND / 10, task, operation, counted, 31, end, 30);
        story.hazards("LP0013").len()
    };
    assert_eq!(found(Kind::TokioMutex, Lock, WaitEnd::Done), 0);
    assert_eq!(found(Kind::TokioMutex, Lock, WaitEnd::Cancelled), 1, "it waited in vain");
    assert_eq!(found(Kind::Mutex, Lock, WaitEnd::Done), 1, "after a try that failed");
    assert_eq!(
        found(Kind::TokioRwLock, Read, WaitEnd::Done),
        0,
        "behind a writer that was behind the first read"
    );
    assert_eq!(found(Kind::TokioRwLock, Read, WaitEnd::Cancelled), 1);
}

#[test]
fn waits_under_a_lock() {
    let found = |operation, kind: Kind, ticks| {
        let mut story = Story::new();
        let (lock, channel) = (story.object(kind, 10), story.object(Kind::StdChannel, 11));
        let thread = story.thread(20);
        story.nested(thread, operation, (channel, 31), &[(lock, 30)]);
        story.waited(BEGIN + SECOND, ticks, thread, operation, channel, 31, WaitEnd::Done, 0);
        story.hazards("LP0014")
    };
    let told = only(found(Send, Kind::Mutex, SECOND / 10));
    assert_eq!((line(&told.at), line(&told.objects[0].created_at)), (31, 10));
    assert!(found(Send, Kind::Mutex, 1_000).is_empty());
    // A permit keeps nobody from what ends the wait.
    assert!(found(Send, Kind::TokioSemaphore, SECOND / 10).is_empty());
    assert!(found(Lock, Kind::Mutex, SECOND / 10).is_empty());
    assert_eq!(found(CondvarWait, Kind::Mutex, SECOND / 10).len(), 1);
    assert_eq!(found(Join, Kind::Mutex, SECOND / 10).len(), 1);
}

/// Who alone takes a lock to receive under it keeps nobody from sending.
#[test]
fn a_receiver_behind_a_lock_of_its_own() {
    let found = |other: bool| {
        let mut story = Story::new();
        let (lock, channel) = (story.object(Kind::StdMutex, 10), story.object(Kind::StdChannel, 11));
        let (one, two) = (story.thread(20), story.thread(21));
        story.nested(one, Recv, (channel + 1, 31), &[(lock, 30)]);
        story.waited(BEGIN + 2 * SECOND, SECOND, one, Recv, channel + 1, 31, WaitEnd::Done, 0);
        story.held(BEGIN + 2 * SECOND, SECOND, one, lock, 30, HoldSource::Coarse);
        if other {
            story.held(BEGIN + 2 * SECOND, 100, two, lock, 40, HoldSource::Sampled);
        }
        story.hazards("LP0014").len()
    };
    assert_eq!((found(false), found(true)), (0, 1));
}

/// Workers that share a receiver wait for work, whether in it or for the lock before it.
#[test]
fn workers_that_take_turns_at_a_receiver_wait_for_no_lock() {
    let codes = |held: u64, wanted_at: u64| {
        let mut story = Story::new();
        let (lock, channel) = (story.object(Kind::StdMutex, 10), story.object(Kind::StdChannel, 11));
        let (one, other) = (story.thread(20), story.thread(20));
        story.counts(lock, 100, 50);
        story.nested(one, Recv, (channel + 1, 31), &[(lock, 30)]);
        story.waited(BEGIN + 3 * SECOND, 2 * SECOND, one, Recv, channel + 1, 31, WaitEnd::Done, 0);
        story.held(BEGIN + 3 * SECOND, held, one, lock, 30, HoldSource::Coarse);
        story.waited(BEGIN + 3 * SECOND, held, other, Lock, lock, wanted_at, WaitEnd::Done, 30);
        story.report().findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert!(codes(2 * SECOND, 30).is_empty());
    assert_eq!(codes(3 * SECOND, 30), ["LP0008", "LP0009"], "a third of the time is worked under the lock");
    assert_eq!(codes(2 * SECOND, 40), ["LP0008", "LP0009"], "somebody wants the lock for something else");
}

#[test]
fn a_holder_that_lost_its_core_made_no_long_call() {
    let found = |holds: u64, kind: Kind| {
        let mut story = Story::new();
        let (lock, party, long) = (story.object(kind, 10), story.thread(20), SECOND / 10);
        story.counts(lock, holds, 2);
        story.held(BEGIN + SECOND, 100, party, lock, 30, HoldSource::Sampled);
        story.held(BEGIN + SECOND, long, party, lock, 30, HoldSource::Coarse);
        for _waiter in 0..2 {
            story.waited(BEGIN + SECOND, long, Party::thread(9), Lock, lock, 31, WaitEnd::Done, 30);
        }
        story.hazards("LP0008")
    };
    assert!(only(found(100, Kind::Mutex)).help.starts_with("do the long call before"));
    assert!(only(found(100, Kind::StdOnce)).help.starts_with("have it initialized before"));
    assert!(found(100_000, Kind::Mutex).is_empty());
}

/// A tick of the coarse clock falls into one in a hundred holds that last a hundredth of its step: that makes none of them long.
#[test]
fn a_line_whose_short_holds_are_noticed_by_chance_is_not_long_time_and_again() {
    let found = |long: u64| {
        let mut story = Story::new();
        let (lock, party) = (story.object(Kind::Mutex, 10), story.thread(20));
        story.counts(lock, 10_000, 2);
        story.held(BEGIN + SECOND, 100, party, lock, 30, HoldSource::Sampled);
        for n in 0..100 {
            let ticks = if n < long { SECOND / 10 } else { 1_000 };
            story.held(BEGIN + SECOND + n, ticks, party, lock, 30, HoldSource::Coarse);
        }
        for _waiter in 0..2 {
            story.waited(BEGIN + SECOND, SECOND / 10, Party::thread(9), Lock, lock, 31, WaitEnd::Done, 30);
        }
        story.hazards("LP0008").len()
    };
    assert_eq!((found(2), found(50)), (0, 1));
}
