//! Situations told in a few lines, as the events that a recorder would write. A tick is a nanosecond.
#![allow(dead_code)] // Each test program uses some of it.
use lockprof_engine::findings::{Finding, PartyRole, Verdict};
use lockprof_engine::model::Model;
use lockprof_engine::report::Report;
use lockprof_engine::symbols::NoSymbols;
use lockprof_engine::{Options, analyze};
use lockprof_trace::{
    End, Event, HoldSource, Kind, Loss, Mode, Operation, Outcome, Party, Role, TaskState, WaitEnd,
};

/// One second in ticks.
pub const SECOND: u64 = 1_000_000_000;
/// When stories begin and end.
pub const BEGIN: u64 = 1_000;
pub const FINISH: u64 = BEGIN + 10 * SECOND;

/// The events of one process, in the making.
pub struct Story {
    pub events: Vec<Event<'static>>,
    next: u64,
}

impl Story {
    pub fn new() -> Self {
        let session = Event::Session {
            at: BEGIN,
            unix_ns: 1_700_000_000_000_000_000,
            ticks_per_4s: 1 << 32,
            coarse_ticks: 2_000_000,
            mode: Mode::Profile,
            pid: 7,
            exe: "/usr/bin/shop".into(),
            memory: "".into(),
            stacks: "none".into(),
            agent: "0.1.0".into(),
        };
        Self { events: vec![session, Event::Unseen { at: BEGIN, others: 0, ran: 0 }], next: 1 }
    }

    pub fn add(&mut self, event: Event<'static>) {
        self.events.push(event);
    }

    /// A site of the file `shop.rs`, by its line.
    pub fn line(&mut self, line: u64) -> u64 {
        let site = 0x1000 + line;
        let told =
            self.events.iter().any(|event| matches!(event, Event::Site { site: of, .. } if *of == site));
        if !told {
            self.add(Event::Site { site, file: "shop.rs".into(), line, column: 5 });
        }
        site
    }

    pub fn class(&mut self, kind: Kind, line: u64) -> u64 {
        let (class, site) = (line, self.line(line));
        self.add(Event::Class { class, kind, site, type_name: "".into() });
        class
    }

    /// An object created at a line.
    pub fn object(&mut self, kind: Kind, line: u64) -> u64 {
        let (class, object) = (self.class(kind, line), self.next * 4);
        self.next += 1;
        self.add(Event::Object { at: BEGIN, object, class, capacity: 1 });
        object
    }

    pub fn thread(&mut self, line: u64) -> Party {
        self.thread_at(BEGIN, line)
    }

    pub fn thread_at(&mut self, at: u64, line: u64) -> Party {
        let class = self.class(Kind::Thread, line);
        let thread = Party::thread(self.next);
        self.next += 1;
        let (parent, name) = (Party::UNKNOWN, "".into());
        self.add(Event::Thread { at, thread, parent, class, os_id: 1, name });
        thread
    }

    /// The thread that runs `main`.
    pub fn main(&mut self) -> Party {
        let (thread, parent) = (Party::thread(self.next), Party::UNKNOWN);
        self.next += 1;
        self.add(Event::Thread { at: BEGIN, thread, parent, class: 0, os_id: 7, name: "shop".into() });
        thread
    }

    pub fn task_at(&mut self, at: u64, line: u64) -> Party {
        self.task_of(Kind::Task, at, line)
    }

    pub fn task_of(&mut self, kind: Kind, at: u64, line: u64) -> Party {
        let class = self.class(kind, line);
        let task = Party::task(self.next);
        self.next += 1;
        self.add(Event::Task { at, task, parent: Party::UNKNOWN, class, runtime: 0 });
        task
    }

    pub fn task(&mut self, line: u64) -> Party {
        self.task_at(BEGIN, line)
    }

    pub fn ends(&mut self, party: Party) {
        self.ends_at(party, BEGIN + SECOND);
    }

    pub fn ends_at(&mut self, party: Party, at: u64) {
        let outcome = Outcome::Finished;
        self.add(match party.is_task() {
            true => Event::TaskEnd { at, task: party, outcome, polls: 3 },
            false => Event::ThreadEnd { at, thread: party, outcome },
        });
    }

    /// A guard or an end of a channel that lives: made at a line, used so often.
    pub fn handle(&mut self, party: Party, role: Role, object: u64, line: u64, count: u64) {
        let site = self.line(line);
        self.add(Event::Handle { object, role, party, site, since: BEGIN + 10, count, moved: 0 });
    }

    /// How the handle that was told last came to its party, and what else is known of it: see `lockprof_trace::memory::entry`.
    pub fn came(&mut self, how: u64) {
        if let Some(Event::Handle { moved, .. }) = self.events.last_mut() {
            *moved = how;
        }
    }

    pub fn holds(&mut self, party: Party, object: u64, line: u64) {
        self.handle(party, Role::Exclusive, object, line, 1);
    }

