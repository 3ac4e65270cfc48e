//! Many that wait for the same many. So many parties take the engine a second or two in a test build; where the work
//! grows with the square of their number it takes minutes and gigabytes, so that a step back shows without a clock.
use lockprof_engine::findings::Verdict;
use lockprof_engine::model::Model;
use lockprof_engine::report::Report;
use lockprof_engine::symbols::NoSymbols;
use lockprof_engine::{Options, analyze};
use lockprof_trace::{End, Event, Kind, Mode, Operation, Party, Role};

/// Parties of a crowd.
const MANY: u64 = 20_000;
/// A tick is a nanosecond.
const SECOND: u64 = 1_000_000_000;
const SITE: u64 = 64;
const TASKS: u64 = 1;
const OBJECTS: u64 = 2;

/// A crowd of tasks, all children of `main`, in the making.
struct Crowd(Model);

impl Crowd {
    /// Of tasks that use objects of this kind.
    fn of(kind: Kind) -> Self {
        let mut crowd = Self(Model::new());
        crowd.0.event(&Event::Session {
            at: 1,
            unix_ns: 1,
            ticks_per_4s: 1 << 32,
            coarse_ticks: 2_000_000,
            mode: Mode::Profile,
            pid: 7,
            exe: "crowd".into(),
            memory: "".into(),
            stacks: "none".into(),
            agent: "0".into(),
        });
        crowd.0.event(&Event::Site { site: SITE, file: "crowd.rs".into(), line: 1, column: 1 });
        for (class, kind) in [(TASKS, Kind::Task), (OBJECTS, kind)] {
            crowd.0.event(&Event::Class { class, kind, site: SITE, type_name: "".into() });
        }
        let (thread, parent) = (main(), Party::UNKNOWN);
        crowd.0.event(&Event::Thread { at: 1, thread, parent, class: 0, os_id: 7, name: "".into() });
        for number in 1..=MANY {
            let (task, parent) = (Party::task(number), main());
            crowd.0.event(&Event::Task { at: 1 + number, task, parent, class: TASKS, runtime: 0 });
        }
        crowd
    }

    fn object(&mut self, number: u64) -> u64 {
        self.0.event(&Event::Object { at: 1, object: number * 4, class: OBJECTS, capacity: 1 });
        number * 4
    }

    fn has(&mut self, party: Party, role: Role, object: u64) {
        let (since, count, moved) = (1, u64::from(role.is_guard()), 0);
        self.0.event(&Event::Handle { object, role, party, site: SITE, since, count, moved });
    }

    fn waits(&mut self, party: Party, operation: Operation, object: u64, holder: Party) {
        self.0.event(&Event::OpenWait {
            since: SECOND + party.number(),
            party,
            object,
            operation,
            site: SITE,
            stack: 0,
            holder,
            holder_site: 0,
            limited: 0,
        });
    }

    /// What is found: code, verdict, and the first words.
    fn found(mut self) -> Vec<(&'static str, Verdict, u64, String)> {
        self.0.event(&Event::Finish { at: 10 * SECOND, end: End::Finished, reason: "".into() });
        let report: Report = analyze(vec![self.0], &Options::default(), &NoSymbols);
        let words = |message: &str| message.split_whitespace().take(6).collect::<Vec<_>>().join(" ");
        let findings = report.findings.into_iter().filter(|finding| finding.verdict != Verdict::Hazard);
        findings
            .map(|finding| (finding.code, finding.verdict, finding.count, words(&finding.message)))
            .collect()
    }
}

fn main() -> Party {
    Party::thread(1)
}

fn tasks() -> impl Iterator<Item = Party> {
    (1..=MANY).map(Party::task)
}

/// A circle of so many.
fn circle(verdict: Verdict, count: u64) -> Vec<(&'static str, Verdict, u64, String)> {
    vec![("LP0001", verdict, count, format!("{count} parties wait for each other:"))]
}

#[test]
fn each_has_a_permit_and_waits_for_one_more() {
    let mut crowd = Crowd::of(Kind::TokioSemaphore);
    let semaphore = crowd.object(1);
    for task in tasks() {
        crowd.has(task, Role::Permit, semaphore);
        crowd.waits(task, Operation::Acquire, semaphore, Party::UNKNOWN);
    }
    assert_eq!(crowd.found(), circle(Verdict::Proved, MANY));
}

#[test]
fn each_has_a_sender_of_the_channel_that_all_receive_from() {
    let mut crowd = Crowd::of(Kind::CrossbeamChannel);
    let channel = crowd.object(1);
    for task in tasks() {
        crowd.has(task, Role::Sender, channel);
        crowd.waits(task, Operation::Recv, channel, Party::UNKNOWN);
    }
    assert_eq!(crowd.found(), circle(Verdict::Suspected, MANY));
}

#[test]
fn readers_behind_writers() {
    let mut crowd = Crowd::of(Kind::TokioRwLock);
    let lock = crowd.object(1);
    crowd.has(main(), Role::Shared, lock);
    crowd.waits(main(), Operation::Join, 0, Party::task(1));
    for task in tasks() {
        let operation = if task.number() % 2 == 0 { Operation::Read } else { Operation::Write };
        crowd.waits(task, operation, lock, Party::UNKNOWN);
    }
    // The first writer waits for `main`, which waits for its end; all others wait behind the two.
    assert_eq!(crowd.found(), circle(Verdict::Proved, 2));
}

#[test]
fn each_waits_for_an_answer_and_main_for_all_of_them() {
    let mut crowd = Crowd::of(Kind::TokioOneshot);
    for task in tasks() {
        let channel = crowd.object(task.number());
        crowd.has(main(), Role::Sender, channel);
        crowd.has(task, Role::Receiver, channel);
        crowd.waits(task, Operation::Recv, channel, Party::UNKNOWN);
        crowd.waits(main(), Operation::Join, 0, task);
    }
    // All wait for each other by way of the ends, which any of them may have; `main` waits behind them.
    assert_eq!(crowd.found(), circle(Verdict::Suspected, MANY));
}
