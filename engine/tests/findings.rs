//! What is found, with which verdict, who takes part, and where: each situation beside its harmless sister.
mod story;

use lockprof_engine::findings::PartyRole::{Bystander, Holder, Member};
use lockprof_engine::findings::Verdict::{Proved, Suspected};
use lockprof_engine::findings::{Verdict, explain};
use lockprof_trace::Operation::{
    self, Acquire, Changed, CondvarWait, Init, Join, Lock, Notified, Read, Recv, Send, Write,
};
use lockprof_trace::memory::entry::TRAVELS;
use lockprof_trace::{Event, HoldSource, Kind, Loss, Outcome, Party, Role, WaitEnd};
use story::{BEGIN, FINISH, SECOND, Story, line, only, waiting};

#[test]
fn two_locks_in_two_orders_and_who_queues_behind() {
    let mut story = Story::new();
    let (one, other) = (story.object(Kind::StdMutex, 10), story.object(Kind::StdMutex, 11));
    let (a, b, c) = (story.thread(20), story.thread(21), story.thread(22));
    story.holds(a, one, 30);
    story.waits(a, Lock, other, 31);
    story.holds(b, other, 40);
    story.waits(b, Lock, one, 41);
    story.waits(c, Lock, one, 50);
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict, found.count), ("LP0001", Proved, 2));
    assert_eq!((waiting(&found, Member), waiting(&found, Bystander)), (vec![31, 41], vec![50]));
    let created: Vec<u64> = found.objects.iter().map(|object| line(&object.created_at)).collect();
    assert_eq!(created, [10, 11]);
    let held: Vec<u64> =
        found.parties.iter().flat_map(|party| &party.holds).map(|held| line(&held.at)).collect();
    assert_eq!(held, [30, 40]);
    assert_eq!(found.blocked_ns, 3 * 8 * SECOND);
}

#[test]
fn one_order_under_a_working_holder_is_no_deadlock() {
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    let (a, b) = (story.thread(20), story.thread(21));
    story.holds(a, lock, 30);
    story.waits(b, Lock, lock, 40);
    assert!(story.firm().is_empty());
}

#[test]
fn a_lock_taken_twice() {
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    let (a, b) = (story.thread(20), story.thread(21));
    story.holds(a, lock, 30);
    story.waits(a, Lock, lock, 31);
    story.waits(b, Lock, lock, 40);
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict, found.count), ("LP0001", Proved, 1));
    assert_eq!((waiting(&found, Member), waiting(&found, Bystander)), (vec![31], vec![40]));
    assert!(found.message.contains("took itself at shop.rs:30"), "{}", found.message);
}

#[test]
fn what_is_asked_for_by_its_maker_or_while_it_is_looked_at_is_no_channel_with_two_ends() {
    let found = |kind: Kind, role: Role, operation: Operation| {
        let mut story = Story::new();
        let (object, party) = (story.object(kind, 10), story.thread(20));
        if kind == Kind::TokioWatch {
            story.handle(party, Role::Receiver, object, 29, 1);
        }
        story.handle(party, role, object, 30, 1);
        story.waits(party, operation, object, 31);
        only(story.firm())
    };
    let made = found(Kind::OnceCell, Role::Exclusive, Init);
    assert!(made.message.contains("which it is making itself at shop.rs:30"), "{}", made.message);
    let seen = found(Kind::TokioWatch, Role::Shared, Send);
    assert!(seen.message.contains("that it took itself at shop.rs:30"), "{}", seen.message);
}

#[test]
fn a_task_whose_waker_lies_elsewhere_is_not_proved_stuck() {
    let verdict = |wakers: u64| {
        let mut story = Story::new();
        let lock = story.object(Kind::TokioMutex, 10);
        let a = story.task(20);
        story.holds(a, lock, 30);
        story.waits(a, Lock, lock, 31);
        story.parked(a, wakers);
        only(story.firm()).verdict
    };
    assert_eq!([verdict(0), verdict(2), verdict(3)], [Proved, Proved, Suspected]);
}

