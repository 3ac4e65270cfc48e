//! What a trace says, kept in a form that grows with objects, sites, stacks and live parties, not with events.
//!
//! Events of different threads come in blocks, so a definition may follow its first use: nothing is resolved before the
//! end. What is summed goes to the class where the object is known already, else to the object (`Owner`), and is
//! brought together by [`Model::resolved`].
mod changes;
mod cpu;
mod facts;
pub mod frozen;
mod keys;
mod nested;
mod outlived;
mod parties;
mod pressure;
mod resolve;
mod span;
mod sums;
mod tracing;

pub use changes::{ChangeKey, Changes, Grown, Instance, Instances, LateKey, StaleKey, Torn};
pub use cpu::{Cpu, Who, Whose};
pub use facts::{Class, Counted, Held, Object, OpenTask, OpenWait, Session, Site};
pub use nested::{Nesting, Nestings};
use outlived::Outlived;
pub use parties::{Parties, PartyFacts, Tally};
pub use pressure::{LongPoll, Pressure};
pub use span::{Doing, Span, is_idle};
pub use sums::{HoldSum, Owner, WaitKey, WaitSum};
pub use tracing::{InSpan, SpanSum, TracingSpan, TracingSpans};

use crate::stats::{Distribution, Holds, Lanes, Timeline, add};
use foldhash::HashMap;
use lockprof_trace::file::{HoldKey, HoldTime};
use lockprof_trace::{Event, Kind, Loss, Operation, Party, Role};
use std::collections::BTreeMap;

/// Everything that one process has recorded.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The process and its clock.
    pub session: Session,
    /// The files mapped for execution are the symbol resolver's business; here only whether the trace names any.
    pub modules: u64,
    /// Call sites by address.
    pub sites: HashMap<u64, Site>,
    /// Stacks by number: return addresses, innermost first.
    pub stacks: HashMap<u64, Box<[u64]>>,
    /// Classes by number.
    pub classes: BTreeMap<u64, Class>,
    /// Objects by id.
    pub objects: HashMap<u64, Object>,
    /// Names that the program gave to objects.
    pub names: HashMap<u64, String>,
    /// Tasks and threads.
    pub parties: Parties,
    /// Watchers that live, by object: who registered it, where, when.
    pub watchers: HashMap<u64, (Party, u64, u64)>,
    /// Births and ends of watchers whose class was not known yet: object, when, and whether it is a birth.
    early: Vec<(u64, u64, bool)>,
    /// Values that released watchers had been given, by owner.
    pub delivered: HashMap<Owner, u64>,
    /// Waits that have ended, and those that have not.
    pub waits: HashMap<WaitKey, WaitSum>,
    /// Lengths of waits; put together from those of the lines by [`Model::resolved`].
    pub wait_lengths: HashMap<Owner, Distribution>,
    /// Lengths of waits by the line that waited.
    pub site_lengths: HashMap<(Owner, u64), Distribution>,
    /// Holds by the site that took.
    pub holds: HashMap<(Owner, u64), HoldSum>,
    /// Lengths of holds.
    pub hold_lengths: HashMap<Owner, Holds>,
    /// When the last wait on an object, of one operation, was served.
    pub served: HashMap<(u64, Operation), u64>,
    /// When an object was released last, as far as holds are told.
    pub released: HashMap<u64, u64>,
    /// What became of states and versions in maps.
    pub changes: Changes,
    /// What happened in which tracing span.
    pub tracing: TracingSpans,
    /// Who ran where.
    pub cpu: Cpu,
    /// The span that the next event belongs to; 0: none.
    within: u64,
    /// What was begun while something was held.
    pub nested: Nestings,
    /// Polls that were long, and messages that gathered.
    pub pressure: Pressure,
    /// Live counts over time by class.
    pub timelines: HashMap<u64, Timeline>,
    /// Waits that never ended; an abandoned one carries when it was.
    pub open: Vec<OpenWait>,
    /// Long waits that have ended, the last of them: which a shutdown has ended is known only later.
    outlived: Outlived,
    /// Handles that live at the end, or lived when the first task was abandoned.
    pub handles: Vec<Held>,
    /// When an end of this role was dropped last of a channel.
    pub dropped: HashMap<(u64, Role), u64>,
    /// What tasks that have not ended were doing.
    pub open_tasks: HashMap<Party, OpenTask>,
    /// How many threads and tasks live whose doings are not recorded, and when one of them may have run last; `None` where it is
    /// not known.
    pub unseen: Option<(u64, u64)>,
    /// Counts by id.
    pub counts: HashMap<u64, Counted>,
    /// What is missing.
    pub lost: BTreeMap<Loss, u64>,
    /// When the first wait or hold ended that the trace tells of.
    pub earliest: Option<u64>,
    /// When the first wait was abandoned.
    pub abandoned_at: Option<u64>,
    /// The latest time that an event told.
    pub latest: u64,
    /// What is drawn of single waits and holds, where anything is.
    pub lanes: Option<Lanes>,
    /// Objects and their classes as they were found last, each at its id modulo [`FOUND`]: most events are about few.
    found: Vec<(u64, u64)>,
}

