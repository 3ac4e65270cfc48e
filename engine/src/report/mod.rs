//! The report: what was recorded and lost, the classes of objects in numbers, tasks and watchers, and the findings.
//!
//! [`Report`] serialized is `report.json`; its fields are described in `SCHEMA.md`. [`text`] prints it for people.
mod classes;
mod diagnostic;
mod drawn;
mod fingerprint;
pub(crate) mod shown;
mod spans;
mod table;
pub mod text;

pub use classes::{classes, numbered_classes, numbered_populations, populations};
pub use diagnostic::{Spot, spots};
pub use drawn::{Drawn, DrawnLane, Level};
pub use fingerprint::fingerprint;
pub use shown::{TextOptions, shown};
pub use spans::{RequestReport, SpanReport};

use crate::findings::{self, Context, Finding, ObjectReport};
use crate::model::Model;
use crate::symbols::Resolve;
use crate::{Options, findings::Verdict};
use lockprof_trace::{End, Kind, Loss};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Version of the JSON's schema: it grows with each change that a reader of the old one would stumble over.
pub const SCHEMA: u32 = 1;

/// A distribution of lengths of time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Times {
    /// Their sum.
    pub total: u64,
    /// The median.
    pub p50: u64,
    /// What one in a hundred exceeds.
    pub p99: u64,
    /// The greatest.
    pub max: u64,
}

/// What happened at one site.
#[derive(Clone, Debug, Serialize)]
pub struct SiteReport {
    /// "file:line:column".
    pub at: String,
    /// What is done there: "lock", "send"; of a holding site "held".
    pub operation: String,
    /// How often.
    pub count: u64,
    /// How long together, in nanoseconds.
    pub ns: u64,
    /// The longest, in nanoseconds.
    pub max_ns: u64,
    /// Of a holding site: how long others waited while it held, in nanoseconds.
    pub caused_ns: u64,
    /// Of a holding site: how many of its holds go on in the end. They are counted up to there.
    pub still: u64,
}

/// Objects of one kind created at one line.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ClassReport {
    /// What they are.
    pub kind: String,
    /// A name that the program gave, else the type of what they hold.
    pub name: String,
    /// Where they were created, "file:line:column".
    pub created_at: String,
    /// Whether that is where one was used first: a library has made them, or nobody knows who.
    pub first_used: bool,
    /// How many there were.
    pub instances: u64,
    /// How many live in the end.
    pub live: u64,
    /// How often they were acquired, or used.
    pub acquisitions: u64,
    /// How often with a wait.
    pub contended: u64,
    /// Waits that have not ended.
    pub waiting: u64,
    /// What was counted, one by one: "writes", "reads", "sends" and so on.
    pub counts: BTreeMap<&'static str, u64>,
    /// Waits, those included that never ended.
    pub wait_ns: Times,
    /// How many are held in the end.
    pub holding: u64,
    /// Holds, those included that go on in the end, up to there.
    pub hold_ns: Times,
    /// The part of the waits that is trouble in itself: for locks, permits and room in channels; not that of idle
    /// receivers. In nanoseconds.
    pub stood_ns: u64,
    /// The same, all parties together, as a share of the time recorded: 1 is one party all the time.
    pub wait_share: f64,
    /// Of maps that grew while they were recorded: bytes for which there was room in the largest, without what keys and values
    /// point to; 0 where not known.
    pub room_bytes: u64,
    /// Lines that waited, longest together first.
    pub waiting_sites: Vec<SiteReport>,
    /// Lines that held, those first that made others wait longest.
    pub holding_sites: Vec<SiteReport>,
    /// The process, as a place among `processes`.
    pub process: usize,
}

/// Tasks, blocking jobs or threads spawned at one line.
#[derive(Clone, Debug, Serialize)]
pub struct PopulationReport {
    /// "task", "blocking task", "thread".
    pub kind: String,
    /// "file:line:column"; empty for threads that were not spawned through lockprof.
    pub spawned_at: String,
    /// How many were spawned.
    pub spawned: u64,
    /// How many live in the end.
    pub live: u64,
    /// The most that lived at once.
    pub peak: u64,
    /// How many returned.
    pub finished: u64,
    /// How many panicked.
    pub panicked: u64,
    /// How many were aborted.
    pub cancelled: u64,
    /// How many were dropped unfinished by their runtime's shutdown.
    pub dropped: u64,
    /// How many were blocked in a recorded wait in the end.
    pub blocked: u64,
    /// How long those that have ended lived together, in nanoseconds.
    pub lived_ns: u64,
    /// The process, as a place among `processes`.
    pub process: usize,
}