#[test]
fn a_guard_that_outlives_its_holder() {
    let found = |kind: Kind| {
        let mut story = Story::new();
        let lock = story.object(kind, 10);
        let (a, b) = (story.thread(20), story.thread(21));
        story.holds(a, lock, 30);
        story.ends(a);
        story.waits(b, Lock, lock, 40);
        only(story.firm())
    };
    let leaked = found(Kind::Mutex);
    assert_eq!((leaked.code, leaked.verdict), ("LP0002", Suspected));
    assert_eq!((waiting(&leaked, Member), line(&leaked.objects[0].created_at)), (vec![40], 10));
    let holder = leaked.parties.iter().find(|party| party.role == Holder).unwrap();
    assert_eq!((line(&holder.holds[0].at), holder.ended), (30, true));
    assert_eq!(found(Kind::StdMutex).verdict, Proved);
}

#[test]
fn an_owned_permit_may_have_gone_along_with_a_job() {
    let found = |moved: u64, works: bool| {
        let mut story = Story::new();
        let (slots, lord) = (story.object(Kind::TokioSemaphore, 10), story.task(20));
        story.handle(lord, Role::Permit, slots, 30, 1);
        story.came(moved);
        story.waits(lord, Acquire, slots, 31);
        let (class, job) = (story.class(Kind::Task, 21), Party::task(1_000));
        story.add(Event::Task { at: BEGIN + SECOND, task: job, parent: lord, class, runtime: 0 });
        if !works {
            story.joins(job, lord, 40);
        }
        story.firm()
    };
    assert!(found(TRAVELS, true).is_empty(), "the job gives it back");
    assert_eq!(only(found(TRAVELS, false)).verdict, Proved);
    assert_eq!(only(found(0, true)).verdict, Proved, "a borrowed one stays with who took it");
}

#[test]
fn a_task_that_blocks_its_runtimes_only_thread() {
    let found = |threads: u64| {
        let mut story = Story::new();
        let (lock, class) = (story.object(Kind::StdMutex, 10), story.class(Kind::Task, 20));
        let (runtime, of_runtime) = (4_000, story.class(Kind::Runtime, 11));
        story.add(Event::Object { at: BEGIN, object: runtime, class: of_runtime, capacity: threads });
        let [holder, blocks] = [1_000, 1_001].map(Party::task);
        for task in [holder, blocks] {
            story.add(Event::Task { at: BEGIN, task, parent: Party::UNKNOWN, class, runtime });
        }
        story.holds(holder, lock, 30);
        story.waits(blocks, Lock, lock, 40);
        story.firm()
    };
    let stopped = only(found(1));
    assert_eq!((stopped.code, stopped.verdict, stopped.count), ("LP0001", Proved, 2));
    assert_eq!(waiting(&stopped, Member), [40]);
    assert!(found(2).is_empty(), "another thread polls the holder");
}

#[test]
fn a_task_that_has_left_no_waker() {
    let found = |wakers: u64| {
        let mut story = Story::new();
        let task = story.task(20);
        story.parked(task, wakers);
        story.firm()
    };
    let forgotten = only(found(1));
    assert_eq!((forgotten.code, forgotten.verdict, line(&forgotten.at)), ("LP0005", Proved, 20));
    assert!(found(2).is_empty() && found(0).is_empty());
}

#[test]
fn a_lock_that_a_living_party_has_kept() {
    let found = |longest_before: u64| {
        let mut story = Story::new();
        let lock = story.object(Kind::Mutex, 10);
        let (a, b) = (story.thread(20), story.thread(21));
        for n in 1..=8u64 {
            story.held(BEGIN + n * SECOND / 10, longest_before, a, lock, 30, HoldSource::Sampled);
        }
        story.holds(a, lock, 30);
        story.waits(b, Lock, lock, 40);
        story.firm()
    };
    let kept = only(found(SECOND / 1_000));
    assert_eq!((kept.code, kept.verdict, waiting(&kept, Member)), ("LP0002", Suspected, vec![40]));
    assert!(found(2 * SECOND).is_empty(), "it is slow, as ever");
}