    pub fn waits_since(&mut self, since: u64, party: Party, operation: Operation, object: u64, line: u64) {
        let (site, holder) = (self.line(line), Party::UNKNOWN);
        self.add(Event::OpenWait {
            since,
            party,
            object,
            operation,
            site,
            stack: 0,
            holder,
            holder_site: 0,
            limited: 0,
        });
    }

    /// A wait that began two seconds in, and never ended.
    pub fn waits(&mut self, party: Party, operation: Operation, object: u64, line: u64) {
        self.waits_since(BEGIN + 2 * SECOND, party, operation, object, line);
    }

    pub fn joins(&mut self, party: Party, target: Party, line: u64) {
        let site = self.line(line);
        let (since, operation) = (BEGIN + 2 * SECOND, Operation::Join);
        self.add(Event::OpenWait {
            since,
            party,
            object: 0,
            operation,
            site,
            stack: 0,
            holder: target,
            holder_site: 0,
            limited: 0,
        });
    }

    /// A wait that ended so at `at`, after `ticks`, while somebody held from `held` on (a line; 0: not known).
    #[allow(clippy::too_many_arguments)]
    pub fn waited(
        &mut self,
        at: u64,
        ticks: u64,
        party: Party,
        operation: Operation,
        object: u64,
        line: u64,
        end: WaitEnd,
        held: u64,
    ) {
        let (site, holder_site) = (self.line(line), if held == 0 { 0 } else { self.line(held) });
        let holder = Party::UNKNOWN;
        self.add(Event::Wait {
            at,
            ticks,
            party,
            object,
            operation,
            site,
            stack: 0,
            end,
            holder,
            holder_site,
        });
    }

    pub fn held(&mut self, at: u64, ticks: u64, party: Party, object: u64, line: u64, source: HoldSource) {
        let site = self.line(line);
        self.add(Event::Hold { at, ticks, party, object, site, source });
    }

    /// Something begun while other things were held: ids that count them, and lines; line 0 for an await.
    pub fn nested(
        &mut self,
        party: Party,
        operation: Operation,
        (object, line): (u64, u64),
        held: &[(u64, u64)],
    ) {
        let site = if line == 0 { 0 } else { self.line(line) };
        let held = held.iter().flat_map(|(id, line)| [*id, self.line(*line)]).collect::<Vec<_>>().into();
        self.add(Event::Nested { at: BEGIN + SECOND, party, object, operation, site, held });
    }

    pub fn counts(&mut self, object: u64, count: u64, contended: u64) {
        self.add(Event::Counts {
            object,
            count,
            contended,
            wait_ticks: 0,
            wait_max: 0,
            hold_ticks: 0,
            hold_max: 0,
            instances: 1,
            live: 1,
        });
    }

    pub fn parked(&mut self, task: Party, wakers: u64) {
        self.add(Event::OpenTask {
            task,
            state: TaskState::Parked,
            polls: 4,
            polled: BEGIN + 2 * SECOND,
            wakers,
        });
    }

    pub fn lost(&mut self, loss: Loss, count: u64) {
        self.add(Event::Lost { loss, count });
    }

    pub fn report(mut self) -> Report {
        self.add(Event::Finish { at: FINISH, end: End::Finished, reason: "".into() });
        let mut model = Model::new();
        self.events.iter().for_each(|event| model.event(event));
        analyze(vec![model], &Options::default(), &NoSymbols)
    }

    /// What may happen another time: the hazards of this code.
    pub fn hazards(self, code: &str) -> Vec<Finding> {
        let findings = self.report().findings.into_iter();
        findings.filter(|finding| finding.verdict == Verdict::Hazard && finding.code == code).collect()
    }

    /// What is found, which is the same where all definitions come last.
    pub fn firm(self) -> Vec<Finding> {
        let mut later = Story { events: self.events.clone(), next: self.next };
        let defines = |event: &Event<'_>| {
            matches!(
                event,
                Event::Site { .. } | Event::Class { .. } | Event::Object { .. } | Event::Task { .. }
            )
        };
        later.events[1..].sort_by_key(defines);
        let of = |report: Report| {
            let firm = report.findings.into_iter().filter(|finding| finding.verdict != Verdict::Hazard);
            firm.collect::<Vec<_>>()
        };
        let (firm, other) = (of(self.report()), of(later.report()));
        let told = |firm: &[Finding]| firm.iter().map(|finding| finding.message.clone()).collect::<Vec<_>>();
        assert_eq!(told(&firm), told(&other));
        firm
    }
}

/// The one that there is.
pub fn only<T: std::fmt::Debug>(mut findings: Vec<T>) -> T {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.remove(0)
}

/// Lines where parties of a role wait.
pub fn waiting(finding: &Finding, role: PartyRole) -> Vec<u64> {
    let parties = finding.parties.iter().filter(|party| party.role == role);
    let mut lines: Vec<u64> = parties.flat_map(|party| &party.waits).map(|wait| line(&wait.at)).collect();
    lines.sort_unstable();
    lines
}

/// The line of "shop.rs:line:column".
pub fn line(at: &str) -> u64 {
    at.split(':').nth(1).and_then(|line| line.parse().ok()).unwrap_or(0)
}
