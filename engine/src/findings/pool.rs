//! LP0036: blocking jobs that wait for a thread, since all that their runtime has for such jobs are in use.
//!
//! Pressure, and a hazard: a job that ends lets the next one begin. Where those that run wait for those that are queued, it is a
//! deadlock, and told as such (LP0001). Told of jobs that wait at the end of the recording, for as long as a wait must last to
//! count as stuck. False positives: a pool that is small on purpose, to limit how much runs at a time.
use super::context::duration;
use super::runtimes::runtimes;
use super::tell::plural;
use super::{Context, Finding, PartyRole, Place, Verdict};
use std::collections::BTreeMap;

/// Jobs that run and are listed.
const LISTED: usize = 4;

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let (model, frozen) = (context.model, &context.frozen);
    let least = model.ticks(context.options.min_blocked);
    let nobody = vec![vec![]; frozen.parties.len()];
    let mut found = vec![];
    for runtime in runtimes(context, &nobody).into_values().filter(|runtime| runtime.is_pool_full()) {
        let mut lines: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for place in &runtime.queued {
            let Some(job) = model.parties.get(frozen.parties[*place]) else { continue };
            let waited = model.end().saturating_sub(job.at);
            if waited >= least {
                lines.entry(job.class).or_default().push(waited);
            }
        }
        for (class, waited) in lines {
            let object = context.object(class, None);
            let at = object.created_at.clone();
            let firm = |finding: &Finding| finding.verdict != Verdict::Hazard;
            if known
                .iter()
                .filter(|finding| firm(finding))
                .flat_map(|finding| &finding.parties)
                .any(|party| party.spawned_at == at)
            {
                continue;
            }
            let longest = waited.iter().copied().max().unwrap_or(0);
            let running = runtime.running.iter().map(|place| frozen.parties[*place]);
            let listed: Vec<_> =
                running.take(LISTED).map(|party| context.party(party, PartyRole::Holder)).collect();
            found.push(Finding {
                message: format!(
                    "{} spawned at {} found no thread for up to {}: all {} that the runtime has for such jobs are in use",
                    plural(waited.len() as u64, "blocking job", "blocking jobs"),
                    context.place(model.classes.get(&class).map_or(0, |class| class.site)),
                    duration(model.ns(longest)),
                    runtime.running.len(),
                ),
                count: waited.len() as u64,
                blocked_ns: model.ns(waited.iter().copied().fold(0, u64::saturating_add)),
                places: vec![Place { at: at.clone(), label: "what is spawned here has no thread".into() }],
                at,
                more_parties: runtime.running.len().saturating_sub(listed.len()) as u64,
                parties: listed,
                objects: vec![object],
                help: "give what waits for long, or for ever, a thread of its own; raise `max_blocking_threads`, or send fewer jobs \
                       at a time"
                    .into(),
                ..Finding::hazard(context, "LP0036")
            });
        }
    }
    found
}