#[test]
fn a_writer_between_two_reads() {
    let mut story = Story::new();
    let lock = story.object(Kind::RwLock, 10);
    let (a, b) = (story.thread(20), story.thread(21));
    story.handle(a, Role::Shared, lock, 30, 1);
    story.waits_since(BEGIN + SECOND, b, Write, lock, 40);
    story.waits(a, Read, lock, 31);
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict, waiting(&found, Member)), ("LP0001", Proved, vec![31, 40]));
}

#[test]
fn two_reads_and_a_later_writer_are_none() {
    let mut story = Story::new();
    let lock = story.object(Kind::RwLock, 10);
    let (a, b) = (story.thread(20), story.thread(21));
    story.handle(a, Role::Shared, lock, 30, 1);
    story.waits(b, Write, lock, 40);
    assert!(story.firm().is_empty());
}

/// A lock held across a send into a full channel, whose receiver waits for the lock.
fn mixed(story: &mut Story) -> (Party, Party) {
    let (lock, channel) = (story.object(Kind::TokioMutex, 10), story.object(Kind::TokioChannel, 11));
    let (sender, receiver, reader) = (story.task(20), story.task(21), story.task(22));
    let other = story.object(Kind::TokioChannel, 11);
    story.holds(sender, lock, 30);
    story.handle(sender, Role::Sender, channel, 11, 40);
    story.handle(sender, Role::Sender, other, 11, 40);
    story.handle(receiver, Role::Receiver, channel, 11, 40);
    story.handle(reader, Role::Receiver, other, 11, 40);
    story.waits(sender, Send, channel, 31);
    story.waits(receiver, Lock, lock, 40);
    story.waits(reader, Recv, other, 50);
    (sender, receiver)
}

#[test]
fn a_lock_held_across_a_send_to_who_needs_it() {
    let mut story = Story::new();
    mixed(&mut story);
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict, found.count), ("LP0001", Proved, 2));
    assert_eq!((waiting(&found, Member), waiting(&found, Bystander)), (vec![31, 40], vec![50]));
}

#[test]
fn lost_records_weaken_what_they_could_have_caused() {
    let mut story = Story::new();
    mixed(&mut story);
    story.lost(Loss::Entries, 3);
    let found = only(story.firm());
    assert_eq!(found.verdict, Suspected);
    assert!(found.notes.iter().any(|note| note.contains("lost")), "{:?}", found.notes);
}

#[test]
fn a_flight_recorder_judges_by_what_it_remembers() {
    // A lock that nobody holds, and somebody waits for; then what others did before the end.
    let story = |remembered: &[u64]| {
        let mut story = Story::new();
        let (lock, other) = (story.object(Kind::TokioMutex, 10), story.object(Kind::TokioMutex, 11));
        let (waiter, busy) = (story.task(20), story.task(21));
        story.waits(waiter, Lock, lock, 30);
        story.lost(Loss::Oldest, 100);
        for at in remembered {
            story.waited(*at, 10, busy, Lock, other, 40, WaitEnd::Done, 0);
        }
        story.firm()
    };
    assert_eq!(only(story(&[BEGIN + SECOND, FINISH])).code, "LP0002");
    assert!(story(&[FINISH]).is_empty(), "it may have been served before");
}

