//! What is stuck, asked in the process itself: by the program, or by a watchdog as it happens.
//!
//! The background thread gives what it writes to a model too. Who asks takes a copy of it and the state of the moment, and
//! looks for findings on its own thread, as `lockprof analyze` would. A program that runs does not stand still for that: what
//! is found must be found again a little later.
use crate::recorder;
use crate::{clock, platform};
use lockprof_engine::model::Model;
use lockprof_engine::report::{Report, TextOptions, text};
use lockprof_engine::symbols::{NoSymbols, Resolve};
use lockprof_engine::{Options, analyze};
use lockprof_trace::memory::{header, snapshot};
use lockprof_trace::{End, Event};
use std::collections::HashSet;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use lockprof_engine::findings::{Finding, Verdict};

/// Between two looks of which the second must confirm the first.
const AGAIN: Duration = Duration::from_millis(60);
/// For so long is waited for the background thread, at most: it may be starved.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was recorded so far.
static MODEL: Mutex<Option<Model>> = Mutex::new(None);

/// The model, for who feeds it or copies it.
pub(crate) struct Feed(MutexGuard<'static, Option<Model>>);

impl Feed {
    pub(crate) fn open() -> Self {
        Self(MODEL.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn event(&mut self, event: &Event<'_>) {
        self.0.get_or_insert_with(Model::new).event(event);
    }
}

/// The model of this moment, with all that has happened before the call; `None` where nothing is recorded.
pub(crate) fn model() -> Option<Model> {
    let memory = recorder::memory_of_this_process().filter(|_| is_recording())?;
    // A pass that had begun before the call may have missed something: the one after it has not.
    let before = memory.word(header::PASS).load(Relaxed);
    let begin = Instant::now();
    while memory.word(header::PASS).load(Relaxed) < before + 2 && begin.elapsed() < PATIENCE {
        recorder::press();
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut model = Feed::open().0.clone()?;
    snapshot(memory, &mut |event| model.event(event));
    model.event(&Event::Finish { at: clock::ticks(), end: End::Finished, reason: "".into() });
    // Where the recording has ended meanwhile, nobody has noted the ends of waits since.
    is_recording().then_some(model)
}

fn is_recording() -> bool {
    recorder::RECORDING.load(Relaxed)
}

/// What was stuck at one moment.
#[derive(Debug)]
pub struct Stuck(Option<Report>);

impl Stuck {
    /// Whether anything is recorded.
    #[cfg(feature = "http")]
    pub(crate) fn is_recorded(&self) -> bool {
        self.0.is_some()
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.findings().is_empty()
    }

    /// The findings of verdict proved or suspected, most costly first.
    pub fn findings(&self) -> &[Finding] {
        self.0.as_ref().map_or(&[], |report| &report.findings)
    }
}

/// As `lockprof analyze` prints findings, without colours.
impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(report) => f.write_str(text::findings(report, &TextOptions::default()).trim_start()),
            None => f.write_str("nothing is recorded\n"),
        }
    }
}

/// Whom a finding is about, and where.
fn key(finding: &Finding) -> (&'static str, String, Vec<(&'static str, u64)>) {
    let parties = finding.parties.iter().map(|party| (party.kind, party.id)).collect();
    (finding.code, finding.at.clone(), parties)
}

/// What was recorded so far, as `lockprof analyze` would report it.
pub(crate) fn report(symbols: &dyn Resolve) -> Option<Report> {
    Some(analyze(vec![model()?], &Options::default(), symbols))
}

fn look(symbols: &dyn Resolve) -> Option<Report> {
    let mut report = report(symbols)?;
    report.findings.retain(|finding| finding.verdict != Verdict::Hazard);
    Some(report)
}

/// What is stuck in this process now: deadlocks, blocked sends and receives, locks that are never released, and what only
/// grows. Empty where nothing is, or where nothing is recorded.
///
/// Takes some tens of milliseconds, on the thread of the caller. Stacks are addresses without names: those are found by
/// `lockprof analyze`.
pub fn stuck() -> Stuck {
    stuck_named(&NoSymbols)
}

/// The same, with these names for addresses.
pub(crate) fn stuck_named(symbols: &dyn Resolve) -> Stuck {
    let Some(first) = look(symbols) else { return Stuck(None) };
    if first.findings.is_empty() {
        return Stuck(Some(first));
    }
    let seen: HashSet<_> = first.findings.iter().map(key).collect();
    std::thread::sleep(AGAIN);
    let mut report = look(symbols);
    if let Some(report) = &mut report {
        report.findings.retain(|finding| seen.contains(&key(finding)));
    }
    Stuck(report)
}

/// Looks now and then, and tells what is stuck, once.
#[derive(Clone, Debug)]
pub(crate) struct Watchdog {
    pub(crate) every: Duration,
    /// Where it tells; standard error where there is none.
    pub(crate) file: Option<PathBuf>,
}

impl Watchdog {
    /// Looks until `stop` is asked.
    pub(crate) fn run(&self, stop: &recorder::Stop) {
        let mut told = HashSet::new();
        while !stop.sleep(self.every) {
            // Whatever may be wrong in here, it is no reason for the program to end.
            let stuck = std::panic::catch_unwind(stuck);
            let Ok(Stuck(Some(mut report))) = stuck else { continue };
            report.findings.retain(|finding| told.insert(key(finding)));
            if !report.findings.is_empty() {
                self.tell(&Stuck(Some(report)));
            }
        }
    }

    /// Where it cannot be told, nobody can be told that either.
    fn tell(&self, stuck: &Stuck) {
        let text = format!("lockprof: stuck, process {}\n{stuck}", std::process::id());
        match &self.file {
            None => drop(std::io::stderr().write_all(text.as_bytes())),
            Some(path) => {
                let file = OpenOptions::new().create(true).append(true).open(path);
                drop(file.and_then(|mut file| file.write_all(text.as_bytes())));
            }
        }
    }

    /// Runs on a thread of its own, which takes no signals.
    pub(crate) fn start(self, stop: &'static recorder::Stop) {
        let work = move || self.run(stop);
        let thread = platform::without_signals(|| {
            std::thread::Builder::new().name("lockprof-watch".into()).spawn(work)
        });
        // Without a thread there is no watchdog; the recording goes on.
        drop(thread);
    }
}

/// The party that runs on this thread, and the ticks of this moment: where a test begins.
pub(crate) fn here() -> (lockprof_trace::Party, u64) {
    (recorder::party(), clock::ticks())
}
