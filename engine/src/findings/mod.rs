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
//!
//! Codes are stable. A clean program gets no finding of verdict proved or suspected: each detector's doc says what it
//! may take for a fault all the same.
mod context;
mod explain;
mod growth;
mod hot;
mod long_hold;
mod needs;
mod stacks;
mod stuck;
mod tell;
mod watchers;

pub use context::{Context, duration};
pub use explain::{CODES, explain};
pub(crate) use stacks::is_library;
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
    /// How long it has waited, in nanoseconds.
    pub since_ns: u64,
    /// The stack, innermost first: "function (file:line)".
    pub stack: Vec<String>,
}

/// What a party holds.
#[derive(Clone, Debug, Serialize)]
pub struct Holding {
    /// Where it was taken or made, "file:line:column".
    pub at: String,
    /// What: "kind created at file:line".
    pub object: String,
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
    /// Evidence, and what could not be known.
    pub notes: Vec<String>,
    /// What to change.
    pub help: String,
    /// The process, as a place among the report's processes.
    pub process: usize,
}

/// Everything found in one process, most costly first within its verdict.
pub fn find(context: &Context<'_>) -> Vec<Finding> {
    let mut found = stuck::find(context);
    found.extend(watchers::find(context));
    found.extend(growth::find(context, &found));
    found.extend(long_hold::find(context, &found));
    found.extend(hot::find(context));
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
