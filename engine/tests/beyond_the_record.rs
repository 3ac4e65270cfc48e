//! What may be with somebody who is not recorded, or in a message; and what a shutdown changes in what it leaves behind.
mod story;

use lockprof_engine::findings::Verdict::{Proved, Suspected};
use lockprof_engine::findings::{Finding, Verdict};
use lockprof_trace::Operation::{Acquire, Changed, CondvarWait, Lock, Recv, Send};
use lockprof_trace::memory::entry::{IS_GLOBAL, MAY_BE_SHELVED, TRAVELS};
use lockprof_trace::{Event, HoldSource, Kind, Party, Role, TaskState, WaitEnd};
use story::{BEGIN, FINISH, SECOND, Story};

fn told(findings: &[Finding]) -> Vec<(&'static str, Verdict)> {
    findings.iter().map(|finding| (finding.code, finding.verdict)).collect()
}

/// An end that nobody has used may be with a thread that is not recorded, as one of a pool that computes.
#[test]
fn where_others_live_an_unused_end_proves_nothing() {
    let found = |unseen: Option<(u64, u64)>, itself: bool| {
        let mut story = Story::new();
        story.events.pop();
        if let Some((others, ran)) = unseen {
            story.add(Event::Unseen { at: BEGIN, others, ran });
        }
        let waiting = story.task(20);
        let maker = if itself { waiting } else { story.task(21) };
        let (answer, lock) = (story.object(Kind::TokioOneshot, 10), story.object(Kind::TokioMutex, 11));
        story.handle(waiting, Role::Receiver, answer, 10, 1);
        story.handle(maker, Role::Sender, answer, 10, 0);
        story.waits(waiting, Recv, answer, 30);
        if !itself {
            story.holds(waiting, lock, 32);
            story.waits(maker, Lock, lock, 31);
        }
        told(&story.firm())
    };
    for nobody in [Some((0, 0)), Some((1, BEGIN))] {
        assert_eq!(found(nobody, true), [("LP0001", Proved)], "nobody has run since the end was made");
        assert_eq!(found(nobody, false), [("LP0001", Proved)]);
    }
    assert_eq!(found(Some((1, FINISH)), false), [("LP0001", Suspected)]);
    assert_eq!(found(None, false), [("LP0001", Suspected)], "not told: another system, or forgotten");
    assert_eq!(found(Some((1, FINISH)), true), [], "who asks and waits has given the end to somebody");
}

/// So may one that was used, or it may have gone in a message.
#[test]
fn where_others_live_or_are_told_something_a_used_end_proves_nothing() {
    let found = |others: u64, tells: bool| {
        let mut story = Story::new();
        story.events.pop();
        story.add(Event::Unseen { at: BEGIN, others, ran: FINISH });
        let (waiting, actor) = (story.task(20), story.task(21));
        let (answers, requests) =
            (story.object(Kind::CrossbeamChannel, 10), story.object(Kind::CrossbeamChannel, 11));
        story.handle(waiting, Role::Receiver, answers, 10, 1);
        story.handle(waiting, Role::Sender, answers, 10, 1);
        if tells {
            story.handle(waiting, Role::Sender, requests, 11, 1);
            story.handle(actor, Role::Receiver, requests, 11, 1);
        }
        story.waits(waiting, Recv, answers, 30);
        told(&story.firm())
    };
    assert_eq!(found(0, false), [("LP0001", Proved)]);
    assert_eq!(found(1, false), [("LP0001", Suspected)]);
    assert_eq!(found(0, true), [("LP0001", Suspected)]);
}

/// Of permits that were forgotten somebody else brings new ones, if anybody does.
#[test]
fn a_permit_that_was_forgotten_proves_nothing() {
    let found = |forgotten: bool| {
        let mut story = Story::new();
        let (taker, permits) = (story.task(20), story.object(Kind::TokioSemaphore, 10));
        story.handle(taker, Role::Permit, permits, 30, 1);
        story.came(if forgotten { IS_GLOBAL } else { 0 });
        story.waits(taker, Acquire, permits, 31);
        told(&story.firm())
    };
    assert_eq!(found(false), [("LP0001", Proved)]);
    assert_eq!(found(true), [("LP0001", Suspected)]);
}