#[test]
fn the_state_before_a_shutdown_counts() {
    let mut story = Story::new();
    let (one, other) = (story.object(Kind::TokioMutex, 10), story.object(Kind::TokioMutex, 11));
    let (a, b) = (story.task(20), story.task(21));
    let stopped = BEGIN + 5 * SECOND;
    for (party, takes, waits, at) in [(a, one, other, 30), (b, other, one, 40)] {
        story.waited(stopped, 3 * SECOND, party, Lock, waits, at + 1, WaitEnd::Abandoned, 0);
        story.handle(Party::UNKNOWN, Role::JoinHandle, 0, at, 0);
        let site = 0x1000 + at;
        let (role, since) = (Role::Exclusive, BEGIN + SECOND);
        let at = stopped + 1;
        story.add(Event::HandleEnd {
            at,
            object: takes,
            role,
            party,
            site,
            since,
            count: 1,
            by: party,
            moved: 0,
        });
        story.add(Event::TaskEnd { at, task: party, outcome: Outcome::Dropped, polls: 2 });
    }
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict, waiting(&found, Member)), ("LP0001", Proved, vec![31, 41]));
    assert_eq!(found.blocked_ns, 6 * SECOND);
}

#[test]
fn two_actors_with_full_queues() {
    let mut story = Story::new();
    let (one, other) = (story.object(Kind::TokioChannel, 10), story.object(Kind::TokioChannel, 11));
    let (a, b) = (story.task(20), story.task(21));
    story.handle(a, Role::Receiver, one, 10, 9);
    story.handle(b, Role::Receiver, other, 11, 9);
    story.waits(a, Send, other, 30);
    story.waits(b, Send, one, 40);
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict, waiting(&found, Member)), ("LP0001", Proved, vec![30, 40]));
}

#[test]
fn a_task_that_awaits_its_own_end() {
    let mut story = Story::new();
    let a = story.task(20);
    story.joins(a, a, 30);
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict), ("LP0001", Proved));
    assert!(found.message.contains("its own end"), "{}", found.message);
}

#[test]
fn a_join_of_who_works_is_none_and_of_who_is_stuck_is_behind() {
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    let (a, b, c) = (story.thread(20), story.thread(21), story.thread(22));
    story.holds(a, lock, 30);
    story.waits(a, Lock, lock, 31);
    story.joins(b, a, 40);
    story.joins(c, c, 50);
    let mut working = Story::new();
    let (main, worker) = (working.thread(20), working.thread(21));
    working.joins(main, worker, 40);
    assert!(working.firm().is_empty());
    let found = story.firm();
    assert_eq!(found.len(), 2);
    let behind = found.iter().find(|finding| waiting(finding, Member) == [31]).unwrap();
    assert_eq!(waiting(behind, Bystander), [40]);
    assert!(
        behind
            .parties
            .iter()
            .flat_map(|party| &party.waits)
            .all(|wait| wait.operation != Join.name() || line(&wait.at) == 40)
    );
}

#[test]
fn an_end_that_was_never_used_may_be_with_whoever_was_spawned_since() {
    let verdicts = |spawns: bool| {
        let mut story = Story::new();
        let channel = story.object(Kind::TokioChannel, 10);
        let a = story.task(20);
        story.handle(a, Role::Receiver, channel, 10, 0);
        story.waits(a, Send, channel, 30);
        if spawns {
            story.task_at(BEGIN + SECOND, 21);
        }
        story.firm().into_iter().map(|found| (found.code, found.verdict)).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(false), [("LP0001", Proved)]);
    assert_eq!(verdicts(true), [("LP0001", Suspected)]);
}

#[test]
fn a_reply_that_a_worker_may_still_send_is_silent() {
    let found = |worker_lives: bool| {
        let mut story = Story::new();
        let (requests, reply) = (story.object(Kind::TokioChannel, 10), story.object(Kind::TokioOneshot, 11));
        let (worker, client) = (story.task(20), story.task(21));
        story.handle(worker, Role::Receiver, requests, 10, 1);
        // It went to the worker in a request, and has not been used.
        story.handle(client, Role::Sender, reply, 11, 0);
        story.waits(client, Recv, reply, 30);
        if !worker_lives {
            story.waits(worker, Lock, requests, 40);
            story.holds(worker, requests, 41);
        }
        story.firm().iter().map(|finding| waiting(finding, Member)).collect::<Vec<_>>()
    };
    assert!(found(true).is_empty());
    assert!(!found(false).is_empty());
}

