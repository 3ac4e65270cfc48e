//! What is wrong with the program, as far as the trace shows it: one detector per file, one code per kind of fault.
//!
//! | code | title | verdict | detector |
//! | --- | --- | --- | --- |
//! | LP0001 | deadlock | proved, suspected | `stuck` |
//! | LP0002 | lock or permit never released | proved, suspected | `stuck` |
//! | LP0003 | blocked send | suspected | `stuck` |
//! | LP0004 | blocked receive | proved, suspected | `stuck` |
//! | LP0005 | blocked wait | suspected | `stuck` |
//! | LP0006 | watchers never released | suspected | `watchers` |
//! | LP0007 | growing population | suspected | `growth` |
//! | LP0008 | long hold with waiters | hazard | `long_hold` |
//! | LP0009 | hot object | hazard | `hot` |
//! | LP0010 | lock-order inversion | hazard | `order` |
//! | LP0011 | guard held across an await | hazard | `across_await` |
//! | LP0012 | blocking call in a task | hazard | `blocking` |
//! | LP0013 | re-entrant acquire | hazard | `reentry` |
//! | LP0014 | wait under a lock | hazard | `under_lock` |
//! | LP0015 | lost wake-up | suspected | `stuck` |
//! | LP0016 | guards never given back | suspected | `kept` |
//! | LP0017 | subscriptions left behind | suspected | `subscriptions` |
//! | LP0018 | senders left behind | suspected | `orphans` |
//! | LP0020 | state overwritten | proved, hazard | `states` |
//! | LP0021 | done twice | suspected | `states` |
//! | LP0022 | stale read | proved | `stale` |
//! | LP0023 | map grows under its lock | hazard | `rehash` |
//! | LP0024 | torn iteration | proved | `torn` |
//! | LP0025 | needless lock | hazard | `needless` |
//! | LP0026 | wait returned before an add | suspected | `late` |
//! | LP0030 | failed sends | hazard | `failed_sends` |
//! | LP0031 | hot shard or key | hazard | `hot` |
//! | LP0032 | lock convoy | hazard | `hot` |
//! | LP0033 | starved writer | hazard | `starved` |
//! | LP0034 | growing channel | hazard | `backlog` |
//! | LP0035 | long poll | hazard | `long_poll` |
//! | LP0036 | full blocking pool | hazard | `pool` |
//! | LP0037 | missed messages | hazard | `lags` |
//!
//! Codes are stable. A clean program gets no finding of verdict proved or suspected: each detector's doc says what it
//! may take for a fault all the same.
mod across_await;
mod backlog;
mod blocking;
mod context;
mod crowd;
mod explain;
mod failed_sends;
mod growth;
mod hot;
mod kept;
mod kin;
mod lags;
mod late;
mod locks;
mod long_hold;
mod long_poll;
mod messages;
mod needless;
mod needs;
mod order;
mod orphans;
mod pool;
mod rare;
mod reentry;
mod rehash;
mod runtimes;
mod stacks;
mod stale;
mod starved;
mod states;
mod stuck;
mod subscriptions;
mod tell;
mod torn;
mod turns;
mod under_lock;
mod watchers;

pub use context::{Context, duration, origin};
pub use explain::{CODES, explain};
pub(crate) use locks::is_lock_kind;
pub(crate) use tell::plural;
pub(crate) use watchers::live as live_watchers;

use serde::Serialize;

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// The record leaves no way out.
    Proved,
    /// Blocked without progress, or growing without end; something unseen may explain it.
    Suspected,
    /// Did not bite in this run, or not for ever.
    Hazard,
}

impl Verdict {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Proved => "proved",
            Verdict::Suspected => "suspected",
            Verdict::Hazard => "hazard",
        }
    }
}

/// What a party is to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PartyRole {
    /// One of those that keep each other, or themselves, from going on.
    Member,
    /// Waits behind the members.
    Bystander,
    /// Holds what the others wait for, and does not wait itself.
    Holder,
}

/// A wait of a party.
#[derive(Clone, Debug, Serialize)]
pub struct Waiting {
    /// Where, "file:line:column".
    pub at: String,
    /// Doing what.
    pub operation: String,
    /// For what: "kind created at file:line".
    pub object: String,
    /// The object's number in its process; 0 for the end of a task or thread.
    pub object_id: u64,
    /// How long it has waited, in nanoseconds.
    pub since_ns: u64,
    /// The stack, innermost first: "function (file:line)".
    pub stack: Vec<String>,
    /// The tracing span that it waits in: "request > load (trace 4bf9)"; empty where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub within: String,
}