/// Who has locked something since it made an end may have left that there, and `main` may find it.
#[test]
fn an_end_that_may_lie_under_a_lock_is_nobodys_for_sure() {
    let found = |shelved: bool, is_main_stuck: bool| {
        let mut story = Story::new();
        let (main, waiting) = (story.main(), story.task(20));
        let answer = story.object(Kind::TokioOneshot, 10);
        story.handle(waiting, Role::Receiver, answer, 10, 1);
        story.handle(waiting, Role::Sender, answer, 10, 0);
        story.came(if shelved { MAY_BE_SHELVED } else { 0 });
        story.waits(waiting, Recv, answer, 30);
        if is_main_stuck {
            story.joins(main, waiting, 31);
        }
        told(&story.firm())
    };
    assert_eq!(found(false, false), [("LP0001", Proved)]);
    assert_eq!(found(true, false), []);
    assert_eq!(found(true, true), [("LP0001", Proved)]);
}

/// A channel that lies in a static is everybody's: nothing is proved of it as long as `main` lives.
#[test]
fn a_channel_in_a_static_is_everybodys() {
    let found = |global: bool, is_main_stuck: bool| {
        let mut story = Story::new();
        let (main, sender) = (story.main(), story.task(20));
        let events = story.object(Kind::CrossbeamChannel, 10);
        story.handle(sender, Role::Receiver, events, 10, 0);
        story.handle(sender, Role::Sender, events, 10, 1);
        story.came(if global { IS_GLOBAL } else { 0 });
        story.waits(sender, Send, events, 30);
        if is_main_stuck {
            story.joins(main, sender, 31);
        }
        told(&story.firm())
    };
    assert_eq!(found(false, false), [("LP0001", Proved)]);
    assert_eq!(found(true, false), [("LP0003", Suspected)]);
    assert_eq!(found(true, true).first().map(|found| found.1), Some(Proved));
}

/// An owned guard that its taker waits for itself most likely is not with it: anybody may have it.
#[test]
fn who_waits_for_what_it_took_may_have_given_it_away() {
    let found = |travels: bool, to_other: bool| {
        let mut story = Story::new();
        let (_main, taker, other) = (story.main(), story.task(20), story.task(21));
        let [lock, second] = [11, 12].map(|line| story.object(Kind::TokioMutex, line));
        story.handle(taker, Role::Exclusive, lock, 30, 1);
        story.came(if travels { TRAVELS } else { 0 });
        story.waits(taker, Lock, lock, 31);
        if to_other {
            let messages = story.object(Kind::TokioChannel, 13);
            story.handle(taker, Role::Sender, messages, 13, 1);
            story.handle(other, Role::Receiver, messages, 13, 1);
            story.holds(taker, second, 32);
            story.waits(other, Lock, second, 33);
        }
        story.firm()
    };
    assert_eq!(told(&found(false, false)), [("LP0001", Proved)]);
    assert_eq!(told(&found(true, false)), [("LP0001", Suspected)], "`main` lives");
    let both = found(true, true);
    assert_eq!(told(&both), [("LP0001", Proved)]);
    assert_eq!(both[0].count, 2, "the other has it: {}", both[0].message);
}

/// Where `main` waits for a signal, and nobody is left who could give it.
#[test]
fn main_waits_for_nobody() {
    let found = |helper_lives: bool, others: u64| {
        let mut story = Story::new();
        story.events.pop();
        story.add(Event::Unseen { at: BEGIN, others, ran: FINISH });
        let (main, helper) = (story.main(), story.thread(20));
        let condition = story.object(Kind::StdCondvar, 10);
        story.waits(main, CondvarWait, condition, 30);
        if !helper_lives {
            story.ends(helper);
        }
        told(&story.firm())
    };
    assert_eq!(found(false, 0), [("LP0005", Suspected)]);
    assert_eq!(found(true, 0), []);
    assert_eq!(found(false, 1), [], "it may be told to stop by a thread that is not recorded");
}