/// Watchers registered at one line.
#[derive(Clone, Debug, Serialize)]
pub struct WatcherReport {
    /// "file:line:column".
    pub created_at: String,
    /// How many live in the end.
    pub live: u64,
    /// How many were released.
    pub released: u64,
    /// Values delivered to them.
    pub delivered: u64,
    /// The process, as a place among `processes`.
    pub process: usize,
}

/// Time that tasks of one spawn line, or a thread, were found running.
#[derive(Clone, Debug, Serialize)]
pub struct CpuReport {
    /// "task spawned at file:line", "thread 3 (worker)".
    pub by: String,
    /// Samples.
    pub samples: u64,
    /// The time on a core that they stand for, in nanoseconds.
    pub cpu_ns: u64,
    /// The process, as a place among `processes`.
    pub process: usize,
}

/// One process that recorded.
#[derive(Clone, Debug, Serialize)]
pub struct ProcessReport {
    /// Its number.
    pub pid: u64,
    /// Its executable.
    pub exe: String,
    /// What was recorded: "profile" or "full".
    pub mode: String,
    /// How long, in nanoseconds.
    pub duration_ns: u64,
    /// When it began, in nanoseconds since 1970.
    pub began_unix_ns: u64,
    /// How it ended: "finished", "killed", "cut off".
    pub ended: String,
    /// What stopped the recording early; empty where nothing did.
    pub reason: String,
    /// How stacks were captured.
    pub stacks: String,
    /// How far the clocks of two cores were apart when the recording started, and by how much that may be wrong, in
    /// nanoseconds; none where it was not measured.
    pub clock_skew_ns: Option<[u64; 2]>,
    /// Version of the agent.
    pub agent: String,
    /// What is missing, by kind.
    pub lost: BTreeMap<&'static str, u64>,
}

/// Everything that is known, most costly first in each list.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The number of the process; of several the first one's.
    pub pid: u64,
    /// Its executable.
    pub exe: String,
    /// What was recorded.
    pub mode: String,
    /// How long; of several processes the longest. In nanoseconds.
    pub duration_ns: u64,
    /// How it ended.
    pub ended: String,
    /// What a reader should know of the traces, as sentences: damage, a cut, names that could not be found. Told by who
    /// reads them.
    pub notes: Vec<String>,
    /// Whether a trace is damaged or was cut off, so that nobody knows what is missing. Told by who reads them.
    pub broken: bool,
    /// What is missing, by kind, over all processes; every kind is there.
    pub lost: BTreeMap<&'static str, u64>,
    /// The processes.
    pub processes: Vec<ProcessReport>,
    /// Classes of objects.
    pub classes: Vec<ClassReport>,
    /// Tasks by spawn line.
    pub tasks: Vec<PopulationReport>,
    /// Threads by spawn line.
    pub threads: Vec<PopulationReport>,
    /// Watchers by the line that registers them.
    pub watchers: Vec<WatcherReport>,
    /// Tracing spans by name.
    pub spans: Vec<SpanReport>,
    /// The requests that waited longest, by trace id.
    pub requests: Vec<RequestReport>,
    /// Time on a core by task or thread; empty where none was sampled.
    pub cpu: Vec<CpuReport>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The objects that findings speak of.
    pub objects: Vec<ObjectReport>,
    /// What the flame graphs are drawn from; not part of the JSON.
    #[serde(skip)]
    pub folded: Folded,
    /// What the timeline is drawn from, where the models kept it; not part of the JSON.
    #[serde(skip)]
    pub drawn: Drawn,
}