#[test]
fn a_signal_that_nobody_is_left_to_give() {
    let found = |given: u64, working: bool, main: bool| {
        let mut story = Story::new();
        let (signal, maker) = (story.object(Kind::TokioNotify, 10), story.task(20));
        if main {
            let (at, thread, parent) = (BEGIN, Party::thread(1), Party::UNKNOWN);
            story.add(Event::Thread { at, thread, parent, class: 0, os_id: 7, name: "main".into() });
        }
        let class = story.class(Kind::Task, 21);
        let task = Party::task(1_000);
        story.add(Event::Task { at: BEGIN, task, parent: maker, class, runtime: 0 });
        story.ends(maker);
        story.waits(task, Notified, signal, 30);
        story.counts(signal, given, 0);
        if working {
            story.task(22);
        }
        story.firm()
    };
    for (given, main) in [(0, false), (0, true), (3, false)] {
        let lost = only(found(given, false, main));
        assert_eq!((lost.code, lost.verdict, waiting(&lost, Member)), ("LP0005", Suspected, vec![30]));
    }
    assert!(found(0, true, false).is_empty());
    assert!(found(3, true, false).is_empty());
    assert!(found(3, false, true).is_empty(), "it may have come from there");
}

#[test]
fn a_pool_that_shares_its_queue_under_a_lock_is_silent() {
    let found = |line_of_others: u64| {
        let mut story = Story::new();
        let (queue, lock) = (story.object(Kind::StdChannel, 10), story.object(Kind::StdMutex, 11));
        let (main, first, other) = (story.thread(20), story.thread(21), story.thread(21));
        story.handle(main, Role::Sender, queue, 10, 7);
        story.handle(first, Role::Receiver, queue, 10, 7);
        story.holds(first, lock, 30);
        story.waits(first, Recv, queue, 31);
        story.waits(other, Lock, lock, line_of_others);
        story.firm()
    };
    assert!(found(30).is_empty());
    assert_eq!(waiting(&only(found(40)), Member), [31]);
}

#[test]
fn a_set_of_tasks_of_which_none_will_end() {
    let found = |one_works: bool| {
        let mut story = Story::new();
        let (bell, captain) = (story.object(Kind::TokioBroadcast, 10), story.task(20));
        let class = story.class(Kind::Task, 21);
        story.handle(captain, Role::Sender, bell, 10, 8);
        story.joins(captain, Party::UNKNOWN, 30);
        for number in 0..3 {
            let task = Party::task(1_000 + number);
            story.add(Event::Task { at: BEGIN, task, parent: captain, class, runtime: 0 });
            if number > 0 || !one_works {
                story.waits(task, Recv, bell, 40);
            }
        }
        story.firm()
    };
    assert!(found(true).is_empty());
    let all = only(found(false));
    assert_eq!((all.code, all.verdict, waiting(&all, Member)), ("LP0001", Proved, vec![30, 40, 40, 40]));
}

#[test]
fn idle_receivers_are_silent() {
    let mut story = Story::new();
    let main = story.thread(19);
    for (kind, operation, at) in [
        (Kind::TokioWatch, Changed, 10),
        (Kind::TokioNotify, Notified, 11),
        (Kind::TokioBroadcast, Recv, 12),
        (Kind::Condvar, CondvarWait, 13),
    ] {
        let object = story.object(kind, at);
        if kind != Kind::Condvar {
            story.handle(main, Role::Sender, object, at, 100);
        }
        for _ in 0..8 {
            let task = story.task(20 + at);
            story.waits(task, operation, object, 30 + at);
        }
    }
    assert!(story.firm().is_empty());
}

#[test]
fn an_idle_worker_of_a_shared_sender_is_silent() {
    let mut story = Story::new();
    let (channel, used, worker) = (story.object(Kind::TokioChannel, 10), story.task(20), story.task(21));
    story.handle(used, Role::Sender, channel, 10, 12);
    story.counts(channel, 12, 0);
    story.counts(channel + 1, 12, 3);
    story.ends(used);
    story.waits(worker, Recv, channel, 30);
    assert!(story.firm().is_empty());
}

