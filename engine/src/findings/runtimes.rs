//! Runtimes of which every thread is blocked: their other tasks are not polled until one of these comes free, whatever
//! they wait for, and also those that are ready; and blocking jobs for which no thread is free.
//!
//! A task blocks its thread where it waits on what knows no tasks: a lock, a channel or a condition of threads, or the
//! end of one. Where the runtime has no threads of its own, whoever blocks on it is its one thread.
use super::Context;
use super::context::SETTLED;
use super::kin::any;
use crate::graph::{self, Need};
use crate::model::OpenWait;
use lockprof_trace::{Kind, Operation, Role, TaskState, Threads};
use std::collections::BTreeMap;

/// The parties that a runtime polls, those among them that block a thread of its, and its blocking jobs; each in order.
#[derive(Default)]
pub(super) struct Runtime {
    polled: Vec<usize>,
    blocking: Vec<usize>,
    drivers: usize,
    /// Blocking jobs that run, and those that have not begun.
    pub(super) running: Vec<usize>,
    pub(super) queued: Vec<usize>,
    threads: Option<Threads>,
}

impl Runtime {
    /// Whether there is a job for which no thread is free.
    pub(super) fn is_pool_full(&self) -> bool {
        let full = |threads: Threads| threads.blocking > 0 && self.running.len() >= threads.blocking;
        !self.queued.is_empty() && self.threads.is_some_and(full)
    }

    /// Who waits for a thread, and who keeps those that there are, where none is free: tasks, and blocking jobs.
    fn gated(&self) -> Vec<(Vec<usize>, &[usize])> {
        let mut gated = vec![];
        let workers = self.threads.map_or(0, |threads| threads.workers);
        if workers > 0 && self.blocking.len() >= workers && self.drivers <= 1 {
            let waiting =
                self.polled.iter().copied().filter(|place| self.blocking.binary_search(place).is_err());
            gated.push((waiting.collect(), &self.blocking[..]));
        }
        if self.is_pool_full() {
            gated.push((self.queued.clone(), &self.running[..]));
        }
        gated
    }
}

/// Lets the tasks and jobs of blocked runtimes wait for those that block: where these are stuck, so are they. Runtimes may
/// block each other: so all are taken to be blocked, until one is found of which a thread still comes free.
pub(super) fn gate(context: &Context<'_>, needs: &mut Vec<Vec<Need>>) {
    let runtimes = runtimes(context, needs);
    let mut gates: Vec<_> = runtimes.values().flat_map(Runtime::gated).collect();
    while !gates.is_empty() {
        let mut gated = needs.clone();
        for (waiting, blocking) in &gates {
            // Any of those that block, as one node.
            let free = Need { by: vec![gated.len()], ..Need::default() };
            gated.push(any(blocking.to_vec()));
            waiting.iter().for_each(|place| gated[*place] = vec![free.clone()]);
        }
        let stuck = graph::stuck(&gated);
        let before = gates.len();
        gates.retain(|(_, blocking)| blocking.iter().all(|place| stuck[*place]));
        if gates.len() == before {
            *needs = gated;
            return;
        }
    }
}

/// The runtimes by their objects; who may still be served is not blocked.
pub(super) fn runtimes(context: &Context<'_>, needs: &[Vec<Need>]) -> BTreeMap<u64, Runtime> {
    let (model, frozen) = (context.model, &context.frozen);
    let mut runtimes: BTreeMap<u64, Runtime> = BTreeMap::new();
    for (place, party) in frozen.parties.iter().enumerate() {
        let handles = frozen.held.get(party).into_iter().flatten().map(|number| &model.handles[*number]);
        let drives = handles.filter(|handle| handle.role == Role::Driver).map(|handle| handle.object);
        let facts = model.parties.get(*party);
        let works_for = match facts.map(|facts| facts.runtime) {
            _ if party.is_thread() => drives.clone().next(),
            runtime => runtime.filter(|object| *object != 0),
        };
        let Some(object) = works_for else { continue };
        let runtime = runtimes.entry(object).or_default();
        let known = model.objects.get(&object);
        runtime.threads = known.map(|object| Threads::of_capacity(object.capacity));
        let class = facts.and_then(|facts| model.classes.get(&facts.class));
        if party.is_task() && class.is_some_and(|class| class.kind == Kind::BlockingTask) {
            let settled =
                facts.is_some_and(|facts| model.end().saturating_sub(facts.at) >= model.ticks(SETTLED));
            match model.open_tasks.get(party).map(|task| task.state) {
                Some(TaskState::New) if settled => runtime.queued.push(place),
                Some(TaskState::Running) => runtime.running.push(place),
                _ => {}
            }
            continue;
        }
        let blocks =
            !needs[place].is_empty() && frozen.waits_of(model, place).any(|wait| blocks(context, wait));
        runtime.polled.push(place);
        runtime.drivers += usize::from(party.is_thread());
        // Where a task blocks in place, another thread has taken over.
        if blocks && (party.is_thread() || drives.count() == 0) {
            runtime.blocking.push(place);
        }
    }
    runtimes
}

/// Whether a wait blocks the thread.
fn blocks(context: &Context<'_>, wait: &OpenWait) -> bool {
    let kind = context.model.kind_of(wait.object);
    match wait.operation {
        Operation::Join => wait.holder.is_thread(),
        _ => kind != Kind::Unknown && !kind.name().starts_with("tokio::"),
    }
}