/// A stop that is waited for beside a send does not make the send wait for less.
#[test]
fn a_send_beside_a_stop_is_blocked_like_any_other() {
    let found = |operation| {
        let mut story = Story::new();
        let (_main, sender, receiver) = (story.main(), story.task(20), story.task(21));
        let (queue, stop) = (story.object(Kind::TokioChannel, 10), story.object(Kind::TokioWatch, 11));
        story.handle(receiver, Role::Receiver, queue, 12, 1);
        story.handle(sender, Role::Sender, queue, 12, 1);
        story.handle(Party::UNKNOWN, Role::Sender, stop, 11, 1);
        story.ends(receiver);
        story.waits(sender, operation, queue, 30);
        story.waits(sender, Changed, stop, 31);
        told(&story.firm())
    };
    assert_eq!(found(Send), [("LP0003", Suspected)]);
    assert_eq!(found(Recv), [], "an idle worker");
}

/// Who waits for the last sender to go, and has one itself.
#[test]
fn a_sender_that_its_receiver_has_kept_is_named() {
    let mut story = Story::new();
    let (_main, receiver, worker) = (story.main(), story.task(20), story.task(21));
    let results = story.object(Kind::TokioChannel, 10);
    story.handle(receiver, Role::Receiver, results, 10, 1);
    story.handle(receiver, Role::Sender, results, 10, 0);
    story.ends(worker);
    story.waits(receiver, Recv, results, 30);
    let found = story.firm();
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert!(finding.message.contains("itself"), "{}", finding.message);
}

/// A guard that may travel may have gone in a message.
#[test]
fn a_guard_in_a_message_is_not_its_senders() {
    let found = |travels: bool| {
        let mut story = Story::new();
        let (sender, worker, waiter) = (story.task(20), story.task(21), story.task(22));
        let (permits, requests) =
            (story.object(Kind::TokioSemaphore, 10), story.object(Kind::TokioChannel, 11));
        story.handle(sender, Role::Sender, requests, 11, 1);
        story.handle(worker, Role::Receiver, requests, 11, 1);
        story.handle(sender, Role::Permit, permits, 30, 1);
        story.came(if travels { TRAVELS } else { 0 });
        story.waits(waiter, Acquire, permits, 31);
        story.joins(sender, waiter, 32);
        told(&story.firm())
    };
    assert_eq!(found(false), [("LP0001", Proved)]);
    assert_eq!(found(true).iter().filter(|found| found.1 == Proved).count(), 0);
}

/// Two tasks that wait for each other's lock, when the runtime shuts down at `FINISH - SECOND`.
fn shut_down(state: TaskState, polled: u64) -> Vec<Finding> {
    let mut story = Story::new();
    let (one, other) = (story.task(20), story.task(21));
    let [first, second] = [10, 11].map(|line| story.object(Kind::TokioMutex, line));
    story.holds(other, second, 31);
    story.waits(other, Lock, first, 33);
    story.add(Event::OpenTask { task: other, state, polls: 4, polled, wakers: 0 });
    // The first to be dropped gives its lock back.
    let (at, site) = (FINISH - SECOND, story.line(30));
    story.waited(at, 3 * SECOND, one, Lock, second, 32, WaitEnd::Abandoned, 0);
    story.add(Event::HandleEnd {
        at: at + 10,
        object: first,
        role: Role::Exclusive,
        party: one,
        site,
        since: BEGIN,
        count: 1,
        by: one,
        moved: 0,
    });
    story.firm()
}

