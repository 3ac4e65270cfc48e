//! Puts what is stuck into words: one sentence, the parties, the evidence, and what to change.
use super::context::duration;
use super::explain::title;
use super::kin::told;
use super::needs::{is_lock, is_send};
use super::{Context, Finding, ObjectReport, PartyReport, PartyRole, Place, Verdict};
use crate::graph::Part;
use crate::model::{Held, OpenWait};
use lockprof_trace::{Kind, Loss, Operation, Party, Role};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Parties alike (same part, same waiting line) that a finding lists.
const ALIKE: usize = 4;
/// Parties that a finding lists.
const LISTED: usize = 32;
/// Members that a sentence names.
pub(super) const NAMED: usize = 4;

/// Stuck parties that hang together.
pub(super) struct Case {
    pub(super) parties: Vec<(usize, Part)>,
    pub(super) members: Vec<usize>,
    /// For each member that is named, those among them that would have to end its waits.
    pub(super) by: Vec<Vec<usize>>,
    pub(super) circle: bool,
}

/// One finding for cases alike.
pub(super) fn finding(
    context: &Context<'_>,
    verdict: Verdict,
    code: &'static str,
    cases: &[Case],
) -> Finding {
    let model = context.model;
    let members = || cases.iter().flat_map(|case| case.members.iter().copied());
    let waits = |place: usize| {
        context.frozen.waits_of(model, place).filter(|wait| wait.operation != Operation::BlockOn)
    };
    let first = members().flat_map(waits).min_by_key(|wait| (wait.since, wait.party));
    let count = members().count() as u64;
    let blocked = cases.iter().flat_map(|case| &case.parties);
    let longest = |place: usize| waits(place).map(|wait| context.waited_ns(wait)).max().unwrap_or(0);
    let blocked_ns = blocked.map(|(place, _)| longest(*place)).fold(0u64, u64::saturating_add);
    let (parties, more_parties) = parties(context, cases);
    let objects: BTreeSet<ObjectReport> = members()
        .flat_map(waits)
        .filter_map(|wait| Some(context.object(model.class_of(wait.object)?.0, Some(wait.object))))
        .take(LISTED)
        .collect();
    let first_spawned = members().next().map(|place| context.spawned_at(context.frozen.parties[place]));
    let first_spawned = first_spawned.unwrap_or_default();
    let message = match (code, cases.first()) {
        ("LP0001", Some(case)) => circle(context, case, cases.len()),
        _ => match first {
            Some(wait) => orphan(context, code, wait, count),
            None => forgotten(&first_spawned, count),
        },
    };
    let mut notes = vec![];
    let bystanders =
        cases.iter().flat_map(|case| &case.parties).filter(|(_, part)| *part == Part::Bystander).count();
    if bystanders > 0 {
        notes.push(format!(
            "{} behind, and cannot go on either",
            plural(bystanders as u64, "more party waits", "more parties wait")
        ));
    }
    let kept = kept(context, code, cases);
    notes.extend(kept.iter().map(|(note, _)| note.clone()));
    let mut places = signals(context, code, first);
    places.extend(kept.into_iter().map(|(_, place)| place));
    if verdict == Verdict::Suspected {
        notes.push(why_suspected(context, code, cases, first));
    }
    if context.lost(&[Loss::Events, Loss::Entries, Loss::Holds, Loss::Limit]) {
        notes.push("records were lost: a holder, or the end of a wait, may be missing".into());
    }
    Finding {
        code,
        title: title(code),
        verdict,
        message,
        count,
        blocked_ns,
        at: first.map_or(first_spawned, |wait| context.open_at(wait)),
        parties,
        more_parties,
        objects: objects.into_iter().collect(),
        places,
        notes,
        help: help(context, code, cases, first),
        process: context.process,
    }
}