/// What a party holds.
#[derive(Clone, Debug, Serialize)]
pub struct Holding {
    /// Where it was taken or made, "file:line:column".
    pub at: String,
    /// What: "kind created at file:line".
    pub object: String,
    /// The object's number in its process.
    pub object_id: u64,
    /// As what: "exclusive guard", "sender" and so on.
    pub role: String,
    /// For how long, in nanoseconds.
    pub since_ns: u64,
}

/// A thread or task in a finding.
#[derive(Clone, Debug, Serialize)]
pub struct PartyReport {
    /// "thread" or "task".
    pub kind: &'static str,
    /// Its number among the threads or tasks of its process.
    pub id: u64,
    /// Its name; of a task its number.
    pub name: String,
    /// What it is to the finding.
    pub role: PartyRole,
    /// Where it was spawned, "file:line:column"; empty where not known.
    pub spawned_at: String,
    /// Whether it has ended.
    pub ended: bool,
    /// What it waits for.
    pub waits: Vec<Waiting>,
    /// What it holds.
    pub holds: Vec<Holding>,
}

/// An object, or a class of them, in a finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ObjectReport {
    /// What it is.
    pub kind: String,
    /// Its name, or the type of what it holds; empty where neither is known.
    pub name: String,
    /// Where it was created, "file:line:column".
    pub created_at: String,
    /// Whether that is where one was used first: a library has made it, or nobody knows who.
    pub first_used: bool,
}

/// A line of the program that takes part, besides those of parties and objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Where, "file:line:column".
    pub at: String,
    /// What happens there.
    pub label: String,
}

/// One finding: one cause.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Its stable code.
    pub code: &'static str,
    /// What the code stands for.
    pub title: &'static str,
    /// How sure it is.
    pub verdict: Verdict,
    /// One sentence.
    pub message: String,
    /// How many parties, or objects, it is about.
    pub count: u64,
    /// Waiting time of all parties together, in nanoseconds.
    pub blocked_ns: u64,
    /// The place to look at first, "file:line:column"; empty where there is none.
    pub at: String,
    /// The parties; of many alike the first few.
    pub parties: Vec<PartyReport>,
    /// How many parties there are besides.
    pub more_parties: u64,
    /// The objects.
    pub objects: Vec<ObjectReport>,
    /// Further lines that take part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// Evidence, and what could not be known.
    pub notes: Vec<String>,
    /// What to change.
    pub help: String,
    /// The process, as a place among the report's processes.
    pub process: usize,
}

impl Finding {
    /// A hazard without its particulars.
    fn hazard(context: &Context<'_>, code: &'static str) -> Self {
        Self {
            code,
            title: explain::title(code),
            verdict: Verdict::Hazard,
            message: String::new(),
            count: 1,
            blocked_ns: 0,
            at: String::new(),
            parties: vec![],
            more_parties: 0,
            objects: vec![],
            places: vec![],
            notes: vec![],
            help: String::new(),
            process: context.process,
        }
    }

    /// Whether a party of it waits at this line, or took there what it holds.
    fn speaks_of(&self, at: &str) -> bool {
        let waits = |party: &PartyReport| party.waits.iter().any(|wait| wait.at == at);
        let holds = |party: &PartyReport| party.holds.iter().any(|held| held.at == at);
        !at.is_empty() && (self.at == at || self.parties.iter().any(|party| waits(party) || holds(party)))
    }
}

/// Whether a finding of a firm verdict speaks of this line: then what might happen there has happened.
fn is_known(known: &[Finding], at: &str) -> bool {
    known.iter().any(|finding| finding.verdict != Verdict::Hazard && finding.speaks_of(at))
}

/// Everything found in one process, most costly first within its verdict.
pub fn find(context: &Context<'_>) -> Vec<Finding> {
    let mut found = stuck::find(context);
    found.extend(watchers::find(context));
    found.extend(growth::find(context, &found));
    for detector in [
        kept::find,
        subscriptions::find,
        orphans::find,
        starved::find,
        long_hold::find,
        order::find,
        across_await::find,
        blocking::find,
        reentry::find,
        under_lock::find,
        states::find,
        stale::find,
        rehash::find,
        torn::find,
        late::find,
        needless::find,
        failed_sends::find,
        lags::find,
        hot::find,
        backlog::find,
        long_poll::find,
        pool::find,
    ] {
        let more = detector(context, &found);
        found.extend(more);
    }
    sort(&mut found);
    found
}

/// Sorts findings: by verdict, then by cost.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, other| {
        let cost = |finding: &Finding| (finding.blocked_ns, finding.count);
        (one.verdict, cost(other), one.code, &one.at).cmp(&(other.verdict, cost(one), other.code, &other.at))
    });
}
