//! LP0001 to LP0005, and LP0015: parties that can never be woken again, by proof or by suspicion.
//!
//! The proof is the greatest fixpoint of `graph::stuck` over what is known for sure; the suspicion is the same over
//! what is known and assumed (see `needs`), and holds whoever is proved. One cause is one finding: a group of stuck
//! parties that hang together, and all groups that look alike.
//!
//! False positives. Of a proof: an end of a channel that was left for others after its last use, by a way that is not recorded
//! (under a lock that is not wrapped, or behind a pointer in a static), or for `main` alone to find; a borrowed guard that went in a
//! message; a semaphore to which somebody will add permits, or a task that somebody will abort, for the first time. Of a
//! suspicion: a consumer that pauses for longer than `min_blocked`, and twice as long as ever before, at the moment when the
//! recording ends.
use super::needs::{Level, is_lock, is_send, needs};
use super::tell::{self, Case, NAMED};
use super::{Context, Finding, Verdict};
use crate::graph::{self, Group, Need, Part};
use crate::model::OpenWait;
use lockprof_trace::Operation;
use std::collections::{BTreeMap, HashMap};

/// What makes two groups alike: verdict, code, and what the members wait for, doing what and where.
type Key = (Verdict, &'static str, Vec<Sign>);
/// Operation, class and site of a wait.
type Sign = (Operation, Option<u64>, u64);

pub(super) fn find(context: &Context<'_>) -> Vec<Finding> {
    let (proofs, proved) = stuck(context, needs(context, Level::Proof));
    let parts: HashMap<usize, Part> =
        graph::groups(&proofs, &proved).into_iter().flat_map(|group| group.parties).collect();
    let mut all = needs(context, Level::Suspicion);
    // The nodes of the proofs stand behind those of the suspicions.
    let (parties, behind) = (proved.len(), all.len() - proved.len());
    for (place, mut needs) in proofs.into_iter().enumerate() {
        let lists = needs.iter_mut().flat_map(|need| need.by.iter_mut().chain(&mut need.may));
        lists.filter(|by| **by >= parties).for_each(|by| *by += behind);
        match proved.get(place) {
            Some(true) => {
                all[place] = needs.into_iter().map(|need| Need { all: true, gone: true, ..need }).collect();
            }
            Some(false) => {}
            None => all.push(needs),
        }
    }
    let (all, stuck) = stuck(context, all);
    let mut cases: BTreeMap<Key, Vec<Case>> = BTreeMap::new();
    for group in merged(context, graph::groups(&all, &stuck)) {
        let is_proved = group.parties.iter().any(|(place, _)| proved[*place]);
        let part = |place: usize, part: Part| match parts.get(&place) {
            Some(part) => *part,
            None if is_proved => Part::Bystander,
            None => part,
        };
        let parties: Vec<(usize, Part)> =
            group.parties.iter().map(|(place, of)| (*place, part(*place, *of))).collect();
        let members: Vec<usize> =
            parties.iter().filter(|(_, part)| *part == Part::Member).map(|(place, _)| *place).collect();
        let circle = group.circle && graph::is_circle(&members, &all, stuck.len());
        let verdict = if is_proved { Verdict::Proved } else { Verdict::Suspected };
        let code = code(context, &members, circle);
        let mut key: Vec<_> = members.iter().flat_map(|place| signs(context, *place)).collect();
        key.sort_unstable();
        key.dedup();
        let by = |place: &usize| {
            let by = all[*place].iter().flat_map(|need| need.whom(*place, &all, stuck.len()));
            by.filter(|by| members.binary_search(by).is_ok()).collect()
        };
        let by = members.iter().take(NAMED).map(by).collect();
        cases.entry((verdict, code, key)).or_default().push(Case { parties, members, by, circle });
    }
    cases
        .into_iter()
        .map(|((verdict, code, _), cases)| tell::finding(context, verdict, code, &cases))
        .collect()
}

/// The needs, and who of the parties is stuck.
fn stuck(context: &Context<'_>, needs: Vec<Vec<Need>>) -> (Vec<Vec<Need>>, Vec<bool>) {
    let mut stuck = graph::stuck(&needs);
    stuck.truncate(context.frozen.parties.len());
    (needs, stuck)
}

/// Groups whose members wait for one and the same object have one cause.
fn merged(context: &Context<'_>, groups: Vec<Group>) -> Vec<Group> {
    let mut known: HashMap<u64, usize> = HashMap::new();
    let mut merged: Vec<Group> = vec![];
    for group in groups {
        let members = group.parties.iter().filter(|(_, part)| *part == Part::Member);
        let waits = members.flat_map(|(place, _)| context.frozen.waits_of(context.model, *place));
        let objects: Vec<u64> = waits.map(|wait| wait.object).filter(|object| *object != 0).collect();
        let same = objects.iter().find_map(|object| known.get(object).copied());
        let at = same.unwrap_or(merged.len());
        known.extend(objects.into_iter().map(|object| (object, at)));
        match merged.get_mut(at) {
            Some(one) => {
                one.circle |= group.circle;
                one.parties.extend(group.parties);
            }
            None => merged.push(group),
        }
    }
    merged.iter_mut().for_each(|group| group.parties.sort_unstable());
    merged
}

/// What a member waits for; of one whose wait is not recorded, where it was spawned.
fn signs(context: &Context<'_>, place: usize) -> Vec<Sign> {
    let class = |object| context.model.class_of(object).map(|(class, _)| class);
    let sign = |wait: &OpenWait| (wait.operation, class(wait.object), wait.site);
    let signs: Vec<Sign> = context.frozen.waits_of(context.model, place).map(sign).collect();
    if signs.is_empty() {
        let facts = context.model.parties.get(context.frozen.parties[place]);
        return vec![(Operation::Unknown, facts.map(|facts| facts.class), 0)];
    }
    signs
}

/// Whether a member waits for a signal that was given before, when nobody waited.
fn is_lost(context: &Context<'_>, place: usize) -> bool {
    let mut waits = context.frozen.waits_of(context.model, place);
    waits.any(|wait| wait.operation.is_signal() && wait.holder_site != 0 && !context.is_signalled(wait))
}

fn code(context: &Context<'_>, members: &[usize], circle: bool) -> &'static str {
    if circle {
        return "LP0001";
    }
    let mut operations: Vec<Operation> = members
        .iter()
        .flat_map(|place| context.frozen.waits_of(context.model, *place))
        .map(|wait| wait.operation)
        .filter(|operation| *operation != Operation::BlockOn)
        .collect();
    operations.sort_unstable();
    match operations.first() {
        Some(operation) if is_lock(*operation) => "LP0002",
        _ if operations.iter().any(|operation| is_send(*operation)) => "LP0003",
        _ if operations.contains(&Operation::Recv) => "LP0004",
        _ if members.iter().any(|place| is_lost(context, *place)) => "LP0015",
        _ => "LP0005",
    }
}