/// What those hold who wait for ever for somebody who does not come: it is as good as leaked. Told by class and line.
fn kept(context: &Context<'_>, code: &str, cases: &[Case]) -> Vec<(String, Place)> {
    let mut sums: BTreeMap<(u64, u64), (u64, Role)> = BTreeMap::new();
    let members = cases.iter().filter(|_| code != "LP0001").flat_map(|case| &case.members);
    let members: BTreeSet<Party> = members.map(|place| context.frozen.parties[*place]).collect();
    let held = members.iter().flat_map(|party| context.held_by(*party)).chain(taken_along(context, &members));
    for held in held {
        if let Some((class, _)) = context.model.class_of(held.object).filter(|_| held.role.is_guard()) {
            let permits = if held.role == Role::Permit { held.count.max(1) } else { 1 };
            let (count, _) = sums.entry((class, held.site)).or_insert((0, held.role));
            *count += permits;
        }
    }
    let told = sums.into_iter().take(NAMED).map(|((class, site), (count, role))| {
        let what = match role {
            Role::Permit => plural(count, "permit", "permits"),
            _ => plural(count, "guard", "guards"),
        };
        let note = format!(
            "leaked by them, as long as they wait: {what} of the {}, taken at {}",
            context.class_name(class),
            context.place(site)
        );
        let at = context.site(site);
        (note, Place { at, label: "taken here, and kept by those that are blocked".into() })
    });
    told.collect()
}

/// Guards that own their lock, of parties that have ended, of whose offspring only these live: they were taken along.
fn taken_along<'a>(
    context: &'a Context<'_>,
    members: &BTreeSet<Party>,
) -> impl Iterator<Item = &'a Held> + use<'a> {
    let parties = &context.model.parties;
    let parent = |party: &Party| parties.get(*party).map(|facts| facts.parent);
    let mut parents: BTreeSet<Party> = members.iter().filter_map(parent).collect();
    parents.retain(|parent| context.has_ended(*parent));
    for (party, facts) in parties.alive() {
        if !members.contains(&party) {
            parents.remove(&facts.parent);
        }
    }
    parents.into_iter().flat_map(|parent| context.held_by(parent)).filter(|held| held.travels)
}

/// The line of a signal that was lost.
fn signals(context: &Context<'_>, code: &str, first: Option<&OpenWait>) -> Vec<Place> {
    let lost = first.filter(|wait| code == "LP0015" && wait.holder_site != 0);
    let place = |wait: &OpenWait| Place {
        at: context.site(wait.holder_site),
        label: "the signal was given here, before the wait began".into(),
    };
    lost.map(place).into_iter().collect()
}

/// The parties to be listed, and how many there are besides. Of those alike a few, so that all that differ are there.
fn parties(context: &Context<'_>, cases: &[Case]) -> (Vec<PartyReport>, u64) {
    let (mut listed, mut more): (Vec<PartyReport>, u64) = (vec![], 0);
    let mut alike: HashMap<(PartyRole, u64), usize> = HashMap::new();
    let everyone = cases.iter().flat_map(|case| &case.parties);
    let stuck: BTreeSet<Party> = everyone.clone().map(|(place, _)| context.frozen.parties[*place]).collect();
    let mut ordered: Vec<&(usize, Part)> = everyone.collect();
    ordered.sort_by_key(|(place, part)| (*part, *place));
    for (place, part) in ordered {
        let role = if *part == Part::Member { PartyRole::Member } else { PartyRole::Bystander };
        let site = context.frozen.waits_of(context.model, *place).next().map_or(0, |wait| wait.site);
        let seen = alike.entry((role, site)).or_default();
        *seen += 1;
        if *seen <= ALIKE && listed.len() < LISTED {
            listed.push(context.party(context.frozen.parties[*place], role));
        } else {
            more += 1;
        }
    }
    let (mut told, mut known) = (BTreeSet::new(), HashSet::new());
    for case in cases.iter().take(LISTED) {
        let waits = case.members.iter().flat_map(|place| context.frozen.waits_of(context.model, *place));
        // Who waits for the same in the same way waits for the same others.
        let waits = waits.filter(|wait| known.insert((wait.object, wait.operation)));
        for (held, party) in waits.flat_map(|wait| others(context, wait)) {
            if !stuck.contains(&party) && told.len() < ALIKE && told.insert(party) {
                listed.push(holder(context, held, party));
            }
        }
    }
    (listed, more)
}

/// Who has what a wait is for.
fn others<'a>(context: &'a Context<'_>, wait: &OpenWait) -> impl Iterator<Item = (&'a Held, Party)> {
    let operation = wait.operation;
    let handles = context.frozen.handles_of(context.model, wait.object);
    let serves = move |held: &&Held| serves(operation, held.role) && held.party != Party::UNKNOWN;
    handles.filter(serves).map(|held| (held, held.party))
}