const FOUND: usize = 1 << 10;

impl Model {
    /// One that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that keeps what a timeline shows as well.
    pub fn with_lanes() -> Self {
        Self { lanes: Some(Lanes::default()), ..Self::default() }
    }

    /// Takes the next event of the file.
    pub fn event(&mut self, event: &Event<'_>) {
        let within = std::mem::take(&mut self.within);
        if let Some((key, at, ticks)) = HoldKey::of(event) {
            return self.holds_within(key, &[HoldTime { at, ticks }], within);
        }
        if let Some(span) = Span::of(event) {
            self.draw(span, within);
        }
        match event {
            Event::Session { at, .. } => {
                self.session.begin(event);
                if let Some(lanes) = &mut self.lanes {
                    lanes.begin(*at);
                }
                self.latest = self.latest.max(*at);
            }
            Event::Module { .. } => self.modules += 1,
            Event::Site { site, file, line, column } => {
                let place = Site { file: file.as_ref().into(), line: *line, column: *column };
                self.sites.insert(*site, place);
            }
            Event::Stack { stack, frames } => drop(self.stacks.insert(*stack, frames.as_ref().into())),
            Event::Class { class, kind, site, type_name } => {
                let type_name = type_name.as_ref().into();
                self.classes.insert(*class, Class { kind: *kind, site: *site, first_used: false, type_name });
            }
            Event::MadeByLibrary { class } => {
                if let Some(class) = self.classes.get_mut(class) {
                    class.first_used = true;
                }
            }
            Event::Span { .. } => self.tracing.define(event),
            Event::Within { span } => self.within = *span,
            Event::Object { at, object, class, capacity } => {
                self.now(*at);
                for id in *object..object.saturating_add(4) {
                    if let Some(found) = self.found.get_mut(id as usize % FOUND) {
                        *found = (0, 0);
                    }
                }
                self.objects.insert(*object, Object { class: *class, capacity: *capacity });
            }
            Event::Name { object, name } => drop(self.names.insert(*object, name.as_ref().into())),
            Event::Population { at, class, live } => {
                self.now(*at);
                self.timeline(*class).told(*live);
            }
            Event::Lost { loss, count } => add(self.lost.entry(*loss).or_default(), *count),
            Event::Finish { at, end, reason } => {
                self.now(*at);
                self.session.finish(*at, *end, reason);
            }
            Event::Counts { object, .. } => drop(self.counts.insert(*object, Counted::of(event))),
            Event::OpenTask { task, state, polls, polled, wakers } => {
                let open = OpenTask { state: *state, polls: *polls, polled: *polled, wakers: *wakers };
                self.open_tasks.entry(*task).or_insert(open);
            }
            Event::Skew { ticks, uncertain, .. } => self.session.skew = Some((*ticks, *uncertain)),
            Event::Unseen { others, ran, .. } => self.unseen = Some((*others, *ran)),
            Event::OpenWait { .. } => self.open.extend(OpenWait::of(event, within)),
            Event::Handle { .. } => self.handles.extend(Held::of(event)),
            Event::EndDropped { at, object, role } => drop(self.dropped.insert((*object, *role), *at)),
            Event::HandleEnd { at, since, by, .. } => {
                self.now(*at);
                // Of interest is who held what when tasks were abandoned: what was taken later by living tasks is not.
                if *by != Party::UNKNOWN || self.abandoned_at.is_none_or(|abandoned| *since < abandoned) {
                    self.handles.extend(Held::of(event));
                }
            }
            Event::CpuSample { at, party, ticks, .. } => {
                self.now(*at);
                let span = self.parties.span_of(*party, within);
                if span != 0 {
                    self.tracing.cpu.entry(span).or_default().one(*ticks);
                }
                self.cpu.sample(event, &self.parties, self.tracing.like(span));
            }
            Event::Wait { .. } => self.wait(event, within),
            Event::Watcher { at, object, party, site } => {
                self.now(*at);
                // A release that came first in the file cancels out.
                if self
                    .watchers
                    .insert(*object, (*party, *site, *at))
                    .is_some_and(|before| before.2 == u64::MAX)
                {
                    self.watchers.remove(object);
                }
                self.watcher_line(*object, *at, true);
            }
            Event::WatcherEnd { at, object, delivered } => {
                self.now(*at);
                if self.watchers.remove(object).is_none() {
                    self.watchers.insert(*object, (Party::UNKNOWN, 0, u64::MAX));
                }
                let owner = self.owner_now(*object);
                add(self.delivered.entry(owner).or_default(), *delivered);
                self.watcher_line(*object, *at, false);
            }
            Event::StateChange { at, object, .. }
            | Event::Growth { at, object, .. }
            | Event::StaleRead { at, object, .. }
            | Event::TornRead { at, object, .. }
            | Event::LateAdd { at, object, .. } => {
                self.now(*at);
                let owner = self.owner_now(*object);
                self.changes.event(owner, event);
            }
            Event::LongPoll { at, .. } | Event::Backlog { at, .. } | Event::KeyWait { at, .. } => {
                self.now(*at);
                self.pressure.event(event);
            }
            Event::Nested { at, party, object, operation, site, held } => {
                self.now(*at);
                let held = held.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
                let (object, operation, site) = (*object, *operation, *site);
                self.nested.add(*party, Nesting { object, operation, site, held });
            }
            Event::Task { parent, .. } => {
                let span = self.parties.span_of(*parent, within);
                if within != 0 {
                    *self.tracing.tasks.entry(within).or_default() += 1;
                }
                self.party(event, span)
            }
            Event::Thread { .. } | Event::ThreadEnd { .. } | Event::TaskEnd { .. } => self.party(event, 0),
            _ => {}
        }
    }

