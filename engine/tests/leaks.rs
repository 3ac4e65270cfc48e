//! Leaks that nobody waits for yet: each beside a sister that only keeps what it needs.
mod story;

use lockprof_engine::findings::Finding;
use lockprof_engine::findings::Verdict::Suspected;
use lockprof_trace::Operation::Recv;
use lockprof_trace::{Event, Kind, Party, Role};
use story::{BEGIN, FINISH, SECOND, Story, line, only};

/// A handle that is there since so long before the end.
fn since(story: &mut Story, party: Party, role: Role, object: u64, site: u64, age: u64, count: u64) {
    let site = story.line(site);
    story.add(Event::Handle { object, role, party, site, since: FINISH - age, count, moved: 0 });
}

/// Ages of forty, from the begin to the end.
fn all_ages() -> Vec<u64> {
    (0..40).map(|n| n * (FINISH - BEGIN) / 40).collect()
}

#[test]
fn permits_of_every_age_leak_and_a_pool_does_not() {
    let found = |ages: &[u64], is_waiting: bool| -> Vec<Finding> {
        let mut story = Story::new();
        let (slots, other) = (story.object(Kind::TokioSemaphore, 10), story.object(Kind::TokioChannel, 11));
        for age in ages {
            let task = story.task_at(FINISH - age, 20);
            since(&mut story, task, Role::Permit, slots, 30, *age, 1);
            if is_waiting {
                story.waits_since(FINISH - age, task, Recv, other, 31);
            } else {
                story.ends_at(task, FINISH - age / 2);
            }
        }
        let report = story.report();
        report.findings.into_iter().filter(|finding| finding.code == "LP0016").collect()
    };
    let leak = only(found(&all_ages(), false));
    assert_eq!((leak.verdict, leak.count), (Suspected, 40));
    assert_eq!((line(&leak.at), line(&leak.objects[0].created_at)), (30, 10));
    assert!(found(&[FINISH - BEGIN; 40], false).is_empty(), "a pool that was filled at the begin");
    assert!(found(&[SECOND / 100; 40], false).is_empty(), "in use just now");
    assert!(found(&all_ages()[..6], false).is_empty(), "a few");
    assert!(found(&all_ages(), true).is_empty(), "each is with a connection that waits for its client");
}

#[test]
fn subscriptions_of_every_age_are_left_behind_unless_somebody_waits_for_them() {
    let found = |ages: &[u64], waiting: usize, kind: Kind| -> Vec<Finding> {
        let mut story = Story::new();
        let (news, hub) = (story.object(kind, 10), story.thread(20));
        for (n, age) in ages.iter().enumerate() {
            since(&mut story, hub, Role::Receiver, news, 30, *age, 1);
            if n < waiting {
                let task = story.task_at(BEGIN + 1, 21);
                story.waits_since(BEGIN + 2, task, Recv, news, 31);
            }
        }
        let report = story.report();
        report.findings.into_iter().filter(|finding| finding.code == "LP0017").collect()
    };
    let left = only(found(&all_ages(), 1, Kind::TokioBroadcast));
    assert_eq!((left.verdict, left.count, line(&left.at)), (Suspected, 40, 30));
    assert!(found(&all_ages(), 40, Kind::TokioBroadcast).is_empty(), "each is waited for");
    assert!(found(&[FINISH - BEGIN; 40], 0, Kind::TokioWatch).is_empty(), "made once");
    assert!(found(&all_ages(), 0, Kind::TokioOneshot).is_empty(), "no subscription");
}

#[test]
fn senders_of_every_age_are_left_behind_where_their_receivers_are_gone() {
    let found = |ages: &[u64], received: bool, kind: Kind| -> Vec<Finding> {
        let mut story = Story::new();
        let hub = story.thread(20);
        for age in ages {
            let channel = story.object(kind, 10);
            since(&mut story, hub, Role::Sender, channel, 30, *age, 1);
            match received {
                true => since(&mut story, hub, Role::Receiver, channel, 30, *age, 1),
                false => {
                    story.add(Event::EndDropped { at: FINISH - age, object: channel, role: Role::Receiver })
                }
            }
        }
        let report = story.report();
        report.findings.into_iter().filter(|finding| finding.code == "LP0018").collect()
    };
    let left = only(found(&all_ages(), false, Kind::StdChannel));
    assert_eq!((left.verdict, left.count, line(&left.at)), (Suspected, 40, 30));
    assert_eq!(line(&left.objects[0].created_at), 10);
    assert!(found(&all_ages(), true, Kind::StdChannel).is_empty(), "each has its receiver");
    assert!(found(&all_ages(), false, Kind::TokioBroadcast).is_empty(), "somebody may subscribe");
    assert!(
        found(&[SECOND / 100; 40], false, Kind::StdChannel).is_empty(),
        "until the list is looked through"
    );
    assert!(found(&all_ages()[..6], false, Kind::StdChannel).is_empty(), "a few");
}

/// A set's tasks are not told apart from others: only where all that was spawned is stuck, so is who waits for the set.
#[test]
fn who_waits_for_a_set_of_tasks_is_stuck_for_sure_if_everybody_spawned_is() {
    let proved = |is_alive: bool| {
        let mut story = Story::new();
        let (lock, main) = (story.object(Kind::TokioMutex, 10), story.thread(19));
        story.holds(main, lock, 30);
        let class = story.class(Kind::Task, 20);
        for task in [100, 101].map(Party::task) {
            story.add(Event::Task { at: BEGIN, task, parent: main, class, runtime: 0 });
            story.waits(task, lockprof_trace::Operation::Lock, lock, 31);
        }
        if is_alive {
            story.task(22);
        }
        story.joins(main, Party::UNKNOWN, 33);
        story.firm().iter().any(|finding| finding.verdict != Suspected && finding.code == "LP0001")
    };
    assert!(proved(false));
    assert!(!proved(true));
}