/// Whether what is held is what an operation waits for.
fn serves(operation: Operation, role: Role) -> bool {
    match role {
        Role::Exclusive | Role::Shared | Role::Upgradable | Role::Permit => {
            is_lock(operation) || operation == Operation::Init
        }
        Role::Receiver => is_send(operation) || operation == Operation::Closed,
        Role::Sender => !is_lock(operation) && !is_send(operation) && operation != Operation::Closed,
        _ => false,
    }
}

fn holder(context: &Context<'_>, held: &Held, party: Party) -> PartyReport {
    let mut report = context.party(party, PartyRole::Holder);
    if !report.holds.iter().any(|holding| holding.at == context.site(held.site)) {
        report.holds.push(context.holding(held));
    }
    report
}

/// "1 task", "12 tasks".
pub(crate) fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn who(context: &Context<'_>, party: Party) -> String {
    context.party_name(party)
}

fn circle(context: &Context<'_>, case: &Case, times: usize) -> String {
    let members = &case.members;
    let names = names(context, members);
    let mut steps = vec![];
    for (place, by) in members.iter().zip(&case.by).take(NAMED) {
        let by: Vec<Party> = by.iter().map(|place| context.frozen.parties[*place]).collect();
        let party = context.frozen.parties[*place];
        let waits = context.frozen.waits_of(context.model, *place);
        let Some(wait) = waits.filter(|wait| wait.operation != Operation::BlockOn).last() else {
            let facts = context.model.parties.get(party);
            let class = facts.and_then(|facts| context.model.classes.get(&facts.class));
            steps.push(match class.map(|class| class.kind) {
                Some(Kind::BlockingTask) => {
                    format!(
                        "{} has no thread: its runtime's threads for blocking jobs are blocked",
                        who(context, party)
                    )
                }
                _ => format!("{} is not polled: its runtime's threads are blocked", who(context, party)),
            });
            continue;
        };
        let own = context
            .frozen
            .handles_of(context.model, wait.object)
            .filter(|held| held.party == party)
            // Of a watch whose value it looks at it has an end as well.
            .filter(|held| held.role.is_guard() || serves(wait.operation, held.role))
            .max_by_key(|held| held.role.is_guard());
        let what = format!("{} in {} at {}", who(context, party), wait.operation, context.open_place(wait));
        steps.push(match own {
            Some(held) if members.len() == 1 && held.role.is_guard() => {
                let (object, at) = (names(wait), context.place(held.site));
                match wait.operation {
                    Operation::Init => {
                        format!("{what} waits for the {object}, which it is making itself at {at}")
                    }
                    _ => format!(
                        "{what} waits for the {object} that it took itself at {at} and has not released"
                    ),
                }
            }
            _ if members.len() == 1 && wait.operation == Operation::Join => {
                format!("{what} waits for its own end")
            }
            Some(end) if members.len() == 1 => {
                let sent = end.count == 0 && told(context, party, wait.object).contains(&party);
                let how = if sent { ", most likely in a message to itself" } else { "" };
                format!("{what} waits on {}, of which it has the other end itself{how}", names(wait))
            }
            _ => format!("{what} waits for {}{}", names(wait), by_whom(context, wait, *place, &by)),
        });
    }
    let more = match members.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let times = if times > 1 { format!(" ({times} times alike)") } else { String::new() };
    match members.len() {
        1 => format!("{}{times}", steps.join("")),
        count => format!("{count} parties wait for each other: {}{more}{times}", steps.join("; ")),
    }
}

/// What members wait for, by name; of several objects by one name each has a number.
fn names<'a>(context: &'a Context<'_>, members: &[usize]) -> impl Fn(&OpenWait) -> String + use<'a> {
    let waits = members.iter().flat_map(|place| context.frozen.waits_of(context.model, *place));
    let (mut alike, mut known): (HashMap<String, Vec<u64>>, _) = (HashMap::new(), HashSet::new());
    for wait in waits.filter(|wait| wait.object != 0) {
        if known.insert(wait.object) {
            alike.entry(context.waited_for(wait)).or_default().push(wait.object);
        }
    }
    move |wait| {
        let name = context.waited_for(wait);
        let objects = alike.get(&name).filter(|objects| objects.len() > 1);
        match objects.and_then(|objects| objects.iter().position(|object| *object == wait.object)) {
            Some(place) => format!("{name} (no. {} of {} alike)", place + 1, alike[&name].len()),
            None => name,
        }
    }
}

