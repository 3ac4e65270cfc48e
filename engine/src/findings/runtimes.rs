//! Runtimes of which every thread is blocked: their other tasks are not polled until one of these comes free, whatever
//! they wait for, and also those that are ready.
//!
//! A task blocks its thread where it waits on what knows no tasks: a lock, a channel or a condition of threads, or the
//! end of one. Where the runtime has no threads of its own, whoever blocks on it is its one thread.
use super::Context;
use crate::graph::{self, Need};
use crate::model::OpenWait;
use lockprof_trace::{Kind, Operation, Role};
use std::collections::BTreeMap;

/// The parties that a runtime polls, and those among them that block a thread of its.
#[derive(Default)]
struct Runtime {
    polled: Vec<usize>,
    blocking: Vec<usize>,
    drivers: usize,
}

/// Lets the tasks of blocked runtimes wait for those that block: where these are stuck, so are they.
pub(super) fn gate(context: &Context<'_>, needs: &mut [Vec<Need>]) {
    for (object, runtime) in runtimes(context, needs) {
        let threads = context.model.objects.get(&object).map_or(0, |object| object.capacity);
        if threads == 0 || (runtime.blocking.len() as u64) < threads || runtime.drivers > 1 {
            continue;
        }
        let free =
            Need { by: runtime.blocking.clone(), may: vec![], all: false, outside: false, gone: false };
        let mut gated = needs.to_vec();
        let waiting = runtime.polled.iter().filter(|place| !runtime.blocking.contains(place));
        waiting.for_each(|place| gated[*place] = vec![free.clone()]);
        let stuck = graph::stuck(&gated);
        if runtime.blocking.iter().all(|place| stuck[*place]) {
            needs.clone_from_slice(&gated);
        }
    }
}

fn runtimes(context: &Context<'_>, needs: &[Vec<Need>]) -> BTreeMap<u64, Runtime> {
    let (model, frozen) = (context.model, &context.frozen);
    let mut runtimes: BTreeMap<u64, Runtime> = BTreeMap::new();
    for (place, party) in frozen.parties.iter().enumerate() {
        // Who may still be served is not blocked.
        let blocks =
            !needs[place].is_empty() && frozen.waits_of(model, place).any(|wait| blocks(context, wait));
        let handles = frozen.held.get(party).into_iter().flatten().map(|number| &model.handles[*number]);
        let drives = handles.filter(|handle| handle.role == Role::Driver).map(|handle| handle.object);
        let facts = model.parties.get(*party);
        let class = facts.and_then(|facts| model.classes.get(&facts.class));
        let polled_by = match facts.map(|facts| facts.runtime) {
            _ if party.is_thread() => drives.clone().next(),
            _ if class.is_some_and(|class| class.kind == Kind::BlockingTask) => None,
            runtime => runtime.filter(|object| *object != 0),
        };
        let Some(object) = polled_by else { continue };
        let runtime = runtimes.entry(object).or_default();
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
