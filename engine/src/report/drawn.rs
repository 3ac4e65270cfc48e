//! What a timeline draws, with names: a lane for each thread and task, and how many live and wait over time.
use super::classes::is_population;
use crate::findings::Context;
use crate::model::{Doing, is_idle};
use crate::stats::{Bar, Lane, Timeline};
use lockprof_trace::{Kind, Party};
use serde::Serialize;
use std::collections::HashMap;

/// Moments of a level.
const POINTS: usize = 200;
/// Texts up to which bars name their request: a bound for the page's size.
const TEXTS: usize = 20_000;
/// Levels of each process: most at once first.
const LEVELS: usize = 12;

/// See the module. Times are in nanoseconds since the first process began.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Drawn {
    /// How long it is.
    pub length_ns: u64,
    /// Texts that bars name by their place in here.
    pub texts: Vec<String>,
    /// Busiest first, within each process.
    pub lanes: Vec<DrawnLane>,
    /// Live counts over time.
    pub levels: Vec<Level>,
}

/// What one party waited for and held.
///
/// A bar is eight numbers: its begin, its length, how much of that is busy, how many waits or holds it stands for, then of
/// the longest of them what it does (a text), where (a text), the holder's lane (from 1; 0 where there is none), and
/// its sort: 0 a hold, 1 a wait, 2 a wait of an idle receiver, 3 a wait that never ended.
#[derive(Clone, Debug, Serialize)]
pub struct DrawnLane {
    /// The process, as a place among the report's.
    pub process: usize,
    /// "task 17", "thread 3 (worker)".
    pub name: String,
    /// Where it was spawned; empty where not known.
    pub spawned_at: String,
    /// Its waits.
    pub waits: Vec<[u64; 8]>,
    /// Its holds.
    pub holds: Vec<[u64; 8]>,
}

/// How many of a class live, or wait, over time.
#[derive(Clone, Debug, Serialize)]
pub struct Level {
    /// The process, as a place among the report's.
    pub process: usize,
    /// Of what.
    pub name: String,
    /// The most at once.
    pub peak: u64,
    /// From the begin of the recording to its end, at even distances.
    pub points: Vec<u64>,
}

/// Gives names to what the models kept.
pub(super) fn draw(contexts: &[Context<'_>]) -> Drawn {
    let began = contexts.iter().map(|context| context.model.session.unix_ns).min().unwrap_or(0);
    let several = contexts.len() > 1;
    let mut drawing = Drawing { drawn: Drawn::default(), known: HashMap::new(), began, several };
    contexts.iter().for_each(|context| drawing.process(context));
    drawing.drawn
}

struct Drawing {
    drawn: Drawn,
    known: HashMap<String, u64>,
    began: u64,
    /// Whether there are several processes, so that each is to be told.
    several: bool,
}

impl Drawing {
    /// A name, with its process where there are several.
    fn of(&self, context: &Context<'_>, name: String) -> String {
        if self.several { format!("process {}: {name}", context.model.session.pid) } else { name }
    }

    fn process(&mut self, context: &Context<'_>) {
        let Some(lanes) = context.model.lanes.clone() else { return };
        self.levels(context, lanes.waiting());
        let end = self.at(context, context.model.end());
        self.drawn.length_ns = self.drawn.length_ns.max(end);
        let (lanes, others) = lanes.finish();
        let first = self.drawn.lanes.len() as u64 + 1;
        let places = (first..).zip(&lanes).map(|(place, (party, _))| (*party, place)).collect();
        for (party, lane) in lanes {
            let (name, spawned_at) = (context.party_name(party), context.spawned_at(party));
            self.lane(context, name, spawned_at, lane, &places);
        }
        if !others.waits.is_empty() || !others.holds.is_empty() {
            self.lane(context, "all others".into(), String::new(), others, &places);
        }
    }

    fn lane(
        &mut self,
        context: &Context<'_>,
        name: String,
        spawned_at: String,
        lane: Lane,
        places: &HashMap<Party, u64>,
    ) {
        let name = self.of(context, name);
        let mut bars = |bars: Vec<Bar>| bars.iter().map(|bar| self.bar(context, bar, places)).collect();
        let (waits, holds) = (bars(lane.waits), bars(lane.holds));
        self.drawn.lanes.push(DrawnLane { process: context.process, name, spawned_at, waits, holds });
    }

    fn bar(&mut self, context: &Context<'_>, bar: &Bar, places: &HashMap<Party, u64>) -> [u64; 8] {
        let object = match bar.object {
            0 => "the end of a task or thread".into(),
            object => context.object_name(object),
        };
        let (what, sort) = match bar.doing {
            Doing::Hold => (format!("holds {object}"), 0),
            Doing::Keep => (format!("holds {object}, to the end"), 0),
            Doing::Wait(operation, None) => (format!("{operation}: {object}, for ever"), 3),
            Doing::Wait(operation, _) => {
                (format!("{operation}: {object}"), 1 + u64::from(is_idle(operation)))
            }
        };
        let what = self.within(context, bar, what);
        let begin = self.at(context, bar.begin);
        [
            begin,
            self.at(context, bar.end) - begin,
            context.model.ns(bar.busy),
            bar.count,
            self.text(what),
            self.text(context.place(bar.site)),
            places.get(&bar.holder).copied().unwrap_or(0),
            sort,
        ]
    }

    /// Names the span as well, and the request as long as there is room for so many texts.
    fn within(&self, context: &Context<'_>, bar: &Bar, what: String) -> String {
        let within = match self.drawn.texts.len() {
            ..TEXTS => context.span_name(bar.within),
            _ => context.model.tracing.path(bar.within),
        };
        if within.is_empty() { what } else { format!("{what}, in {within}") }
    }

    fn at(&self, context: &Context<'_>, ticks: u64) -> u64 {
        let session = &context.model.session;
        let since = context.model.ns(ticks.saturating_sub(session.at));
        since.saturating_add(session.unix_ns.saturating_sub(self.began))
    }

    fn text(&mut self, text: String) -> u64 {
        let texts = &mut self.drawn.texts;
        *self.known.entry(text).or_insert_with_key(|text| {
            texts.push(text.clone());
            texts.len() as u64 - 1
        })
    }

    fn levels(&mut self, context: &Context<'_>, waiting: Option<&Timeline>) {
        let model = context.model;
        let level = |name: String, line: &Timeline| Level {
            process: context.process,
            name: self.of(context, name),
            peak: line.peak(),
            points: line.sampled(model.end(), POINTS),
        };
        let classes = model.timelines.iter().filter_map(|(number, line)| {
            let kind = model.classes.get(number)?.kind;
            let name = match kind {
                Kind::Watcher => {
                    format!("watchers registered at {}", context.place(model.classes[number].site))
                }
                _ => context.class_name(*number),
            };
            (is_population(kind) || kind == Kind::Watcher).then(|| level(name, line))
        });
        let mut levels: Vec<Level> = classes.collect();
        levels.sort_by(|one, other| (other.peak, &one.name).cmp(&(one.peak, &other.name)));
        levels.truncate(LEVELS);
        let waiting = waiting.map(|line| level("waits, without idle receivers".into(), line));
        self.drawn.levels.extend(waiting.into_iter().chain(levels));
    }
}