/// Folded stacks: see `folded`.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    /// Time waited, in microseconds.
    pub waits: Vec<String>,
    /// Time held, in microseconds.
    pub holds: Vec<String>,
    /// Tasks and threads alive in the end.
    pub tasks: Vec<String>,
    /// Time waited by tracing span, in microseconds; empty where there are no spans.
    pub spans: Vec<String>,
    /// Time on a core, in microseconds; empty where none was sampled.
    pub cpu: Vec<String>,
    /// Time on a core and in waits, in microseconds; empty where none was sampled.
    pub time: Vec<String>,
}

impl Report {
    /// How many findings have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }
}

/// Builds the report; see `analyze`.
pub(crate) fn build(models: Vec<Model>, options: &Options, symbols: &dyn Resolve) -> Report {
    let models: Vec<Model> = models.into_iter().map(Model::resolved).collect();
    let contexts: Vec<Context<'_>> = models
        .iter()
        .enumerate()
        .map(|(process, model)| Context::new(process, model, options, symbols))
        .collect();
    let processes: Vec<ProcessReport> = models.iter().map(process).collect();
    let mut lost: BTreeMap<&'static str, u64> = Loss::ALL.iter().map(|loss| (loss.name(), 0)).collect();
    processes
        .iter()
        .flat_map(|process| &process.lost)
        .for_each(|(kind, count)| crate::stats::add(lost.entry(kind).or_default(), *count));
    let mut findings: Vec<Finding> = contexts.iter().flat_map(findings::find).collect();
    findings::sort(&mut findings);
    let objects: BTreeSet<ObjectReport> =
        findings.iter().flat_map(|finding| finding.objects.clone()).collect();
    let mut classes: Vec<ClassReport> = contexts.iter().flat_map(classes::classes).collect();
    classes.sort_by(|one, other| {
        let cost = |class: &ClassReport| {
            (class.stood_ns, class.hold_ns.total, class.wait_ns.total, class.acquisitions)
        };
        (cost(other), &one.created_at).cmp(&(cost(one), &other.created_at))
    });
    let is_thread = |of: &PopulationReport| of.kind == Kind::Thread.name();
    let (threads, tasks) = contexts.iter().flat_map(classes::populations).partition(is_thread);
    let folded = Folded {
        waits: crate::folded::waits(&contexts),
        holds: crate::folded::holds(&contexts),
        tasks: crate::folded::tasks(&contexts),
        spans: crate::folded::spans(&contexts),
        cpu: crate::folded::cpu(&contexts),
        time: crate::folded::time(&contexts),
    };
    let drawn = drawn::draw(&contexts);
    let first = processes.first().cloned();
    Report {
        schema: SCHEMA,
        pid: first.as_ref().map_or(0, |process| process.pid),
        exe: first.as_ref().map(|process| process.exe.clone()).unwrap_or_default(),
        mode: first.as_ref().map(|process| process.mode.clone()).unwrap_or_default(),
        duration_ns: processes.iter().map(|process| process.duration_ns).max().unwrap_or(0),
        ended: first.map(|process| process.ended).unwrap_or_default(),
        notes: vec![],
        broken: false,
        lost,
        processes,
        classes,
        tasks,
        threads,
        watchers: contexts.iter().flat_map(classes::watchers).collect(),
        spans: contexts.iter().flat_map(spans::spans).collect(),
        requests: contexts.iter().flat_map(spans::requests).collect(),
        cpu: contexts.iter().flat_map(classes::cpu).collect(),
        findings,
        objects: objects.into_iter().collect(),
        folded,
        drawn,
    }
}

fn process(model: &Model) -> ProcessReport {
    let session = &model.session;
    ProcessReport {
        pid: session.pid,
        exe: session.exe.clone(),
        mode: session.mode.map(|mode| mode.name()).unwrap_or("unknown").into(),
        duration_ns: model.ns(model.end().saturating_sub(session.at)),
        began_unix_ns: session.unix_ns,
        ended: session.end.unwrap_or(End::Cut).name().into(),
        reason: session.reason.clone(),
        stacks: session.stacks.clone(),
        clock_skew_ns: session.skew.map(|(ticks, uncertain)| [ticks, uncertain].map(|ticks| model.ns(ticks))),
        agent: session.agent.clone(),
        lost: model
            .lost
            .iter()
            .filter(|lost| *lost.1 > 0)
            .map(|(loss, count)| (loss.name(), *count))
            .collect(),
    }
}
