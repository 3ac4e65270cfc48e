//! What would end each open wait: the edges of the wait-for graph, with what is not known said on each.
//!
//! Two levels. For a *proof*, whatever the trace cannot show counts as somebody who can act: an unknown owner, an end
//! whose last user is gone, a wait that was given up before (so it has a timeout, or a `select!` around it), a waker
//! that lies elsewhere. For a *suspicion* a wait must be open for `min_blocked`, and then an end whose last user is
//! gone, a free lock, and a full channel that nobody empties count as gone.
mod ends;
mod locks;
mod shared;

use self::shared::{Memo, Nodes, once};
use super::context::{Context, SETTLED};
use super::kin::{Kin, carries, told};
use super::messages::Messages;
use crate::graph::Need;
use crate::model::{Held, OpenTask, OpenWait};
use lockprof_trace::{Kind, Loss, Operation, Party, Role, TaskState};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

/// A blocked send is without progress only if it lasts this many times the longest that was served at its line.
const LONGER: u64 = 2;

/// The wakers of a task that has cloned none of them, and whose wakers are counted.
const NONE_CLONED: u64 = 1;

/// How much has to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Proof,
    Suspicion,
}

type History = HashMap<(u64, Operation), (u64, u64, u64)>;

/// The needs of the open waits of every party of the frozen state; none for who does not wait, or may be woken. Behind
/// the parties stand the nodes that they share.
pub(super) fn needs(context: &Context<'_>, level: Level) -> Vec<Vec<Need>> {
    let (history, pressing, kin) = (context.history(), pressing(context), Kin::of(context));
    let parties = context.frozen.parties.len();
    let nodes = Nodes::new(parties, kin.nodes());
    let blocks = kin.each_taker().any(|place| awaits(context, place));
    let builder = Builder {
        context,
        level,
        history,
        pressing,
        kin,
        messages: Messages::of(context),
        blocks,
        nodes,
        told: Memo::default(),
        locks: locks::Known::default(),
        ends: ends::Known::default(),
    };
    let mut needs: Vec<Vec<Need>> = (0..parties).map(|place| builder.party(place)).collect();
    needs.extend(builder.nodes.into_needs());
    super::runtimes::gate(context, &mut needs);
    needs
}

/// Parties that hold a lock for which others have waited long, at other lines than where it was taken: who waits where
/// the holder has locked is one of a pool, and would do the same.
fn pressing(context: &Context<'_>) -> std::collections::HashSet<Party> {
    let (model, frozen) = (context.model, &context.frozen);
    let least = model.ticks(context.options.min_blocked);
    let mut pressing = std::collections::HashSet::new();
    for (object, queue) in frozen.queues.iter().filter(|(object, _)| **object != 0) {
        let waits = queue.iter().map(|number| &model.open[*number]);
        let long = waits.filter(|wait| is_lock(wait.operation) && wait.ticks(model.end()) >= least);
        // Those at other lines and by other parties are all but those at its line or by itself.
        let (mut all, mut alike) = (0, HashMap::<(Option<u64>, Option<Party>), usize>::new());
        for wait in long {
            all += 1;
            let (site, party) = (Some(wait.site), Some(wait.party));
            [(site, None), (None, party), (site, party)]
                .into_iter()
                .for_each(|of| *alike.entry(of).or_default() += 1);
        }
        let count = |of| alike.get(&of).copied().unwrap_or(0);
        let pressed = |guard: &&Held| {
            let (site, party) = (Some(guard.site), Some(guard.party));
            all + count((site, party)) > count((site, None)) + count((None, party))
        };
        let guards = frozen.handles_of(model, *object).filter(|handle| handle.role.is_guard());
        pressing.extend(guards.filter(pressed).map(|guard| guard.party));
    }
    pressing
}

/// Whether an operation waits for whoever holds the object to let go.
pub(super) fn is_lock(operation: Operation) -> bool {
    use Operation::{Acquire, Lock, Read, UpgradableRead, Upgrade, Write};
    matches!(operation, Lock | Read | Write | UpgradableRead | Upgrade | Acquire)
}

/// Whether an operation waits for room in a channel.
pub(super) fn is_send(operation: Operation) -> bool {
    matches!(operation, Operation::Send | Operation::Reserve)
}

struct Builder<'a> {
    context: &'a Context<'a>,
    level: Level,
    history: History,
    pressing: std::collections::HashSet<Party>,
    kin: Kin,
    messages: Messages,
    /// Whether any of those who could have been told of something blocks on a future.
    blocks: bool,
    nodes: Nodes,
    /// By who sends, and by which channel not.
    told: Memo<(Party, u64), Told>,
    locks: locks::Known,
    ends: ends::Known<'a>,
}

/// Who receives what a party has sent, and the node of them, where there are any.
struct Told {
    places: Vec<usize>,
    node: Option<usize>,
}

