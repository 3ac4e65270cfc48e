//! Two states of a program compared: before and after a change, each recorded once or several times.
//!
//! [`Diff`] serialized is the JSON of `lockprof diff`; its fields are described in `SCHEMA.md`. [`text`] prints it.
mod measure;
mod pairs;
pub mod text;

pub use measure::{CONFIDENCE, Change, Measure, Side};

use crate::findings::{Finding, Verdict, duration};
use crate::report::{ClassReport, PopulationReport, Report, SiteReport};
use pairs::{Identity, pairs};
use serde::Serialize;
use std::collections::BTreeMap;

/// Version of the JSON's schema, as [`crate::report::SCHEMA`].
pub const SCHEMA: u32 = 1;
/// Sites that are listed of each class.
const SITES: usize = 16;
const NS_IN_SECOND: f64 = 1e9;

/// Everything that was compared.
#[derive(Clone, Debug, Serialize)]
pub struct Diff {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What came of it, in a plain sentence.
    pub sentence: String,
    /// What a reader should know of the traces, as sentences.
    pub notes: Vec<String>,
    /// Runs of each side.
    pub runs: [usize; 2],
    /// How sure the intervals are.
    pub confidence: f64,
    /// Lengths of the recordings, in nanoseconds.
    pub duration_ns: Measure,
    /// Time waited, all parties together and without idle receivers, in nanoseconds.
    pub waited_ns: Measure,
    /// Tasks and threads that were spawned.
    pub spawned: Measure,
    /// Tasks and threads that returned.
    pub finished: Measure,
    /// Tasks and threads blocked in a recorded wait in the end.
    pub blocked: Measure,
    /// Objects by class: those first whose waits changed most.
    pub classes: Vec<ClassDiff>,
    /// Tasks and threads by spawn line.
    pub populations: Vec<PopulationDiff>,
    /// Findings of one side or both.
    pub findings: Vec<FindingDiff>,
}

/// The objects of one kind created at one line.
#[derive(Clone, Debug, Serialize)]
pub struct ClassDiff {
    /// What they are.
    pub kind: String,
    /// A name that the program gave, else the type of what they hold.
    pub name: String,
    /// Where they are created, before and after; `None` where they are new or gone.
    pub created_at: [Option<String>; 2],
    /// Whether that is where one was used first: a library has made them, or nobody knows who.
    pub first_used: bool,
    /// Uses in a second.
    pub uses_per_s: Measure,
    /// Uses.
    pub acquisitions: Measure,
    /// Uses with a wait, as a share of all.
    pub contended_share: Measure,
    /// Time waited, without idle receivers.
    pub waited_ns: Measure,
    /// The median wait.
    pub wait_p50_ns: Measure,
    /// What one wait in a hundred exceeds.
    pub wait_p99_ns: Measure,
    /// The median hold.
    pub hold_p50_ns: Measure,
    /// What one hold in a hundred exceeds.
    pub hold_p99_ns: Measure,
    /// Lines that waited or held.
    pub sites: Vec<SiteDiff>,
}

/// A line that waits for, or holds, objects of a class.
#[derive(Clone, Debug, Serialize)]
pub struct SiteDiff {
    /// "lock", "send", "held".
    pub operation: String,
    /// Where, before and after.
    pub at: [Option<String>; 2],
    /// How often.
    pub count: Measure,
    /// How long together.
    pub ns: Measure,
}

/// Tasks or threads spawned at one line.
#[derive(Clone, Debug, Serialize)]
pub struct PopulationDiff {
    /// "task", "thread".
    pub kind: String,
    /// Where, before and after.
    pub spawned_at: [Option<String>; 2],
    /// How many were spawned.
    pub spawned: Measure,
    /// The most that lived at once.
    pub peak: Measure,
    /// How many live in the end.
    pub live: Measure,
    /// How many of them in a recorded wait.
    pub blocked: Measure,
}

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// In no run before, in some after.
    New,
    /// In some runs before, in none after.
    Gone,
    /// In runs of both.
    Kept,
}