#[test]
fn a_message_that_nobody_is_left_to_send() {
    let mut story = Story::new();
    let (channel, made, waits) = (story.object(Kind::TokioOneshot, 10), story.task(20), story.task(21));
    story.handle(made, Role::Sender, channel, 10, 0);
    story.ends(made);
    story.waits(waits, Recv, channel, 30);
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict, waiting(&found, Member)), ("LP0004", Suspected, vec![30]));
}

#[test]
fn a_thousand_blocked_senders_are_one_finding() {
    let mut story = Story::new();
    let (channel, reader) = (story.object(Kind::TokioChannel, 10), story.task(20));
    story.handle(reader, Role::Receiver, channel, 10, 5);
    story.ends(reader);
    for _ in 0..1_000 {
        let task = story.task(21);
        story.waits(task, Send, channel, 30);
    }
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict, found.count), ("LP0003", Suspected, 1_000));
    assert_eq!((found.blocked_ns, line(&found.at)), (8_000 * SECOND, 30));
    let listed = found.parties.iter().filter(|party| party.role == Member).count() as u64;
    assert!(listed < 40 && listed + found.more_parties == 1_000);
    assert!(found.message.contains("1000 tasks are blocked in send at shop.rs:30"), "{}", found.message);
}

#[test]
fn back_pressure_is_silent() {
    let mut story = Story::new();
    let (channel, reader) = (story.object(Kind::TokioChannel, 10), story.task(20));
    story.handle(reader, Role::Receiver, channel, 10, 5);
    let (one, other) = (story.task(21), story.task(21));
    // Another sender was served half a second before the end.
    story.waits(one, Send, channel, 30);
    story.waited(FINISH - SECOND / 2, SECOND, other, Send, channel, 30, WaitEnd::Done, 0);
    assert!(story.firm().is_empty());
    let mut slow = Story::new();
    let (channel, reader, one) = (slow.object(Kind::TokioChannel, 10), slow.task(20), slow.task(21));
    slow.handle(reader, Role::Receiver, channel, 10, 5);
    // Waits at this line take that long.
    slow.waited(BEGIN + 6 * SECOND, 5 * SECOND, one, Send, channel, 30, WaitEnd::Done, 0);
    slow.waits_since(BEGIN + 6 * SECOND, one, Send, channel, 30);
    assert!(slow.firm().is_empty());
}

#[test]
fn a_wait_with_a_way_out_is_not_proved() {
    let mut story = Story::new();
    let (one, other) = (story.object(Kind::Mutex, 10), story.object(Kind::Mutex, 11));
    let (a, b) = (story.thread(20), story.thread(21));
    for (party, takes, waits, at) in [(a, one, other, 30), (b, other, one, 40)] {
        story.holds(party, takes, at);
        story.waited(BEGIN + SECOND, SECOND / 100, party, Lock, waits, at + 1, WaitEnd::TimedOut, 0);
        story.waits_since(FINISH - SECOND / 5, party, Lock, waits, at + 1);
    }
    assert!(story.firm().is_empty());
}

#[test]
fn a_lock_held_across_a_wait_for_a_signal() {
    let mut story = Story::new();
    let (lock, signal) = (story.object(Kind::Mutex, 10), story.object(Kind::Condvar, 11));
    let (a, b) = (story.thread(20), story.thread(21));
    story.holds(a, lock, 30);
    story.waits(a, CondvarWait, signal, 31);
    story.waits(b, Lock, lock, 40);
    let found = only(story.firm());
    assert_eq!((found.code, found.verdict), ("LP0005", Suspected));
    assert_eq!((waiting(&found, Member), waiting(&found, Bystander)), (vec![31], vec![40]));
}