/// Whether a party blocks on a future.
fn awaits(context: &Context<'_>, place: usize) -> bool {
    context.frozen.waits_of(context.model, place).any(|wait| wait.operation == Operation::BlockOn)
}

impl Builder<'_> {
    /// How long a state must have lasted.
    fn least(&self) -> Duration {
        match self.level {
            Level::Proof => SETTLED,
            Level::Suspicion => self.context.options.min_blocked,
        }
    }

    fn party(&self, place: usize) -> Vec<Need> {
        let (model, party) = (self.context.model, self.context.frozen.parties[place]);
        let waits = self.context.frozen.waits_of(model, place);
        let waits: Vec<&OpenWait> = waits.filter(|wait| wait.operation != Operation::BlockOn).collect();
        let least = self.least();
        let task = model.open_tasks.get(&party);
        let awake = task.is_some_and(|task| self.is_awake(task, &waits));
        if awake || waits.iter().any(|wait| wait.ticks(model.end()) < model.ticks(least)) {
            return vec![];
        }
        let wakers = task.map_or(0, |task| task.wakers);
        if waits.is_empty() && task.is_some_and(|task| self.is_forgotten(task, least)) {
            return vec![Need { all: true, gone: true, ..Need::default() }];
        }
        if wakers > waits.len() as u64 + 1 && self.level == Level::Proof {
            return vec![];
        }
        // Who gives up when its time is up, acts again.
        if waits.iter().any(|wait| wait.limited || self.is_given_up(wait, wakers > 0)) {
            return vec![];
        }
        // Who may send or else stop, as by `select!`, is not counted on to be stopped.
        let sends = self.level == Level::Suspicion && waits.iter().any(|wait| is_send(wait.operation));
        let counted = |wait: &&OpenWait| !sends || is_send(wait.operation);
        waits.into_iter().filter(counted).map(|wait| self.need(wait)).collect()
    }

    /// Whether a task is about to be polled. One that is ready only since others were dropped in a shutdown, never is again.
    fn is_awake(&self, task: &OpenTask, waits: &[&OpenWait]) -> bool {
        let woken_late = self
            .context
            .model
            .abandoned_at
            .is_some_and(|at| task.polled < at && waits.iter().any(|wait| wait.since < at));
        match task.state {
            TaskState::New => true,
            TaskState::Ready => !woken_late,
            _ => false,
        }
    }

    /// Whether a task has parked without leaving its waker anywhere: nothing will ever poll it.
    fn is_forgotten(&self, task: &OpenTask, least: Duration) -> bool {
        let model = self.context.model;
        let parked = model.end().saturating_sub(task.polled) >= model.ticks(least);
        task.state == TaskState::Parked && task.polls > 0 && task.wakers == NONE_CLONED && parked
    }

    /// Whether waits at this line have been given up before: then there is a way out that the trace does not show,
    /// unless all wakers are accounted for. A suspicion needs this wait to be longer than all those before.
    fn is_given_up(&self, wait: &OpenWait, counted: bool) -> bool {
        let Some((_, longest, given_up)) = self.history.get(&(wait.site, wait.operation)) else {
            return false;
        };
        let ticks = wait.ticks(self.context.model.end());
        match self.level {
            _ if *given_up == 0 || counted => false,
            Level::Proof => true,
            Level::Suspicion => ticks < longest.saturating_mul(LONGER),
        }
    }

    fn need(&self, wait: &OpenWait) -> Need {
        let mut need = match wait.operation {
            // Who holds it, or has its other end, is not recorded.
            _ if self.context.model.kind_of(wait.object) == Kind::TokioResource => {
                Need { outside: true, ..Need::default() }
            }
            Operation::Acquire if self.is_message(wait) => self.signal(wait),
            operation if is_lock(operation) || operation == Operation::Init => self.lock(wait),
            operation if is_send(operation) => self.send(wait),
            Operation::Closed => self.ends(wait, Role::Receiver),
            Operation::Recv | Operation::Changed => self.receive(wait),
            Operation::Join => self.join(wait),
            Operation::Barrier => self.signal(wait),
            operation if operation.is_signal() && self.side(wait.object, Role::Sender).is_empty => {
                self.signal(wait)
            }
            _ => self.ends(wait, Role::Sender),
        };
        let of_handles =
            !is_lock(wait.operation) && !matches!(wait.operation, Operation::Join | Operation::Init);
        need.outside |= of_handles && self.may_have_lost_handles();
        let joins = wait.operation == Operation::Join && !need.outside;
        if self.level == Level::Suspicion
            && !is_lock(wait.operation)
            && !joins
            && self.pressing.contains(&wait.party)
        {
            // Who keeps others waiting with a lock, while it waits for something else, is as good as stuck.
            need = Need { all: true, outside: false, gone: true, ..need };
        }
        need
    }

    /// Whether a permit is awaited as a message, of those whom its waiter's kin tells: where that is not recorded, it is a lock.
    fn is_message(&self, wait: &OpenWait) -> bool {
        let facts = self.context.model.parties.get(wait.party);
        facts.is_some_and(|facts| facts.parent != Party::UNKNOWN)
            && self.messages.come_by(self.context, wait.object)
    }

    /// Whether a handle that was lost could be the one that serves a wait: a proof takes it to be so.
    fn may_have_lost_handles(&self) -> bool {
        let losses = [Loss::Entries, Loss::Events, Loss::Limit, Loss::Disk];
        self.level == Level::Proof && self.context.lost(&losses)
    }

    /// The end of a party; or of any in a set, which are taken to be those that the waiting one has spawned.
    fn join(&self, wait: &OpenWait) -> Need {
        let mut need = Need::default();
        if wait.holder == Party::UNKNOWN {
            need.by = self.kin.blocks(wait.party, self.kin.since(wait.party, 0));
            need.outside = need.by.is_empty();
            if self.level == Level::Proof {
                // The set may have been filled by others: but with whatever was spawned.
                need.may.push(self.kin.spawned_since(0));
                need.outside |= self.may_have_lost_handles();
            }
        } else {
            need.by.extend(self.place(wait.holder));
            need.outside = need.by.is_empty();
        }
        need
    }

    fn place(&self, party: Party) -> Option<usize> {
        self.context.frozen.index.get(&party).copied()
    }

    /// Who may have taken along what a party has, those that it has spawned since: nodes.
    fn taken_along(&self, held: &Held) -> Vec<usize> {
        self.kin.blocks(held.party, self.kin.since(held.party, held.since))
    }

    /// Who may find what a party has left where it has locked something: `main` too, and whoever else was there by itself. A guard
    /// that travels may have been left elsewhere.
    fn finders(&self, left: &Held) -> Vec<usize> {
        match left.travels && self.level == Level::Proof {
            true => self.kin.everybody().collect(),
            false if left.shelved => self.kin.by_themselves().into_iter().collect(),
            false => vec![],
        }
    }

    /// Since when it matters to this wait what others did.
    fn recent(&self, wait: &OpenWait) -> u64 {
        let model = self.context.model;
        wait.until.unwrap_or(model.end()).saturating_sub(model.ticks(self.context.options.min_blocked))
    }

    /// Whether others have got through on this object while this one waited.
    fn is_served(&self, wait: &OpenWait) -> bool {
        let (model, recent) = (self.context.model, self.recent(wait));
        let served = |operation: Operation| model.served.get(&(wait.object, operation));
        Operation::ALL.iter().any(|operation| {
            let alike = is_send(*operation) == is_send(wait.operation)
                && is_lock(*operation) == is_lock(wait.operation);
            alike && served(*operation).is_some_and(|at| *at >= recent)
        })
    }

    /// Who receives what a party has sent, other than by this object: it may have been given something in a message.
    fn told(&self, by: Party, except: u64) -> Rc<Told> {
        let except = if carries(self.context.model, except) { except } else { 0 };
        once(&self.told, (by, except), || {
            let told = told(self.context, by, except).into_iter();
            let places: Vec<usize> = told.filter_map(|party| self.place(party)).collect();
            Told { node: self.nodes.any(places.clone()), places }
        })
    }

    /// A signal that anybody could give who knows of it, or a barrier to which anybody could come. If all are stuck who could
    /// have been told of it, nobody is suspected to be left who will; a signal that has been given before may also come from a
    /// thread that is not recorded.
    fn signal(&self, wait: &OpenWait) -> Need {
        let model = self.context.model;
        let facts = model.parties.get(wait.party);
        let parent = facts.map_or(Party::UNKNOWN, |facts| facts.parent);
        // Nobody was there before `main`. It may well wait for the end of the program, which a thread of a library tells it.
        let is_main = facts.is_some_and(|facts| self.context.is_main(facts));
        let first = is_main && model.unseen.is_some_and(|(others, _)| others == 0);
        let is_known = first || self.place(parent).is_some() || self.context.has_ended(parent);
        let parent = self.place(parent);
        let is_signalled = self.context.is_signalled(wait);
        let given = is_signalled && model.unseen.is_none_or(|(others, _)| others > 0);
        // Who gave a signal, though in vain, can give another.
        let giver = self.place(wait.holder);
        // So can `main`, and whoever else was there by itself.
        let others = self.kin.by_themselves().filter(|_| is_signalled);
        let may = parent.into_iter().chain(giver).chain(others).chain(self.kin.takers()).collect();
        // Whoever blocks on a future may wait for more than what is recorded.
        let blocks = self.blocks || parent.is_some_and(|parent| awaits(self.context, parent));
        let open = self.level == Level::Proof || given || !is_known || blocks;
        Need { may, outside: open, gone: !open, ..Need::default() }
    }
}
