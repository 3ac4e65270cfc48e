//! Who waits at this moment, for what, and for whom: what a live view shows.
//!
//! The model is that of a process that runs, with the state of the moment. Nothing is judged here: that is for findings.
use crate::findings::Context;
use crate::model::{OpenWait, is_idle};
use lockprof_trace::{Kind, Operation, Party, TaskState};
use std::collections::HashMap;

/// Holders that are told of one wait.
const HOLDERS: usize = 4;

/// A wait that has not ended.
#[derive(Clone, Debug)]
pub struct WaitNow {
    /// Who waits.
    pub party: Party,
    /// The same for people: "task 17".
    pub who: String,
    /// Where that was spawned, "file:line:column"; empty where not known.
    pub spawned_at: String,
    /// Doing what.
    pub operation: Operation,
    /// What is waited for, for people.
    pub object: String,
    /// Where that was created, "file:line:column"; empty where not known, and for the end of a task or thread.
    pub created_at: String,
    /// Where, "file:line:column".
    pub at: String,
    /// For how long, in nanoseconds.
    pub since_ns: u64,
    /// Waiting so is no trouble in itself.
    pub idle: bool,
    /// The stack, by its number in the model; 0 where none was captured.
    pub stack: u64,
    /// Who holds it now, and where that one took it: "task 3 from src/main.rs:7:9".
    pub holders: Vec<String>,
}

/// The open waits of a process: first those that are trouble, each the longest first.
pub fn waits(context: &Context<'_>) -> Vec<WaitNow> {
    let open = context.model.open.iter().filter(|wait| wait.until.is_none());
    let mut waits: Vec<WaitNow> = open.map(|wait| tell(context, wait)).collect();
    waits.sort_by_key(|wait| (wait.idle, std::cmp::Reverse(wait.since_ns), wait.party));
    waits
}

/// A task or thread that lives.
#[derive(Clone, Debug)]
pub struct PartyNow {
    /// Who.
    pub party: Party,
    /// Who spawned it.
    pub parent: Party,
    /// "task", "blocking task", "thread".
    pub kind: Kind,
    /// Where it was spawned, "file:line:column"; empty where not known.
    pub spawned_at: String,
    /// What a task that waits for nothing that is recorded is in.
    pub state: Option<TaskState>,
    /// What it waits for, the longest first.
    pub waits: Vec<WaitNow>,
}

/// Who lives, in the order of their numbers: threads, then tasks.
pub fn parties(context: &Context<'_>) -> Vec<PartyNow> {
    let model = context.model;
    let mut waiting: HashMap<Party, Vec<WaitNow>> = HashMap::new();
    waits(context).into_iter().for_each(|wait| waiting.entry(wait.party).or_default().push(wait));
    let alive = model.parties.alive().filter(|(_, facts)| facts.end.is_none());
    let mut parties: Vec<PartyNow> = alive
        .map(|(party, facts)| PartyNow {
            party,
            parent: facts.parent,
            kind: model
                .classes
                .get(&facts.class)
                .map_or_else(|| if party.is_task() { Kind::Task } else { Kind::Thread }, |class| class.kind),
            spawned_at: context.spawned_at(party),
            state: model.open_tasks.get(&party).map(|task| task.state),
            waits: waiting.remove(&party).unwrap_or_default(),
        })
        .collect();
    parties.sort_unstable_by_key(|now| (now.party.is_task(), now.party));
    parties
}

fn tell(context: &Context<'_>, wait: &OpenWait) -> WaitNow {
    WaitNow {
        party: wait.party,
        who: context.party_name(wait.party),
        spawned_at: context.spawned_at(wait.party),
        operation: wait.operation,
        object: context.waited_for(wait),
        created_at: context
            .model
            .class_of(wait.object)
            .map_or_else(String::new, |(_, class)| context.site(class.site)),
        at: context.open_at(wait),
        since_ns: context.waited_ns(wait),
        idle: is_idle(wait.operation),
        stack: wait.stack,
        holders: holders(context, wait),
    }
}

/// Those whose guards live; where none is recorded, whom the waiter had found.
fn holders(context: &Context<'_>, wait: &OpenWait) -> Vec<String> {
    if wait.object == 0 {
        return vec![];
    }
    let name = |party, site| match context.site(site) {
        at if at.is_empty() => context.party_name(party),
        at => format!("{} from {at}", context.party_name(party)),
    };
    let guards = context.frozen.handles_of(context.model, wait.object).filter(|held| held.role.is_guard());
    let mut told: Vec<String> = guards.take(HOLDERS).map(|held| name(held.party, held.site)).collect();
    if told.is_empty() && wait.holder != Party::UNKNOWN {
        told.push(name(wait.holder, wait.holder_site));
    }
    told
}
