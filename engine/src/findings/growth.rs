//! LP0007: a population of tasks or threads that only grows.
//!
//! The live count of a spawn line is looked at in nine moments from its first birth to the end. It grows if the second
//! half of them is above the first, it never falls by more than a tenth, and it grew in the last half; and it matters if
//! at least eight live in the end, most of them blocked or parked.
//!
//! Where births or ends are missing it says nothing.
//!
//! False positives: a service that is still filling up with long-lived connections when the recording ends.
use super::explain::title;
use super::{Context, Finding, PartyRole, Verdict};
use lockprof_trace::{Kind, Party, TaskState};

/// Live parties of one class from which on it counts.
const LEAST: usize = 8;
/// Moments that are compared.
pub(super) const MOMENTS: usize = 9;
/// Parties that are listed.
const LISTED: usize = 4;

/// Whether live counts taken at equal distances only grow.
pub(super) fn grows(levels: &[u64]) -> bool {
    let (Some(last), half) = (levels.last().copied(), levels.len() / 2) else { return false };
    let falls = levels.windows(2).any(|pair| pair[1] < pair[0] - pair[0] / 10);
    // Steps up, so that one burst is not a trend.
    let steps = |part: &[u64]| part.windows(2).filter(|pair| pair[1] > pair[0]).count();
    !falls && steps(&levels[..=half]) >= half / 2 && steps(&levels[half..]) >= half / 2 && last > levels[half]
}

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    if context.lost_events() {
        return vec![];
    }
    // A shutdown ends the growth of all.
    let end = model.abandoned_at.unwrap_or(model.end());
    let mut found = vec![];
    for (class, line) in &model.timelines {
        let Some(kind) = model.classes.get(class).map(|class| class.kind) else { continue };
        if !matches!(kind, Kind::Task | Kind::BlockingTask | Kind::Thread) || line.live() < LEAST as u64 {
            continue;
        }
        let alive = context.frozen.parties.iter().enumerate();
        let alive: Vec<(usize, Party)> = alive
            .filter(|(_, party)| model.parties.get(**party).is_some_and(|facts| facts.class == *class))
            .map(|(place, party)| (place, *party))
            .collect();
        let idle = |(place, party): &&(usize, Party)| {
            let parked = |state: TaskState| matches!(state, TaskState::Parked | TaskState::New);
            !context.frozen.waits[*place].is_empty()
                || model.open_tasks.get(party).is_some_and(|task| parked(task.state))
        };
        let still = alive.iter().filter(idle).count();
        if alive.len() < LEAST || still * 2 < alive.len() || !grows(&line.sampled(end, MOMENTS)) {
            continue;
        }
        let at = context.site(model.classes.get(class).map_or(0, |class| class.site));
        // Told already with its cause: they are stuck at a line that has its own finding.
        let firm = known
            .iter()
            .filter(|finding| finding.verdict != Verdict::Hazard && finding.count >= still as u64 / 2);
        if firm.flat_map(|finding| &finding.parties).any(|party| party.spawned_at == at) {
            continue;
        }
        let waits: Vec<_> =
            alive.iter().filter_map(|(place, _)| context.frozen.waits_of(model, *place).next()).collect();
        let blocked_ns = waits.iter().map(|wait| context.waited_ns(wait)).fold(0u64, u64::saturating_add);
        let name = context.class_name(*class);
        found.push(Finding {
            code: "LP0007",
            title: title("LP0007"),
            verdict: Verdict::Suspected,
            message: format!(
                "the number of live {}s spawned at {} only grows: {} in the end, of {} spawned",
                kind,
                name.rsplit(" at ").next().unwrap_or_default(),
                alive.len(),
                line.born
            ),
            count: alive.len() as u64,
            blocked_ns,
            at,
            parties: alive.iter().take(LISTED).map(|(_, party)| context.party(*party, PartyRole::Member)).collect(),
            more_parties: alive.len().saturating_sub(LISTED) as u64,
            objects: vec![context.object(*class, None)],
            places: vec![],
            notes: vec![
                format!("alive at nine moments: {:?}", line.sampled(end, MOMENTS)),
                format!("{still} of them are blocked or parked"),
            ],
            help: "make each end: give its wait an end (drop the other side, cancel it), or bound how many are spawned".into(),
            process: context.process,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::grows;

    #[test]
    fn a_trend_is_told_from_a_burst_and_from_a_pool() {
        assert!(grows(&[1, 5, 9, 14, 20, 24, 30, 35, 40]));
        assert!(!grows(&[1, 50, 90, 140, 200, 150, 90, 20, 0]), "a burst");
        assert!(!grows(&[8, 8, 8, 8, 8, 8, 8, 8, 8]), "a pool");
        assert!(!grows(&[0, 20, 40, 64, 64, 64, 64, 64, 64]), "a pool that has filled");
        assert!(!grows(&[]));
    }
}
