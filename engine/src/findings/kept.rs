//! LP0016: guards or permits that are taken at one line and never given back, ever more of them.
//!
//! What is alive in the end tells it by itself: of what is given back, what is left is young; of a pool that was filled, old; of
//! what leaks, of every age. So births among those that are left are looked at in nine moments, as live counts are in `growth`.
//! *Suspected*: they may lie where somebody still finds them. False positives: a service that is still filling up with what
//! keeps a permit for long when the recording ends.
use super::growth::{MOMENTS, grows};
use super::kin::Kin;
use super::tell::plural;
use super::{Context, Finding, PartyRole, Place, Verdict, is_known};
use crate::model::Held;
use lockprof_trace::Role;
use std::collections::BTreeMap;

/// What is left at one line, at least; of subscriptions, at one line of one channel.
const LEAST: usize = 8;
/// Holders that are listed.
const LISTED: usize = 4;

/// How many of these were there at each of nine moments, if they are many and ever more.
pub(super) fn ever_more(context: &Context<'_>, kept: &[&Held]) -> Option<Vec<u64>> {
    let (begin, end) = (context.model.session.at, context.model.end());
    let step = (end.saturating_sub(begin) / (MOMENTS as u64 - 1)).max(1);
    let by = |moment: u64| kept.iter().filter(|held| held.since <= begin + step * moment).count() as u64;
    let born: Vec<u64> = (0..MOMENTS as u64).map(by).collect();
    (kept.len() >= LEAST && grows(&born)).then_some(born)
}

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    // A shutdown drops what it finds, in whatever order.
    if context.lost_events() || model.abandoned_at.is_some() {
        return vec![];
    }
    let kin = Kin::of(context);
    let passed_on = |held: &Held| held.travels && kin.each_taker().next().is_some();
    let mut lines: BTreeMap<(u64, u64), Vec<&Held>> = BTreeMap::new();
    for held in model.handles.iter().filter(|held| held.role.is_guard() && held.until.is_none()) {
        // Who waits with it in hand has not forgotten it.
        let at_work = context
            .frozen
            .index
            .get(&held.party)
            .is_some_and(|place| !context.frozen.waits[*place].is_empty());
        let class = model.class_of(held.object).map(|(class, _)| class);
        if let Some(class) = class.filter(|_| !at_work && !passed_on(held)) {
            lines.entry((class, held.site)).or_default().push(held);
        }
    }
    let mut found = vec![];
    for ((class, site), kept) in lines {
        let at = context.site(site);
        let Some(born) = ever_more(context, &kept).filter(|_| !is_known(known, &at)) else { continue };
        let count = kept.len() as u64;
        let ended = kept.iter().filter(|held| context.has_ended(held.party)).count() as u64;
        let what = match kept[0].role {
            Role::Permit => "permits",
            _ => "guards",
        };
        let mut holders: Vec<_> = kept.iter().map(|held| held.party).collect();
        holders.dedup();
        found.push(Finding {
            verdict: Verdict::Suspected,
            message: format!(
                "{count} {what} of the {} that were taken at {} are never given back, and there are ever more",
                context.class_name(class),
                context.place(site)
            ),
            count,
            places: vec![Place { at: at.clone(), label: "taken here, and not given back".into() }],
            at,
            parties: holders.iter().take(LISTED).map(|party| context.party(*party, PartyRole::Holder)).collect(),
            more_parties: holders.len().saturating_sub(LISTED) as u64,
            objects: vec![context.object(class, None)],
            notes: vec![
                format!("of those that are left, so many were there at nine moments: {born:?}"),
                format!("{} by who has ended since", plural(ended, "one was taken", "of them were taken")),
            ],
            help: "keep each in a scope that ends, on every path: `mem::forget` and what is pushed into a list that nobody empties \
                   keep it for ever"
                .into(),
            ..Finding::hazard(context, "LP0016")
        });
    }
    found
}
