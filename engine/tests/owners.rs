//! Who has an end of a channel that was never used, and what cannot go on only because the program has just ended.
mod story;

use lockprof_engine::findings::PartyRole::{Bystander, Member};
use lockprof_engine::findings::Verdict::{Proved, Suspected};
use lockprof_trace::Operation::{Changed, Recv, Send};
use lockprof_trace::memory::entry::CAPTURED;
use lockprof_trace::{Event, Kind, Party, Role};
use story::{BEGIN, FINISH, SECOND, Story, only, waiting};

#[test]
fn actors_that_know_each_other_are_stuck_only_if_nobody_else_knew_them_just_now() {
    let found = |dropped: u64| {
        let mut story = Story::new();
        let (one, other) = (story.task(20), story.task(21));
        for (actor, inbox, peer) in [(one, 10, other), (other, 11, one)] {
            let channel = story.object(Kind::TokioChannel, inbox);
            story.handle(actor, Role::Receiver, channel, inbox, 1);
            story.handle(peer, Role::Sender, channel, inbox, 1);
            story.waits(actor, Recv, channel, inbox + 20);
            story.add(Event::EndDropped { at: dropped, object: channel, role: Role::Sender });
        }
        story.firm()
    };
    let left = only(found(FINISH - 5 * SECOND));
    assert_eq!((left.code, left.verdict), ("LP0001", Proved));
    assert_eq!(waiting(&left, Member), [30, 31]);
    assert!(found(FINISH - SECOND / 1_000).is_empty(), "main has dropped its ends, and is about to end");
    assert!(found(FINISH - SECOND / 5).is_empty(), "and has lost its core for a moment");
}

#[test]
fn an_end_that_a_future_captured_is_its_tasks() {
    let mut story = Story::new();
    let (maker, class) = (story.thread(20), story.class(Kind::Task, 21));
    let [one, other] = [1_000, 1_001].map(Party::task);
    for task in [one, other] {
        story.add(Event::Task { at: BEGIN, task, parent: maker, class, runtime: 0 });
    }
    for (sends, receives, line) in [(one, other, 10), (other, one, 11)] {
        let channel = story.object(Kind::TokioChannel, line);
        story.handle(sends, Role::Sender, channel, line, 1);
        story.handle(receives, Role::Receiver, channel, line, 0);
        story.came(CAPTURED);
        story.waits(sends, Send, channel, line + 20);
    }
    story.joins(maker, one, 40);
    let known = only(story.firm());
    let who = (waiting(&known, Member), waiting(&known, Bystander));
    assert_eq!((known.code, known.verdict, who), ("LP0001", Proved, (vec![30, 31], vec![40])));
}

#[test]
fn a_copy_left_in_the_waiting_future_hides_no_end_that_went_with_its_maker() {
    let mut story = Story::new();
    let maker = story.task(20);
    let (class, waits) = (story.class(Kind::Task, 21), Party::task(1_000));
    story.add(Event::Task { at: BEGIN, task: waits, parent: maker, class, runtime: 0 });
    story.ends(maker);
    let cancel = story.object(Kind::TokioWatch, 10);
    story.handle(waits, Role::Sender, cancel, 10, 0);
    story.came(CAPTURED);
    story.waits(waits, Changed, cancel, 30);
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict, waiting(&found, Member)), ("LP0005", Suspected, vec![30]));
}

#[test]
fn an_answer_is_awaited_of_who_gets_the_request() {
    let mut story = Story::new();
    let (client, actor) = (story.task(20), story.task(21));
    let requests = story.object(Kind::TokioChannel, 10);
    story.handle(actor, Role::Receiver, requests, 10, 1);
    for (party, line) in [(client, 30), (actor, 31)] {
        story.handle(party, Role::Sender, requests, 10, 1);
        let answer = story.object(Kind::TokioOneshot, line);
        story.handle(party, Role::Sender, answer, line, 0);
        story.waits(party, Recv, answer, line);
    }
    let found = only(story.firm());
    assert_eq!(
        (found.code, waiting(&found, Member), waiting(&found, Bystander)),
        ("LP0001", vec![31], vec![30])
    );
    assert!(found.message.contains("in a message to itself"), "{}", found.message);
}

#[test]
fn runtimes_of_which_each_blocks_the_others_only_thread() {
    let found = |threads: u64| {
        let mut story = Story::new();
        let (class, of_runtime) = (story.class(Kind::Task, 20), story.class(Kind::Runtime, 11));
        let runtimes = [4_000, 4_010];
        for (runtime, capacity) in runtimes.into_iter().zip([1, threads]) {
            story.add(Event::Object { at: BEGIN, object: runtime, class: of_runtime, capacity });
        }
        for (number, runtime, other) in [(1_000, runtimes[0], runtimes[1]), (1_002, runtimes[1], runtimes[0])]
        {
            let [asks, answers] = [number, number + 1].map(Party::task);
            story.add(Event::Task { at: BEGIN, task: asks, parent: Party::UNKNOWN, class, runtime });
            story.add(Event::Task { at: BEGIN, task: answers, parent: asks, class, runtime: other });
            let channel = story.object(Kind::StdChannel, 12);
            story.handle(answers, Role::Sender, channel, 12, 1);
            story.waits(asks, Recv, channel, 40);
        }
        story.firm()
    };
    let stopped = only(found(1));
    assert_eq!((stopped.code, stopped.verdict, stopped.count), ("LP0001", Proved, 4));
    assert!(found(2).is_empty(), "a thread is left that polls what the first one waits for");
}