#[test]
fn who_is_woken_by_the_shutdown_was_stuck_before() {
    let parked = BEGIN + 2 * SECOND;
    assert_eq!(told(&shut_down(TaskState::Parked, parked)), [("LP0001", Proved)]);
    assert_eq!(told(&shut_down(TaskState::Ready, parked)), [("LP0001", Proved)]);
    assert_eq!(told(&shut_down(TaskState::Ready, FINISH - SECOND / 2)), [], "it was polled since");
}

/// A task that is being dropped as the program ends is told twice: as it was, and half dropped, with its wakers gone.
#[test]
fn a_task_is_what_it_was_before_it_was_dropped() {
    let found = |first: u64| {
        let mut story = Story::new();
        let task = story.task(20);
        story.parked(task, first);
        story.parked(task, 1);
        told(&story.firm())
    };
    assert_eq!(found(1), [("LP0005", Proved)]);
    assert_eq!(found(2), []);
}

/// The next in the queue has had no time to take a lock that has just come free.
#[test]
fn a_lock_that_came_free_just_now_is_not_lost() {
    let found = |released: u64| {
        let mut story = Story::new();
        let (one, other) = (story.thread(20), story.thread(21));
        let lock = story.object(Kind::StdMutex, 10);
        story.held(released, SECOND, one, lock, 30, HoldSource::Coarse);
        story.waits(other, Lock, lock, 30);
        told(&story.firm())
    };
    assert_eq!(found(BEGIN + 3 * SECOND), [("LP0002", Suspected)]);
    assert_eq!(found(FINISH - SECOND / 100), []);
}

/// A semaphore from which nobody has taken yet is a signal that somebody may give, as is one whose permits are forgotten where they
/// are taken, and whose waits were served all the same.
#[test]
fn permits_that_are_messages_are_awaited_of_whoever_may_add_one() {
    let found = |giver_lives: bool, added: bool, held: bool| {
        let mut story = Story::new();
        let (main, permits) = (story.main(), story.object(Kind::TokioSemaphore, 10));
        let (worker, giver) = (story.task(20), story.task(21));
        for event in &mut story.events {
            if let Event::Task { parent, .. } = event {
                *parent = main;
            }
        }
        if added {
            story.handle(worker, Role::Permit, permits, 30, 1);
            story.came(IS_GLOBAL);
            story.waited(BEGIN + SECOND, SECOND / 2, worker, Acquire, permits, 30, WaitEnd::Done, 0);
            story.counts(permits, 1, 1);
        }
        if held {
            for at in [SECOND, 2 * SECOND] {
                story.held(BEGIN + at, SECOND / 2, worker, permits, 30, HoldSource::Coarse);
            }
        }
        story.waits(worker, Acquire, permits, 30);
        if giver_lives {
            story.parked(giver, 2);
        } else {
            story.ends(giver);
        }
        story.joins(main, worker, 40);
        told(&story.firm())
    };
    assert_eq!(found(true, false, false), [], "it may be given the first time");
    assert_eq!(found(true, true, false), [], "or once more");
    assert_eq!(found(true, true, true), [("LP0001", Suspected)], "a permit that used to be given back");
    assert_eq!(found(false, false, false), [("LP0002", Suspected)], "nobody is left to give it");
}

/// Who waits for room while somebody waits for a message has no slow receiver: the room is with others.
#[test]
fn room_that_is_reserved_comes_back_from_who_has_it() {
    let found = |receives: bool| {
        let mut story = Story::new();
        let channel = story.object(Kind::TokioChannel, 10);
        let (sender, receiver, other) = (story.task(20), story.task(21), story.task(22));
        story.handle(sender, Role::Sender, channel, 30, 1);
        story.handle(other, Role::Sender, channel, 30, 1);
        story.handle(receiver, Role::Receiver, channel, 30, 1);
        story.waits(sender, Send, channel, 31);
        if receives {
            story.waits(receiver, Recv, channel, 32);
        }
        told(&story.firm())
    };
    assert_eq!(found(true), []);
    assert_eq!(found(false), [("LP0003", Suspected)]);
}
