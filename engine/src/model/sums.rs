//! Waits and holds, each added to those like it.
use super::{InSpan, Model, OpenWait, Span, SpanSum};
use crate::stats::add;
use lockprof_trace::file::{HoldKey, HoldTime};
use lockprof_trace::{Event, HoldSource, Mode, Operation, Party, WaitEnd};

/// What a sum belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// A class of objects; of joins: the class of the tasks or threads waited for.
    Class(u64),
    /// An object whose class is not known yet.
    Object(u64),
    /// The end of tasks and threads of unknown class.
    Joins,
}

/// Waits alike in everything but their length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WaitKey {
    /// What was waited for.
    pub owner: Owner,
    /// Doing what.
    pub operation: Operation,
    /// Where.
    pub site: u64,
    /// On which stack; 0 where none was captured.
    pub stack: u64,
    /// Where the holder had taken it; 0 where not known.
    pub holder_site: u64,
    /// The class of the tasks or threads that waited; 0 where it was not known when the wait was told.
    pub by: u64,
}

/// Sums over waits alike. Lengths in ticks.
#[derive(Clone, Copy, Debug, Default)]
pub struct WaitSum {
    /// How many.
    pub count: u64,
    /// How long together.
    pub ticks: u64,
    /// The longest.
    pub max: u64,
    /// The longest that was served.
    pub max_done: u64,
    /// The longest that has ended at all.
    pub max_ended: u64,
    /// How many ended because their time was up, or because their future was dropped by a living task.
    pub given_up: u64,
    /// The longest by a task or a blocking job, and which.
    pub by_task: (u64, Party),
}

/// Sums over the holds taken at one site. Lengths in ticks.
#[derive(Clone, Copy, Debug, Default)]
pub struct HoldSum {
    /// Holds timed one by one, and their sum.
    pub timed: (u64, u64),
    /// Holds that the coarse clock noticed, and their sum.
    pub coarse: (u64, u64),
    /// Of those that the coarse clock noticed, how many lasted longer than two of its steps: others may be short, and had a
    /// tick fall into them by chance.
    pub long: u64,
    /// The longest hold by a task that is known, and that lasted longer than two steps of the coarse clock.
    pub max_by_task: u64,
    /// The longest that is known, of those that lasted longer than two steps of the coarse clock.
    pub max: u64,
    /// The longest that was timed, of any length.
    pub max_timed: u64,
}

impl Model {
    pub(super) fn wait(&mut self, event: &Event<'_>, within: u64) {
        let Event::Wait { at, ticks, party, object, operation, site, stack, end, holder, holder_site } =
            event
        else {
            return;
        };
        self.now(*at);
        if *end == WaitEnd::Abandoned {
            self.abandoned_at = Some(self.abandoned_at.map_or(*at, |first| first.min(*at)));
            self.open.extend(OpenWait::of(event, within));
            return;
        }
        self.happened(*at);
        self.outlived.add(event, self.session.coarse_ticks);
        let owner = if *object == 0 { self.joined(*holder) } else { self.owner_now(*object) };
        if *end == WaitEnd::Done && *object != 0 {
            let served = self.served.entry((*object, *operation)).or_default();
            *served = (*served).max(*at);
        }
        let (operation, site, stack, holder_site) = (*operation, *site, *stack, *holder_site);
        let key = WaitKey { owner, operation, site, stack, holder_site, by: self.spawned_as(*party) };
        self.add_wait(key, (*party, within), *ticks, Some(*end));
    }

    /// Adds one wait to the sums, by this party in this span; `end` is `None` for one that never ended.
    pub(super) fn add_wait(
        &mut self,
        key: WaitKey,
        (party, within): (Party, u64),
        ticks: u64,
        end: Option<WaitEnd>,
    ) {
        let span = self.parties.span_of(party, within);
        if span != 0 {
            let WaitKey { owner, operation, site, .. } = key;
            self.tracing.waits.entry(InSpan { span, owner, operation, site }).or_default().one(ticks);
        }
        self.cpu.wait(key, party, self.tracing.like(span), ticks);
        let sum = self.waits.entry(key).or_default();
        sum.count += 1;
        sum.ticks = sum.ticks.saturating_add(ticks);
        sum.max = sum.max.max(ticks);
        if party.is_task() {
            sum.by_task = sum.by_task.max((ticks, party));
        }
        if end.is_some() {
            sum.max_ended = sum.max_ended.max(ticks);
        }
        match end {
            Some(WaitEnd::Done) => sum.max_done = sum.max_done.max(ticks),
            Some(WaitEnd::TimedOut | WaitEnd::Cancelled) => sum.given_up += 1,
            _ => {}
        }
        self.site_lengths.entry((key.owner, key.site)).or_default().add(ticks);
    }

    /// Adds holds with this key, all of which happened in this tracing span.
    pub(super) fn holds_within(&mut self, key: HoldKey, times: &[HoldTime], within: u64) {
        let HoldKey { party, object, site, source } = key;
        if self.lanes.is_some() {
            times.iter().for_each(|time| self.draw(Span::hold(key, *time), within));
        }
        let (owner, step) = (self.owner_now(object), self.session.coarse_ticks);
        let lengths = self.hold_lengths.entry(owner).or_default();
        lengths.add(times.iter().map(|time| time.ticks), source, step);
        let long = step.saturating_mul(2);
        let (mut first, mut last, mut ticks, mut longest, mut many) = (u64::MAX, 0, 0, 0, 0);
        for time in times {
            (first, last) = (time.at.min(first), time.at.max(last));
            add(&mut ticks, time.ticks);
            longest = time.ticks.max(longest);
            many += u64::from(time.ticks >= long);
        }
        if times.is_empty() {
            return;
        }
        self.now(last);
        self.happened(first);
        let released = self.released.entry(object).or_default();
        *released = last.max(*released);
        let count = times.len() as u64;
        let sum = self.holds.entry((owner, site)).or_default();
        let (counted, total) = match source {
            HoldSource::Coarse => &mut sum.coarse,
            _ => &mut sum.timed,
        };
        *counted += count;
        add(total, ticks);
        if source != HoldSource::Coarse {
            sum.max_timed = sum.max_timed.max(longest);
        }
        if longest >= long {
            sum.long += if source == HoldSource::Coarse { many } else { 0 };
            sum.max = sum.max.max(longest);
            if party.is_task() {
                sum.max_by_task = sum.max_by_task.max(longest);
            }
        }
        // Each hold once: one may be told by two sources.
        let whole = matches!(self.session.mode, Some(Mode::Full));
        let span = self.parties.span_of(party, within);
        if span != 0 && source == if whole { HoldSource::Full } else { HoldSource::Coarse } {
            self.tracing.holds.entry(span).or_default().take(&SpanSum { count, ticks, max: longest });
        }
    }
}
