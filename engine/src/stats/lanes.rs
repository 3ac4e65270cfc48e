//! Waits and holds over time for a drawing, in bounded memory: a lane for each thread and task.
//!
//! Bars are kept one by one while there are few. When there are too many, those that lie close together are joined into
//! one that knows how many it stands for and how much of it is busy; the longer the recording, the coarser the drawing. Of
//! lanes those are kept that were busiest; the others share one.
use super::Timeline;
use crate::model::{Doing, Span, is_idle};
use foldhash::HashMap;
use lockprof_trace::Party;

/// Bars that are kept: what a page can hold and a browser draws at once without stutter.
const BARS: usize = 120_000;
/// Lanes that are kept: far more than fit a screen.
const LANES: usize = 200;
/// A party gets a lane when one bar of it has this part of what the lightest lane has altogether.
const NEWCOMER: u64 = 64;
/// Bars nearer than this are joined at first, in ticks.
const NEAR: u64 = 1 << 10;

/// Waits, or holds, of one party that lie close together. Times in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// When the first begins.
    pub begin: u64,
    /// When the last ends.
    pub end: u64,
    /// How long they are together.
    pub busy: u64,
    /// How many they are.
    pub count: u64,
    /// The longest of them.
    pub longest: u64,
    /// What the longest does.
    pub doing: Doing,
    /// Its object.
    pub object: u64,
    /// Its site.
    pub site: u64,
    /// Who held what it waited for.
    pub holder: Party,
    /// The tracing span that it happened in; 0: none.
    pub within: u64,
}

/// What one party waited for and held.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    /// Its waits.
    pub waits: Vec<Bar>,
    /// Its holds.
    pub holds: Vec<Bar>,
    /// How much it has to show: what it waited, with holds and idle receivers counting less.
    pub weight: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    lanes: HashMap<Party, Lane>,
    /// Of those that have no lane of their own.
    others: Lane,
    bars: usize,
    near: u64,
    /// The weight of the lightest lane when lanes were last dropped.
    lightest: u64,
    /// How many wait, without idle receivers.
    waiting: Option<Timeline>,
}

impl Lanes {
    /// The recording begins at `start` ticks.
    pub fn begin(&mut self, start: u64) {
        self.waiting = Some(Timeline::new(start));
    }

    /// How many wait over time, without idle receivers.
    pub fn waiting(&self) -> Option<&Timeline> {
        self.waiting.as_ref()
    }

    /// Adds a wait or a hold.
    pub fn add(&mut self, span: &Span) {
        let ticks = span.end.saturating_sub(span.begin);
        let bar = Bar {
            begin: span.begin,
            end: span.end.max(span.begin),
            busy: ticks,
            count: 1,
            longest: ticks,
            doing: span.doing,
            object: span.object,
            site: span.site,
            holder: span.holder,
            within: span.within,
        };
        if let (Some(waiting), Doing::Wait(operation, _)) = (&mut self.waiting, span.doing)
            && !is_idle(operation)
        {
            waiting.birth(bar.begin);
            waiting.death(bar.end);
        }
        // A party that had no lane gets one where it matters beside those that have; threads are few.
        let lane = match bar.weight().saturating_mul(NEWCOMER) >= self.lightest || span.party.is_thread() {
            true => self.lanes.entry(span.party).or_default(),
            false => self.lanes.get_mut(&span.party).unwrap_or(&mut self.others),
        };
        self.bars += usize::from(lane.add(bar, self.near));
        if self.lanes.len() > 2 * LANES {
            self.drop_lanes();
        }
        if self.bars > BARS {
            // To half of it, so that the next ones come cheap.
            while self.bars > BARS / 2 {
                self.join();
            }
        }
    }

    /// The lanes, busiest first, and that of all others; each bar after those that begin before it.
    pub fn finish(mut self) -> (Vec<(Party, Lane)>, Lane) {
        self.drop_lanes();
        let mut lanes: Vec<(Party, Lane)> = self.lanes.into_iter().collect();
        lanes.sort_by_key(|(party, lane)| (std::cmp::Reverse(lane.weight), *party));
        lanes.iter_mut().map(|(_, lane)| lane).chain([&mut self.others]).for_each(|lane| {
            lane.waits.sort_by_key(|bar| bar.begin);
            lane.holds.sort_by_key(|bar| bar.begin);
        });
        (lanes, self.others)
    }

    /// Leaves the busiest lanes.
    fn drop_lanes(&mut self) {
        if self.lanes.len() <= LANES {
            return;
        }
        let mut ranks: Vec<_> =
            self.lanes.iter().map(|(party, lane)| (std::cmp::Reverse(lane.weight), *party)).collect();
        ranks.sort_unstable();
        self.lightest = ranks[LANES - 1].0.0;
        for (_, party) in &ranks[LANES..] {
            let lane = self.lanes.remove(party).unwrap_or_default();
            self.others.waits.extend(lane.waits);
            self.others.holds.extend(lane.holds);
        }
    }

