//! Waits and holds one by one, as a timeline shows them.
//!
//! A span is made of one event and knows numbers alone; a [`Context`](crate::findings::Context) made of the whole trace
//! has the names. So a trace of any size is exported in two passes: one for the model, one for the spans.
use super::{Model, OpenWait};
use lockprof_trace::file::{HoldKey, HoldTime};
use lockprof_trace::{Event, Operation, Party, WaitEnd};

/// What a party does in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It waits, and the wait ended so; `None` where it never did.
    Wait(Operation, Option<WaitEnd>),
    /// It holds.
    Hold,
    /// It holds, and never gave it back.
    Keep,
}

impl Doing {
    /// Whether it waits.
    pub const fn is_wait(self) -> bool {
        matches!(self, Doing::Wait(..))
    }
}

/// A wait or a hold. Times in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// When it began.
    pub begin: u64,
    /// When it ended.
    pub end: u64,
    /// Whose.
    pub party: Party,
    /// What it does.
    pub doing: Doing,
    /// The object; 0 for the end of a task or thread.
    pub object: u64,
    /// Where it waits, or took what it holds.
    pub site: u64,
    /// The stack of a wait; 0 where none was captured.
    pub stack: u64,
    /// Of a wait: who held the object, or whose end is waited for.
    pub holder: Party,
    /// Where that one had taken it.
    pub holder_site: u64,
    /// The tracing span that it happened in; 0: none, or not known here.
    pub within: u64,
}

impl Span {
    /// The span that an event tells of. Waits without end are not among them: see [`Span::open`].
    pub fn of(event: &Event<'_>) -> Option<Self> {
        match *event {
            // They count as open.
            Event::Wait { end: WaitEnd::Abandoned, .. } => None,
            Event::Wait { at, ticks, party, object, operation, site, stack, end, holder, holder_site } => {
                Some(Self {
                    begin: at.saturating_sub(ticks),
                    end: at,
                    party,
                    doing: Doing::Wait(operation, Some(end)),
                    object,
                    site,
                    stack,
                    holder,
                    holder_site,
                    within: 0,
                })
            }
            Event::Hold { .. } => {
                HoldKey::of(event).map(|(key, at, ticks)| Self::hold(key, HoldTime { at, ticks }))
            }
            _ => None,
        }
    }

    /// Of a hold.
    pub fn hold(key: HoldKey, time: HoldTime) -> Self {
        let HoldKey { party, object, site, .. } = key;
        Self {
            begin: time.at.saturating_sub(time.ticks),
            end: time.at,
            party,
            doing: Doing::Hold,
            object,
            site,
            stack: 0,
            holder: Party::UNKNOWN,
            holder_site: 0,
            within: 0,
        }
    }

    /// The waits and holds of a resolved model that never ended, up to its end.
    pub fn open(model: &Model) -> impl Iterator<Item = Self> {
        let held = model.handles.iter().filter(|held| held.role.is_guard() && held.until.is_none());
        let held = held.map(|held| Self {
            begin: held.since,
            end: model.end().max(held.since),
            party: held.party,
            doing: Doing::Keep,
            object: held.object,
            site: held.site,
            stack: 0,
            holder: Party::UNKNOWN,
            holder_site: 0,
            within: 0,
        });
        let waits = model.open.iter().map(|wait: &OpenWait| Self {
            begin: wait.since,
            end: wait.until.unwrap_or(model.end()).max(wait.since),
            party: wait.party,
            doing: Doing::Wait(wait.operation, None),
            object: wait.object,
            site: wait.site,
            stack: wait.stack,
            holder: wait.holder,
            holder_site: wait.holder_site,
            within: wait.within,
        });
        waits.chain(held)
    }
}

/// Whether waiting so is no trouble in itself: a receiver is idle until there is something to receive.
pub fn is_idle(operation: Operation) -> bool {
    use Operation::{BlockOn, Changed, Closed, CondvarWait, Join, Notified, Recv};
    matches!(operation, Recv | Changed | Notified | Closed | CondvarWait | Join | BlockOn)
}