/// Which of these has what a member waits for.
fn by_whom(context: &Context<'_>, wait: &OpenWait, place: usize, by: &[Party]) -> String {
    let waits = context.frozen.waits_of(context.model, place);
    let others = waits.flat_map(|wait| others(context, wait));
    let owners: HashSet<&Party> = by.iter().collect();
    let holders = others.filter(|(_, holder)| owners.contains(holder));
    // Whoever waits may hold some of it itself: a read lock, or permits.
    let holder = holders.min_by_key(|(_, holder)| *holder == wait.party);
    let reads = matches!(wait.operation, Operation::Read | Operation::UpgradableRead);
    match (holder, by.first()) {
        (Some((held, holder)), _) if wait.operation == Operation::Init => {
            format!(", which {} began to make at {}", who(context, holder), context.place(held.site))
        }
        (Some((held, holder)), _) if is_lock(wait.operation) => {
            format!(", taken by {} at {}", who(context, holder), context.place(held.site))
        }
        (Some((held, holder)), _) if held.is_placed() => {
            format!(", whose other end is with {}", who(context, holder))
        }
        (Some((_, maker)), _) if !is_lock(wait.operation) && by.iter().all(|by| *by == maker) => {
            format!(", whose other end {} has made, and nobody else was seen to have", who(context, maker))
        }
        (None, Some(writer)) if reads => format!(", behind {}, which waits to write", who(context, *writer)),
        (_, Some(_)) if wait.operation != Operation::Join && !is_lock(wait.operation) => {
            let owners: Vec<String> = by.iter().take(2).map(|owner| who(context, *owner)).collect();
            format!(", whose other end has most likely gone to {}", owners.join(" or "))
        }
        _ => String::new(),
    }
}

/// The sentence for tasks that have left no waker anywhere.
fn forgotten(spawned: &str, count: u64) -> String {
    let tasks = plural(count, "task has", "tasks have");
    format!(
        "{tasks} parked without leaving a waker anywhere, spawned at {spawned}: nothing will ever poll them"
    )
}

/// The sentence for a wait that nobody will end.
fn orphan(context: &Context<'_>, code: &str, wait: &OpenWait, count: u64) -> String {
    let parties = match wait.party.is_task() {
        true => plural(count, "task is", "tasks are"),
        false => plural(count, "thread is", "threads are"),
    };
    let since = duration(context.waited_ns(wait));
    let object = context.waited_for(wait);
    let stuck = format!(
        "{parties} blocked in {} at {} on {object}, for up to {since}",
        wait.operation,
        context.open_place(wait)
    );
    let others = context.frozen.handles_of(context.model, wait.object);
    let others = others.filter(|held| serves(wait.operation, held.role));
    // What it has kept itself says most.
    let other = others.min_by_key(|held| held.party != wait.party);
    let end = match (code, other) {
        ("LP0002", Some(held)) => format!(
            ": it was taken at {} by {}, which {}, and never released",
            context.place(held.site),
            who(context, held.party),
            if context.has_ended(held.party) { context.outcome(held.party) } else { "still holds it" }
        ),
        ("LP0002", None) => ": nobody holds it, and nobody gets it".into(),
        ("LP0003", Some(held)) if context.has_ended(held.party) => {
            format!(
                ": {} had the receiving end and {}",
                who(context, held.party),
                context.outcome(held.party)
            )
        }
        ("LP0003", Some(held)) => {
            format!(
                ": nothing is received, though the receiving end (last with {}) is alive",
                who(context, held.party)
            )
        }
        (_, Some(held)) if context.has_ended(held.party) => {
            format!(": {} had the other end and {}", who(context, held.party), context.outcome(held.party))
        }
        ("LP0004", Some(held)) if held.party == wait.party => format!(
            ": it has kept a sender itself, made at {}, and as long as one is there the receive does not end",
            context.place(held.site)
        ),
        ("LP0015", None) => format!(
            ": {} had signalled at {}, before this wait began, and nobody waited then",
            who(context, wait.holder),
            context.place(wait.holder_site)
        ),
        (_, Some(held)) if held.party != Party::UNKNOWN => format!(
            ": its other end was made at {}, and was last with {}",
            context.place(held.site),
            who(context, held.party)
        ),
        _ => String::new(),
    };
    format!("{stuck}{end}")
}