/// A finding.
#[derive(Clone, Debug, Serialize)]
pub struct FindingDiff {
    /// What became of it.
    pub fate: Fate,
    /// In how many runs it is, before and after.
    pub runs: [usize; 2],
    /// The finding, as the last run that has it tells it.
    pub finding: Finding,
}

/// Something in the runs of both sides; `None` where a run has it not.
struct Matched<'a, T>([Vec<Option<&'a T>>; 2]);

impl<'a, T> Matched<'a, T> {
    /// The same in the last run that has it, of one side.
    fn of(&self, side: usize) -> Option<&'a T> {
        self.0[side].iter().rev().flatten().next().copied()
    }

    /// The same of any side, the later one first.
    fn any(&self) -> &'a T {
        self.of(1).or(self.of(0)).expect("it is in some run")
    }

    fn places(&self, at: impl Fn(&T) -> &String) -> [Option<String>; 2] {
        [0, 1].map(|side| self.of(side).map(|thing| at(thing).clone()))
    }

    fn measure(&self, among: usize, value: impl Fn(&T) -> f64) -> Measure {
        let [before, after] =
            [0, 1].map(|side| self.0[side].iter().map(|thing| thing.map_or(0.0, &value)).collect());
        Measure::new(before, after, among)
    }

    fn ns(&self, among: usize, value: impl Fn(&T) -> u64) -> Measure {
        self.measure(among, |thing| value(thing) as f64)
    }
}

