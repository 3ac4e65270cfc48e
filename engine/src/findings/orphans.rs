//! LP0018: senders of channels from which nobody can receive any more, ever more of them.
//!
//! A list of who is to be told grows by one sender for each newcomer, and none leaves it with its receiver. They are of every age
//! (see `kept`), and of each channel the last receiver was seen to go. *Suspected*: a list may be looked through later. False
//! positives: senders that are collected over more than half of a run to be dropped together.
use super::kept::ever_more;
use super::{Context, Finding, Place, Verdict, is_known};
use crate::model::Held;
use lockprof_trace::{Kind, Role};
use std::collections::{BTreeMap, HashSet};

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    if context.lost_events() || model.abandoned_at.is_some() {
        return vec![];
    }
    let alive = || model.handles.iter().filter(|held| held.until.is_none());
    let received: HashSet<u64> =
        alive().filter(|held| held.role == Role::Receiver).map(|held| held.object).collect();
    // To a channel of those two receivers come later, from its sender.
    let ends = |object: u64| !matches!(model.kind_of(object), Kind::TokioWatch | Kind::TokioBroadcast);
    let is_orphan = |held: &&Held| {
        let had_receivers = model.dropped.contains_key(&(held.object, Role::Receiver));
        held.role == Role::Sender && had_receivers && !received.contains(&held.object) && ends(held.object)
    };
    let mut lines: BTreeMap<(u64, u64), Vec<&Held>> = BTreeMap::new();
    for held in alive().filter(is_orphan) {
        if let Some((class, _)) = model.class_of(held.object) {
            lines.entry((class, held.site)).or_default().push(held);
        }
    }
    let mut found = vec![];
    for ((class, site), kept) in lines {
        let at = context.site(site);
        let Some(born) = ever_more(context, &kept).filter(|_| !is_known(known, &at)) else { continue };
        let count = kept.len() as u64;
        found.push(Finding {
            verdict: Verdict::Suspected,
            message: format!(
                "{count} senders of the {} that were made at {} are kept, though the receivers of their channels are gone, and there are ever more",
                context.class_name(class),
                context.place(site)
            ),
            count,
            places: vec![Place { at: at.clone(), label: "made here, and kept".into() }],
            at,
            objects: vec![context.object(class, None)],
            notes: vec![format!("of those that are left, so many were there at nine moments: {born:?}")],
            help: "take the sender out of its list where a send fails, or where its receiver ends".into(),
            ..Finding::hazard(context, "LP0018")
        });
    }
    found
}