#[test]
fn watchers_that_pile_up_and_those_that_are_replaced() {
    let story = |released: bool| {
        let mut story = Story::new();
        let main = story.thread(19);
        let class = story.class(Kind::Watcher, 10);
        for n in 1..=10u64 {
            let (at, object, site) = (BEGIN + n * SECOND, 1_000 + n, 0x1000 + 10);
            story.add(Event::Object { at, object, class, capacity: 0 });
            story.add(Event::Watcher { at, object, party: main, site });
            if released && n > 1 {
                story.add(Event::WatcherEnd { at: at + 1, object: object - 1, delivered: 1 });
            }
        }
        story
    };
    assert!(story(true).firm().is_empty());
    let report = story(true).report();
    assert_eq!((report.watchers[0].live, report.watchers[0].released), (1, 9));
    let found = only(story(false).firm());
    assert_eq!((found.code, found.verdict, found.count, line(&found.at)), ("LP0006", Suspected, 10, 10));
}

#[test]
fn tasks_that_only_become_more_and_tasks_that_drain() {
    let story = |drains: bool| {
        let mut story = Story::new();
        let notify = story.object(Kind::TokioNotify, 10);
        for n in 0..40u64 {
            let at = BEGIN + n * SECOND / 4;
            let task = story.task_at(at, 20);
            if drains {
                story.ends_at(task, at + SECOND / 2);
            } else {
                story.waits_since(at, task, Notified, notify, 30);
            }
        }
        story
    };
    assert!(story(true).firm().is_empty());
    assert_eq!(story(true).report().tasks[0].finished, 40);
    let found = only(story(false).firm());
    assert_eq!((found.code, found.verdict, found.count, line(&found.at)), ("LP0007", Suspected, 40, 20));
    let mut forgetful = story(false);
    forgetful.lost(Loss::Oldest, 1);
    assert!(forgetful.firm().is_empty(), "those that ended may have been forgotten");
}

#[test]
fn a_long_hold_with_waiters_is_a_hazard() {
    let mut story = Story::new();
    let (lock, holder) = (story.object(Kind::TokioMutex, 10), story.task(20));
    for n in 1..=8u64 {
        let task = story.task(21);
        story.waited(BEGIN + 4 * SECOND + n, 3 * SECOND, task, Lock, lock, 40, WaitEnd::Done, 30);
        story.ends_at(task, FINISH - 1);
    }
    story.held(BEGIN + 4 * SECOND, 3 * SECOND, holder, lock, 30, lockprof_trace::HoldSource::Coarse);
    story.ends_at(holder, FINISH - 1);
    let report = story.report();
    let codes: Vec<_> = report.findings.iter().map(|finding| (finding.code, finding.verdict)).collect();
    assert_eq!(codes, [("LP0008", Verdict::Hazard), ("LP0009", Verdict::Hazard)]);
    assert_eq!((line(&report.findings[0].at), report.findings[0].blocked_ns), (30, 24 * SECOND));
}

#[test]
fn every_code_is_explained() {
    for (code, title, text) in lockprof_engine::findings::CODES {
        assert_eq!(explain(code), Some(*text));
        assert!(text.starts_with(&format!("# {code}: {title}\n")), "{code}");
        assert!(text.contains("Broken:\n\n```rust\n") && text.contains("Fixed: "), "{code}");
    }
    assert_eq!(explain("LP9999"), None);
}

#[test]
fn who_gives_up_when_its_time_is_up_is_not_stuck() {
    let found = |limited: u64| {
        let mut story = Story::new();
        let (one, other) = (story.object(Kind::Mutex, 10), story.object(Kind::Mutex, 11));
        let (a, b) = (story.thread(20), story.thread(21));
        story.holds(a, one, 30);
        story.waits(a, Lock, other, 31);
        story.holds(b, other, 40);
        story.waits(b, Lock, one, 41);
        let last = story.events.last_mut();
        if let Some(Event::OpenWait { limited: of, .. }) = last {
            *of = limited;
        }
        story.firm().len()
    };
    assert_eq!([found(0), found(1)], [1, 0]);
}
