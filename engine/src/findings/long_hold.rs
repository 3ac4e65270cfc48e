//! LP0008: a lock held so long that others stood still for it.
//!
//! A hazard: the holder does come back. It is told where one hold lasted, the waits it caused are a good part of it, and
//! it was not a deadlock. Where fewer than one hold of a line in a thousand is long, the holder has lost its core rather than
//! made a long call, and that is none of this. False positives: none of a firm verdict; a long hold may be what the program
//! wants.
use super::context::duration;
use super::explain::title;
use super::messages::is_forgotten;
use super::rare::Holders;
use super::turns::Turns;
use super::{Context, Finding, Verdict, starved};
use crate::model::Owner;
use lockprof_trace::{Kind, Party};
use std::collections::HashMap;

/// A hold shorter than this is no long call, in nanoseconds.
const LONG_NS: u64 = 5_000_000;
/// Waits that one holding line must have caused together, in nanoseconds, and no less than its longest hold.
const COST_NS: u64 = 50_000_000;

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    let mut caused: HashMap<(Owner, u64), (u64, u64, u64, u64)> = HashMap::new();
    for (key, sum) in model.waits.iter().filter(|(key, _)| key.holder_site != 0) {
        let (count, ticks, max, site) = caused.entry((key.owner, key.holder_site)).or_default();
        *count += sum.count;
        *ticks = ticks.saturating_add(sum.ticks);
        if sum.max >= *max {
            (*max, *site) = (sum.max, key.site);
        }
    }
    // Holds that have not ended.
    let mut open: HashMap<(u64, u64), (u64, Party)> = HashMap::new();
    for held in &model.handles {
        // A permit that was forgotten is not held: nobody is to give it back sooner.
        let is_held = held.role.is_guard() && !is_forgotten(held);
        if let Some((class, _)) = model.class_of(held.object).filter(|_| is_held) {
            let ticks = held.until.unwrap_or(model.end()).saturating_sub(held.since);
            let longest = open.entry((class, held.site)).or_insert((0, held.party));
            *longest = (*longest).max((ticks, held.party));
        }
    }
    let (holders, turns) = (Holders::of(context), Turns::of(context));
    let mut found = vec![];
    for ((owner, holder_site), (count, ticks, max, site)) in caused {
        let Owner::Class(class) = owner else { continue };
        if turns.are(class, holder_site) {
            continue;
        }
        let mut hold = model.holds.get(&(owner, holder_site)).copied().unwrap_or_default();
        let rare = holders.are_rarely_long(class, holder_site);
        if let Some((ticks, party)) = open.get(&(class, holder_site)).filter(|(ticks, _)| *ticks > hold.max) {
            hold.max = *ticks;
            hold.max_by_task = if party.is_task() { *ticks } else { 0 };
        } else if rare {
            continue;
        }
        let longest = model.ns(hold.max);
        let (waited, cost) = (model.ns(max), model.ns(ticks));
        if longest < LONG_NS
            || waited < LONG_NS / 2
            || cost < longest.max(COST_NS)
            || starved::is_known(context, known, class, cost)
        {
            continue;
        }
        let at = context.site(holder_site);
        let firm = known.iter().filter(|finding| finding.verdict != Verdict::Hazard);
        if firm.flat_map(|finding| &finding.parties).flat_map(|party| &party.holds).any(|held| held.at == at)
        {
            continue;
        }
        let by_task = hold.max_by_task == hold.max && hold.max > 0;
        found.push(Finding {
            code: "LP0008",
            title: title("LP0008"),
            verdict: Verdict::Hazard,
            message: format!(
                "the {} was held for up to {} from {} on: {} for it, {} together, the longest {} at {}",
                context.class_name(class),
                duration(longest),
                context.place(holder_site),
                super::tell::plural(count, "wait", "waits"),
                duration(cost),
                duration(waited),
                context.place(site)
            ),
            count,
            blocked_ns: cost,
            at,
            parties: vec![],
            more_parties: 0,
            objects: vec![context.object(class, None)],
            places: vec![],
            notes: by_task
                .then(|| "the holder is a task: the guard lives across an await or a long call".into())
                .into_iter()
                .collect(),
            help: help(context, class).into(),
            process: context.process,
        });
    }
    found
}

fn help(context: &Context<'_>, class: u64) -> &'static str {
    match context.model.classes.get(&class).map(|known| known.kind) {
        Some(Kind::Once | Kind::StdOnce | Kind::OnceCell | Kind::TokioOnceCell) => {
            "have it initialized before others need it: all who come meanwhile wait until it is"
        }
        _ if context.is_pool(class) => {
            "hold each permit for less, or let more at a time; where they are to be held for long, let less come"
        }
        _ => "do the long call before the lock is taken or after it is released: copy out what it needs",
    }
}