    /// Joins bars that are near each other, and farther ones each time.
    fn join(&mut self) {
        self.near = self.near.saturating_mul(2).max(NEAR);
        self.bars = 0;
        for lane in self.lanes.values_mut().chain([&mut self.others]) {
            for bars in [&mut lane.waits, &mut lane.holds] {
                join(bars, self.near);
                self.bars += bars.len();
            }
        }
    }
}

impl Lane {
    /// Adds a bar; whether it stands by itself.
    fn add(&mut self, bar: Bar, near: u64) -> bool {
        let bars = match bar.doing {
            Doing::Hold | Doing::Keep => &mut self.holds,
            Doing::Wait(..) => &mut self.waits,
        };
        super::add(&mut self.weight, bar.weight());
        if let Some(last) = bars.last_mut().filter(|last| last.reaches(&bar, near)) {
            last.take(bar);
            return false;
        }
        bars.push(bar);
        true
    }
}

/// Joins each bar with the one before where both, and what is between, are shorter than `near`.
fn join(bars: &mut Vec<Bar>, near: u64) {
    bars.sort_by_key(|bar| bar.begin);
    let mut joined: Vec<Bar> = Vec::with_capacity(bars.len() / 2);
    for bar in bars.drain(..) {
        match joined.last_mut() {
            Some(last) if last.reaches(&bar, near) => last.take(bar),
            _ => joined.push(bar),
        }
    }
    *bars = joined;
}

impl Bar {
    fn weight(&self) -> u64 {
        match self.doing {
            Doing::Hold | Doing::Keep => self.busy / 8,
            Doing::Wait(operation, _) if is_idle(operation) => self.busy / 64,
            Doing::Wait(..) => self.busy,
        }
    }

    /// Whether both lie within a stretch as long as `near`.
    fn reaches(&self, other: &Bar, near: u64) -> bool {
        self.end.max(other.end) - self.begin.min(other.begin) <= near
    }

    fn take(&mut self, other: Bar) {
        let (begin, end) = (self.begin.min(other.begin), self.end.max(other.end));
        let (busy, count) = (self.busy.saturating_add(other.busy), self.count + other.count);
        if other.longest > self.longest {
            *self = other;
        }
        (self.begin, self.end, self.busy, self.count) = (begin, end, busy, count);
    }
}

#[cfg(test)]
mod tests {
    use super::{BARS, LANES, Lanes};
    use crate::model::{Doing, Span};
    use lockprof_trace::{Operation, Party};

    fn wait(party: u64, begin: u64, ticks: u64) -> Span {
        Span {
            begin,
            end: begin + ticks,
            party: Party::task(party),
            doing: Doing::Wait(Operation::Lock, None),
            object: 1,
            site: ticks,
            stack: 0,
            holder: Party::UNKNOWN,
            holder_site: 0,
            within: 0,
        }
    }

    #[test]
    fn few_are_kept_as_they_are() {
        let mut lanes = Lanes::default();
        for number in (0..100).rev() {
            lanes.add(&wait(1, number * 10, 5));
        }
        let (lanes, others) = lanes.finish();
        let [(_, lane)] = &lanes[..] else { panic!("{lanes:?}") };
        assert_eq!((lane.waits.len(), lane.weight, others.waits.len()), (100, 500, 0));
        assert!(lane.waits.windows(2).all(|pair| pair[0].begin < pair[1].begin));
    }

    #[test]
    fn many_are_joined_and_nothing_is_lost() {
        let mut lanes = Lanes::default();
        let many = BARS as u64 * 20;
        for number in 0..many {
            lanes.add(&wait(number % 3, number * 1_000, 1_000 + number % 7));
        }
        assert!(lanes.bars <= BARS);
        let (lanes, _) = lanes.finish();
        let bars = || lanes.iter().flat_map(|(_, lane)| &lane.waits);
        assert_eq!(bars().map(|bar| bar.count).sum::<u64>(), many);
        assert_eq!(bars().map(|bar| bar.busy).sum::<u64>(), (0..many).map(|number| 1_000 + number % 7).sum());
        assert!(
            bars().all(|bar| bar.longest == bar.site && bar.longest <= 1_006),
            "the longest lends its site"
        );
    }

    #[test]
    fn the_busiest_have_lanes() {
        let mut lanes = Lanes::default();
        for party in 0..LANES as u64 * 5 {
            lanes.add(&wait(party, party, 1 + party % 2));
        }
        lanes.add(&wait(1 << 20, 0, 1_000));
        let (lanes, others) = lanes.finish();
        assert_eq!((lanes.len(), lanes[0].0), (LANES, Party::task(1 << 20)));
        let all = lanes.iter().map(|(_, lane)| lane.waits.len()).sum::<usize>() + others.waits.len();
        assert_eq!(all, LANES * 5 + 1);
    }
}