fn why_suspected(context: &Context<'_>, code: &str, cases: &[Case], first: Option<&OpenWait>) -> String {
    let circle = cases.iter().any(|case| case.circle);
    let held = first.and_then(|wait| {
        context.frozen.handles_of(context.model, wait.object).find(|held| serves(wait.operation, held.role))
    });
    let why = match held {
        _ if circle => {
            "an owner is not known for sure, or something not recorded could still wake one of them"
        }
        None if code == "LP0002" => {
            "the lock may have been handed to a future that is not polled, or its guard lost from the record"
        }
        Some(held) if context.has_ended(held.party) => {
            "the end or guard lives on, and who owns it now is not known"
        }
        Some(_) if code == "LP0002" => "its holder lives, and may only be slower than ever before",
        Some(_) if code == "LP0003" => "its owner lives and could still receive",
        _ => "who could end the wait is not known",
    };
    let unseen = context.model.unseen.filter(|(others, _)| circle && *others > 0);
    let unseen = unseen.map_or(String::new(), |(others, _)| {
        format!(
            "; {} not recorded, and may have what nobody was seen to use",
            plural(others, "thread or task is", "threads or tasks are")
        )
    });
    format!("suspected, not proved: {why}{unseen}")
}

fn help(context: &Context<'_>, code: &str, cases: &[Case], first: Option<&OpenWait>) -> String {
    let members: Vec<usize> = cases.iter().flat_map(|case| case.members.iter().copied()).collect();
    let waits = || members.iter().flat_map(|place| context.frozen.waits_of(context.model, *place));
    let one = cases.iter().all(|case| case.members.len() == 1);
    let only_locks = waits().all(|wait| is_lock(wait.operation));
    let only_messages = waits().all(|wait| matches!(wait.operation, Operation::Send | Operation::Recv));
    let no_locks = !waits().any(|wait| is_lock(wait.operation));
    let reads = first.is_some_and(|wait| wait.operation == Operation::Read);
    let nobody =
        first.is_some_and(|wait| context.frozen.handles_of(context.model, wait.object).next().is_none());
    let text = match code {
        "LP0001" if one && only_locks && first.is_some_and(|wait| wait.party.is_task()) => {
            "release the guard before locking again; where another future of the same task holds it, that future is not \
             polled meanwhile: poll it, or give it a task of its own"
        }
        "LP0001" if one && only_locks => {
            "release the guard before locking again, or pass it on to the code that needs it"
        }
        "LP0001" if one && first.is_some_and(|wait| wait.operation == Operation::Init) => {
            "do not ask for it in what makes it: pass on what is needed of it"
        }
        "LP0001" if one => "let another task do this wait, or give up what it has of it itself first",
        "LP0001" if only_locks && reads => {
            "do not read-lock again while holding a read lock: a writer queues between the two; pass the guard on"
        }
        "LP0001" if only_locks => "take the locks in one order everywhere, or put both under one lock",
        "LP0001" if only_messages => {
            "let one of them serve the other while it waits, as by `select!` over its send and its receive; or give the \
             channel room for all that can be under way"
        }
        "LP0001" if no_locks => {
            "let one of them go on without the other, or end its wait from outside the circle"
        }
        "LP0001" => {
            "do not hold a lock across a send, receive or join that needs the other party to take that lock"
        }
        "LP0002" if nobody && first.is_some_and(|wait| wait.operation == Operation::Acquire) => {
            "add the permits on every path: nobody has one to give back"
        }
        "LP0002" => "release the lock or permit on every path: keep the guard in a scope, never forget it",
        "LP0003" => {
            "receive until the senders are gone, or drop the receiver when its owner stops; where a message may be \
                     lost, use try_send"
        }
        "LP0015" => {
            "look at what is waited for under the lock that its notifier takes, and wait only if it is not there yet; with \
             `Notify`, make the future (`notified()`) before that look, or use `notify_one`, which is kept"
        }
        "LP0004" => "send or drop the sender on every path: a dropped sender ends the wait",
        _ => "make sure that whoever ends this wait runs on every path, or wait with a timeout",
    };
    text.into()
}