    /// Takes holds that happened in no tracing span: as many events at once.
    pub fn holds(&mut self, key: HoldKey, times: &[HoldTime]) {
        self.holds_within(key, times, 0);
    }

    /// Draws a wait or a hold, where anything is drawn.
    fn draw(&mut self, span: Span, within: u64) {
        if let Some(lanes) = &mut self.lanes {
            lanes.add(&Span { within: self.parties.span_of(span.party, within), ..span });
        }
    }

    fn now(&mut self, at: u64) {
        self.latest = self.latest.max(at);
    }

    fn happened(&mut self, at: u64) {
        self.earliest = Some(self.earliest.map_or(at, |first| first.min(at)));
    }

    fn timeline(&mut self, class: u64) -> &mut Timeline {
        let start = self.session.at;
        self.timelines.entry(class).or_insert_with(|| Timeline::new(start))
    }

    fn watcher_line(&mut self, object: u64, at: u64, birth: bool) {
        match self.owner(object) {
            Owner::Class(class) => {
                let line = self.timeline(class);
                if birth { line.birth(at) } else { line.death(at) }
            }
            _ => self.early.push((object, at, birth)),
        }
    }

    fn party(&mut self, event: &Event<'_>, within: u64) {
        if let Event::Thread { at, .. }
        | Event::ThreadEnd { at, .. }
        | Event::Task { at, .. }
        | Event::TaskEnd { at, .. } = event
        {
            self.now(*at);
        }
        for (class, at, birth) in
            self.parties.event(event, within).into_iter().flatten().filter(|told| told.0 != 0)
        {
            let line = self.timeline(class);
            if birth { line.birth(at) } else { line.death(at) }
        }
    }

    /// The id of the object that this id belongs to: its own, or that of the object whose further count it is.
    pub fn own(&self, id: u64) -> u64 {
        let belongs = |back: &u64| {
            let class =
                self.objects.get(&id.wrapping_sub(*back)).and_then(|object| self.classes.get(&object.class));
            class.is_some_and(|class| u64::from(class.kind.ids()) > *back)
        };
        (0..4).find(belongs).map_or(id, |back| id - back)
    }

    /// The same as [`Model::owner`], for one of many events.
    fn owner_now(&mut self, object: u64) -> Owner {
        if let Some(&(found, class)) = self.found.get(object as usize % FOUND)
            && found == object
            && class != 0
        {
            return Owner::Class(class);
        }
        let owner = self.owner(object);
        if let Owner::Class(class) = owner {
            self.found.resize(FOUND, (0, 0));
            self.found[object as usize % FOUND] = (object, class);
        }
        owner
    }

    fn owner(&self, object: u64) -> Owner {
        match self.objects.get(&self.own(object)) {
            Some(object) => Owner::Class(object.class),
            None => Owner::Object(object),
        }
    }

    /// The class of a party's spawn line; 0 where not known.
    fn spawned_as(&self, party: Party) -> u64 {
        self.parties.get(party).map_or(0, |facts| facts.class)
    }

    fn joined(&self, party: Party) -> Owner {
        match self.spawned_as(party) {
            0 => Owner::Joins,
            class => Owner::Class(class),
        }
    }

    /// The object's class, if both are known.
    pub fn class_of(&self, object: u64) -> Option<(u64, &Class)> {
        let number = self.objects.get(&self.own(object))?.class;
        Some((number, self.classes.get(&number)?))
    }

    /// The kind of an object.
    pub fn kind_of(&self, object: u64) -> Kind {
        self.class_of(object).map_or(Kind::Unknown, |(_, class)| class.kind)
    }

    /// When the recording ended, in ticks.
    pub fn end(&self) -> u64 {
        self.session.ended_at.unwrap_or(self.latest).max(self.session.at)
    }

    /// Nanoseconds in so many ticks.
    pub fn ns(&self, ticks: u64) -> u64 {
        match self.session.ticks_per_4s {
            0 => ticks,
            per_4s => u64::try_from((u128::from(ticks) << 32) / u128::from(per_4s)).unwrap_or(u64::MAX),
        }
    }

    /// Ticks in so much time.
    pub fn ticks(&self, time: std::time::Duration) -> u64 {
        match self.session.ticks_per_4s {
            0 => u64::try_from(time.as_nanos()).unwrap_or(u64::MAX),
            per_4s => {
                u64::try_from(time.as_nanos().saturating_mul(u128::from(per_4s)) >> 32).unwrap_or(u64::MAX)
            }
        }
    }
}