/// Brings together what is the same in all runs: those of one side by its place, the sides as builds that differ.
fn matched<'a, R, T: 'a>(
    runs: [&[&'a R]; 2],
    list: impl Fn(&'a R) -> Vec<&'a T>,
    identity: impl Fn(&T) -> Identity,
) -> Vec<Matched<'a, T>> {
    let [before, after] = runs.map(|runs| {
        let mut side: BTreeMap<Identity, Vec<Option<&'a T>>> = BTreeMap::new();
        for (number, run) in runs.iter().enumerate() {
            for thing in list(run) {
                side.entry(identity(thing)).or_insert_with(|| vec![None; runs.len()])[number] = Some(thing);
            }
        }
        side
    });
    let missing = |side: usize| vec![None; runs[side].len()];
    let pairs = pairs(before, after).into_iter();
    pairs
        .map(|(before, after)| {
            Matched([before.unwrap_or_else(|| missing(0)), after.unwrap_or_else(|| missing(1))])
        })
        .collect()
}

/// Compares the reports of runs before with those of runs after, each of one trace.
pub fn diff(before: &[Report], after: &[Report]) -> Diff {
    let [before, after] = [before, after].map(|side| side.iter().collect::<Vec<&Report>>());
    let runs: [&[&Report]; 2] = [&before, &after];
    let total = |value: &dyn Fn(&Report) -> u64| {
        let [before, after] = runs.map(|runs| runs.iter().map(|run| value(run) as f64).collect());
        Measure::new(before, after, 1)
    };
    let populations = |report: &Report, value: fn(&PopulationReport) -> u64| {
        report.tasks.iter().chain(&report.threads).map(value).fold(0, u64::saturating_add)
    };
    let findings = findings(runs);
    let duration_ns = total(&|report| report.duration_ns);
    let waited_ns =
        total(&|report| report.classes.iter().map(|class| class.stood_ns).fold(0, u64::saturating_add));
    Diff {
        schema: SCHEMA,
        sentence: sentence(&waited_ns, &duration_ns, &findings),
        notes: vec![],
        runs: runs.map(<[&Report]>::len),
        confidence: CONFIDENCE,
        spawned: total(&|report| populations(report, |of| of.spawned)),
        finished: total(&|report| populations(report, |of| of.finished)),
        blocked: total(&|report| populations(report, |of| of.blocked)),
        duration_ns,
        waited_ns,
        classes: classes(runs),
        populations: spawned(runs),
        findings,
    }
}

fn classes(runs: [&[&Report]; 2]) -> Vec<ClassDiff> {
    let identity =
        |class: &ClassReport| Identity::new(format!("{} {}", class.kind, class.name), &class.created_at);
    let matched = matched(runs, |report: &Report| report.classes.iter().collect(), identity);
    let among = matched.len();
    let seconds = |side: usize| runs[side].iter().map(|run| run.duration_ns.max(1) as f64 / NS_IN_SECOND);
    let mut classes: Vec<ClassDiff> = matched
        .into_iter()
        .map(|class| {
            let [before, after] = [0, 1].map(|side| {
                let uses = class.0[side].iter().map(|class| class.map_or(0, |class| class.acquisitions));
                uses.zip(seconds(side)).map(|(uses, seconds)| uses as f64 / seconds).collect()
            });
            let share = |class: &ClassReport| class.contended as f64 / class.acquisitions.max(1) as f64;
            let any = class.any();
            ClassDiff {
                kind: any.kind.clone(),
                name: any.name.clone(),
                created_at: class.places(|class| &class.created_at),
                first_used: any.first_used,
                uses_per_s: Measure::new(before, after, among),
                acquisitions: class.ns(among, |class| class.acquisitions),
                contended_share: class.measure(among, share),
                waited_ns: class.ns(among, |class| class.stood_ns),
                wait_p50_ns: class.ns(among, |class| class.wait_ns.p50),
                wait_p99_ns: class.ns(among, |class| class.wait_ns.p99),
                hold_p50_ns: class.ns(among, |class| class.hold_ns.p50),
                hold_p99_ns: class.ns(among, |class| class.hold_ns.p99),
                sites: sites(&class, among),
            }
        })
        .collect();
    let cost = |class: &ClassDiff| (class.waited_ns.after.mean - class.waited_ns.before.mean).abs();
    classes.sort_by(|one, other| {
        cost(other).total_cmp(&cost(one)).then_with(|| one.created_at.cmp(&other.created_at))
    });
    classes
}

fn sites(class: &Matched<'_, ClassReport>, among: usize) -> Vec<SiteDiff> {
    // A run that has not the class has no sites: it counts all the same.
    let empty = ClassReport::default();
    let [before, after] =
        [0, 1].map(|side| class.0[side].iter().map(|class| class.unwrap_or(&empty)).collect());
    let runs: [&Vec<&ClassReport>; 2] = [&before, &after];
    let matched = matched(
        [runs[0], runs[1]],
        |class: &ClassReport| class.waiting_sites.iter().chain(&class.holding_sites).collect(),
        |site: &SiteReport| Identity::new(site.operation.clone(), &site.at),
    );
    let mut sites: Vec<SiteDiff> = matched
        .into_iter()
        .map(|site| SiteDiff {
            operation: site.any().operation.clone(),
            at: site.places(|site| &site.at),
            count: site.ns(among, |site| site.count),
            ns: site.ns(among, |site| site.ns),
        })
        .collect();
    let cost = |site: &SiteDiff| (site.ns.after.mean - site.ns.before.mean).abs();
    sites.sort_by(|one, other| cost(other).total_cmp(&cost(one)).then_with(|| one.at.cmp(&other.at)));
    sites.truncate(SITES);
    sites
}

fn spawned(runs: [&[&Report]; 2]) -> Vec<PopulationDiff> {
    let matched = matched(
        runs,
        |report: &Report| report.tasks.iter().chain(&report.threads).collect(),
        |of: &PopulationReport| Identity::new(of.kind.clone(), &of.spawned_at),
    );
    let among = matched.len();
    let of = |of: Matched<'_, PopulationReport>| PopulationDiff {
        kind: of.any().kind.clone(),
        spawned_at: of.places(|of| &of.spawned_at),
        spawned: of.ns(among, |of| of.spawned),
        peak: of.ns(among, |of| of.peak),
        live: of.ns(among, |of| of.live),
        blocked: of.ns(among, |of| of.blocked),
    };
    matched.into_iter().map(of).collect()
}

fn findings(runs: [&[&Report]; 2]) -> Vec<FindingDiff> {
    let objects = |finding: &Finding| {
        let kinds = finding.objects.iter().map(|object| format!("{} {}", object.kind, object.name));
        kinds.collect::<Vec<_>>().join(", ")
    };
    let identity =
        |finding: &Finding| Identity::new(format!("{} {}", finding.code, objects(finding)), &finding.at);
    let matched = matched(runs, |report: &Report| report.findings.iter().collect(), identity);
    let mut findings: Vec<FindingDiff> = matched
        .into_iter()
        .map(|finding| {
            let runs = [0, 1].map(|side| finding.0[side].iter().flatten().count());
            let fate = match runs {
                [0, _] => Fate::New,
                [_, 0] => Fate::Gone,
                _ => Fate::Kept,
            };
            FindingDiff { fate, runs, finding: finding.any().clone() }
        })
        .collect();
    findings.sort_by(|one, other| {
        let rank = |of: &FindingDiff| (of.fate, of.finding.verdict);
        rank(one).cmp(&rank(other)).then(other.finding.blocked_ns.cmp(&one.finding.blocked_ns))
    });
    findings
}

/// The share of the time recorded up to which a change of what is waited is not worth a word.
const LITTLE: f64 = 1e-3;

/// "Waiting fell by 62 %, from 3.40 s to 1.30 s. 3 findings are gone, none is new."
fn sentence(waited: &Measure, length: &Measure, findings: &[FindingDiff]) -> String {
    let [before, after] = [&waited.before, &waited.after].map(|side| duration(side.mean as u64));
    let little = |waited: f64, length: f64| waited <= length * LITTLE;
    let waiting = match (waited.change, waited.relative()) {
        _ if waited.before.mean == 0.0 && waited.after.mean == 0.0 => {
            "Nobody waited, before or after.".into()
        }
        _ if little(waited.before.mean, length.before.mean)
            && little(waited.after.mean, length.after.mean) =>
        {
            format!("Next to nothing is waited, before or after: {before} and {after}.")
        }
        (Change::None, _) if waited.before.mean == waited.after.mean => {
            format!("Waiting is the same: {before}.")
        }
        (Change::None, _) if waited.difference.is_none() => {
            format!("Waiting is about the same: {before} before, {after} after.")
        }
        (Change::None, _) => format!(
            "No significant change in waiting: {before} before, {after} after{}.",
            text::interval(waited).map(|interval| format!(" ({interval})")).unwrap_or_default()
        ),
        (_, None) => format!("Waiting is new: {after}, where nobody waited before."),
        (change, Some(relative)) => format!(
            "Waiting {} by {}, from {before} to {after}{}.",
            if change == Change::Rose { "rose" } else { "fell" },
            text::percent(relative.abs()),
            text::interval(waited).map(|interval| format!(" ({interval})")).unwrap_or_default()
        ),
    };
    let length = match length.change {
        Change::None => String::new(),
        _ => {
            let [before, after] = [&length.before, &length.after].map(|side| duration(side.mean as u64));
            format!(" The recordings are of different length: {before} and {after}.")
        }
    };
    let firm = |fate| {
        let findings = findings.iter().filter(|of| of.fate == fate);
        findings.filter(|of| of.finding.verdict != Verdict::Hazard).count()
    };
    let all = |fate| findings.iter().filter(|of| of.fate == fate).count();
    let told = |fate, what: &str| match (all(fate), firm(fate)) {
        (0, _) => format!("no finding is {what}"),
        (1, firm) => format!("1 finding is {what}{}", if firm == 1 { "" } else { " (a hazard)" }),
        (all, firm) if firm == all => format!("{all} findings are {what}"),
        (all, firm) if all - firm == 1 => format!("{all} findings are {what} (1 of them a hazard)"),
        (all, firm) => format!("{all} findings are {what} ({} of them hazards)", all - firm),
    };
    let (gone, new) = (told(Fate::Gone, "gone"), told(Fate::New, "new"));
    let mut gone = gone.chars();
    let gone: String = gone.next().into_iter().flat_map(char::to_uppercase).chain(gone).collect();
    format!("{waiting}{length} {gone}, {new}.")
}
