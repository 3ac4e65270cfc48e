//! What is shown at one moment: the numbers of a reading, and what has changed since the one before.
use super::Reading;
use lockprof_engine::Options;
use lockprof_engine::findings::{self, Context, Verdict};
use lockprof_engine::model::Model;
use lockprof_engine::now::{self, WaitNow};
use lockprof_engine::report::{self, ClassReport, PopulationReport};
use lockprof_engine::symbols::Resolve;
use std::collections::HashMap;

/// See the module.
#[derive(Default)]
pub struct Frame {
    /// What was read; drilling down asks it.
    pub model: Model,
    /// Why this is not the state of a process that runs.
    pub note: Option<String>,
    /// How long is recorded, in nanoseconds.
    pub recorded_ns: u64,
    /// Since when rates count, in nanoseconds: the frame before, or the begin of the recording.
    pub interval_ns: u64,
    /// Locks, channels and whatever else is waited for.
    pub classes: Vec<ClassNow>,
    /// Tasks and threads by spawn line.
    pub populations: Vec<PopulationNow>,
    /// Who waits.
    pub waits: Vec<WaitNow>,
    /// Findings by verdict: proved, suspected.
    pub findings: [usize; 2],
    /// Events that are not in the recording.
    pub lost: u64,
}

/// Objects of one class, and what happened to them in the interval.
pub struct ClassNow {
    /// What tells the class from others, in all readings.
    number: u64,
    /// Their numbers since the begin.
    pub all: ClassReport,
    /// Time waited that is trouble, all parties together, in nanoseconds.
    pub stood_ns: u64,
    /// Waits that began or ended.
    pub waits: u64,
    /// Acquisitions, or uses.
    pub acquisitions: u64,
    /// Messages sent.
    pub sends: u64,
}

/// Tasks or threads of one line, and what happened to them in the interval.
pub struct PopulationNow {
    /// What tells the spawn line from others, in all readings.
    number: u64,
    /// Their numbers since the begin.
    pub all: PopulationReport,
    /// How many were spawned.
    pub spawned: u64,
    /// How many ended.
    pub ended: u64,
}

impl Frame {
    /// Of a reading, and of what was shown before it.
    pub fn of(reading: Reading, before: Option<&Frame>, symbols: &dyn Resolve) -> Self {
        let Reading { model, note } = reading;
        let options = Options::default();
        let context = Context::new(0, &model, &options, symbols);
        let waits = now::waits(&context);
        let old = before.iter().flat_map(|frame| &frame.classes);
        let old: HashMap<_, _> = old.map(|class| (class.number, &class.all)).collect();
        let classes = report::numbered_classes(&context).into_iter().map(|(number, all)| {
            let none = ClassReport::default();
            let was = old.get(&number).copied().unwrap_or(&none);
            let since = |count: fn(&ClassReport) -> u64| count(&all).saturating_sub(count(was));
            ClassNow {
                number,
                stood_ns: since(|class| class.stood_ns),
                waits: since(|class| class.contended),
                acquisitions: since(|class| class.acquisitions),
                sends: since(sends),
                all: all.clone(),
            }
        });
        let classes = classes.collect();
        let old = before.iter().flat_map(|frame| &frame.populations);
        let old: HashMap<_, _> = old.map(|of| (of.number, &of.all)).collect();
        let populations = report::numbered_populations(&context).into_iter().map(|(number, all)| {
            let was = old.get(&number).copied();
            let (spawned, gone) = was.map_or((0, 0), |was| (was.spawned, ended(was)));
            PopulationNow {
                number,
                spawned: all.spawned.saturating_sub(spawned),
                ended: ended(&all).saturating_sub(gone),
                all,
            }
        });
        let populations = populations.collect();
        let found = findings::find(&context);
        let count = |verdict| found.iter().filter(|finding| finding.verdict == verdict).count();
        let recorded_ns = model.ns(model.end().saturating_sub(model.session.at));
        Self {
            note,
            recorded_ns,
            interval_ns: recorded_ns - before.map_or(0, |frame| frame.recorded_ns.min(recorded_ns)),
            classes,
            populations,
            waits,
            findings: [count(Verdict::Proved), count(Verdict::Suspected)],
            lost: model.lost.values().sum(),
            model,
        }
    }

    /// So many in the interval, as a number for a second.
    pub fn rate(&self, count: u64) -> f64 {
        if self.interval_ns == 0 { 0.0 } else { count as f64 * 1e9 / self.interval_ns as f64 }
    }
}

/// How many of them have ended, in whatever way.
fn ended(of: &PopulationReport) -> u64 {
    of.finished + of.panicked + of.cancelled + of.dropped
}

/// Messages sent since the begin.
pub fn sends(class: &ClassReport) -> u64 {
    class.counts.get("sends").copied().unwrap_or(0)
}
