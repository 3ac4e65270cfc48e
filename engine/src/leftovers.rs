//! What one piece of a program leaves behind: the threads and tasks that it has spawned, the guards and watchers that
//! they have taken. A test asks for it when it is over.
use crate::findings::{Context, Finding, Holding, PartyReport, PartyRole, Verdict, duration};
use crate::model::Model;
use crate::symbols::NoSymbols;
use crate::{Options, findings};
use lockprof_trace::Party;
use std::collections::HashMap;
use std::fmt;

/// Generations that are looked back to who spawned whom.
const ANCESTORS: usize = 64;

/// What lives on that a party has begun.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// Threads and tasks that live, spawned by the party or by whom it spawned.
    pub parties: Vec<PartyReport>,
    /// Guards and permits that they, or the party itself, have not given back.
    pub held: Vec<Holding>,
    /// Where they registered watchers that live: "file:line:column".
    pub watchers: Vec<String>,
    /// What is found of them, of a firm verdict.
    pub findings: Vec<Finding>,
}

impl Leftovers {
    /// What lives of what `root` has begun since `since` ticks; the model is that of its process, with the state of this
    /// moment.
    pub fn of(model: Model, options: &Options, root: Party, since: u64) -> Self {
        let model = model.resolved();
        let context = Context::new(0, &model, options, &NoSymbols);
        let mut known: HashMap<Party, bool> = HashMap::new();
        let mut ours = |party: Party| *known.entry(party).or_insert_with(|| descends(&model, party, root));
        let mut alive: Vec<Party> = model
            .parties
            .alive()
            .filter(|(party, facts)| facts.end.is_none() && facts.at >= since && *party != root)
            .map(|(party, _)| party)
            .collect();
        alive.retain(|party| ours(*party));
        alive.sort_unstable();
        let guards = model
            .handles
            .iter()
            .filter(|held| held.role.is_guard() && held.until.is_none() && held.since >= since);
        let held = guards.filter(|held| ours(held.party)).map(|held| context.holding(held)).collect();
        let watchers = model.watchers.values().filter(|(party, _, at)| *at >= since && ours(*party));
        let watchers = watchers.map(|(_, site, _)| context.site(*site)).collect();
        let of_ours = |finding: &Finding| {
            let number = |party: &PartyReport| match party.kind {
                "task" => Party::task(party.id),
                _ => Party::thread(party.id),
            };
            finding.parties.iter().any(|party| descends(&model, number(party), root))
        };
        let mut findings = findings::find(&context);
        findings.retain(|finding| finding.verdict != Verdict::Hazard && of_ours(finding));
        let parties = alive.into_iter().map(|party| context.party(party, PartyRole::Member)).collect();
        Self { parties, held, watchers, findings }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.parties.is_empty()
            && self.held.is_empty()
            && self.watchers.is_empty()
            && self.findings.is_empty()
    }
}

/// Whether a party is `root`, or was spawned by it or by whom that had spawned.
fn descends(model: &Model, party: Party, root: Party) -> bool {
    let parent = |party: &Party| model.parties.get(*party).map(|facts| facts.parent);
    std::iter::successors(Some(party), parent).take(ANCESTORS).any(|ancestor| ancestor == root)
}

impl fmt::Display for Leftovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for party in &self.parties {
            writeln!(f, "- {} lives on, spawned at {}", party.name, party.spawned_at)?;
            for wait in &party.waits {
                let since = duration(wait.since_ns);
                writeln!(f, "    waits at {} since {since}: {} on {}", wait.at, wait.operation, wait.object)?;
            }
        }
        for held in &self.held {
            writeln!(f, "- the {} was not given back: {}, taken at {}", held.role, held.object, held.at)?;
        }
        for at in &self.watchers {
            writeln!(f, "- a watcher was not released, registered at {at}")?;
        }
        for finding in &self.findings {
            writeln!(f, "- {}[{}]: {}", finding.verdict.name(), finding.code, finding.message)?;
            writeln!(f, "    help: {}", finding.help)?;
        }
        Ok(())
    }
}
