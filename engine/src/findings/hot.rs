//! LP0009: an object for which more time is waited than passes.
//!
//! A hazard: the program goes on, but in single file. It is told of locks whose waits together are at least a tenth of
//! the recording and of a second, unless they are few and made by holders that lost their core; where `crowd` knows why
//! they stand in line, by a code of its own. False positives: none of a firm verdict.
use super::context::duration;
use super::explain::title;
use super::messages::Messages;
use super::needs::is_lock;
use super::rare::Holders;
use super::turns::Turns;
use super::{Context, Finding, Verdict, starved};
use crate::model::Owner;
use crate::stats::add;
use lockprof_trace::Count;
use std::collections::HashMap;

/// Share of the recording's length that the waits together must reach.
const SHARE: f64 = 0.1;
/// And this long, in nanoseconds.
const LEAST_NS: u64 = 1_000_000_000;
/// Lines that are named.
const NAMED: usize = 3;
/// It is read mostly where of so many uses no more than one is a write.
const MOSTLY: u64 = 10;

/// Waits for one class: how many, how long in ticks, and by waiting and by holding site.
#[derive(Default)]
struct Sums {
    count: u64,
    ticks: u64,
    sites: HashMap<u64, u64>,
    holders: HashMap<u64, u64>,
}

pub(super) fn find(context: &Context<'_>, known: &[Finding]) -> Vec<Finding> {
    let model = context.model;
    let length = model.ns(model.end().saturating_sub(model.session.at)).max(1);
    let (turns, messages) = (Turns::of(context), Messages::of(context));
    let mut sums: HashMap<u64, Sums> = HashMap::new();
    for (key, sum) in model.waits.iter().filter(|(key, _)| is_lock(key.operation)) {
        let Owner::Class(class) = key.owner else { continue };
        // A wait without end is a matter of other findings, and who waits for a turn, or for a permit to be added, waits for work.
        if sum.max_ended == 0 || turns.are(class, key.site) || messages.may_be(class) {
            continue;
        }
        let Sums { count, ticks, sites, holders } = sums.entry(class).or_default();
        *count += sum.count;
        *ticks = ticks.saturating_add(sum.ticks);
        add(sites.entry(key.site).or_default(), sum.ticks);
        if key.holder_site != 0 {
            add(holders.entry(key.holder_site).or_default(), sum.ticks);
        }
    }
    let rare = Holders::of(context);
    let hot = sums.into_iter().filter_map(|(class, Sums { count, ticks, sites, holders })| {
        let waited = model.ns(ticks);
        let share = waited as f64 / length as f64;
        if share < SHARE || waited < LEAST_NS || rare.are_accidents(class, count) || starved::is_known(context, known, class, waited) {
            return None;
        }
        let top = |sites: &HashMap<u64, u64>, more: &dyn Fn(u64) -> String| {
            let mut sites: Vec<_> =
                sites.iter().map(|(site, ticks)| (*ticks, context.place(*site), *site)).collect();
            sites.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
            sites.truncate(NAMED);
            sites
                .into_iter()
                .map(|(ticks, place, site)| format!("{place} ({}{})", duration(model.ns(ticks)), more(site)))
                .collect::<Vec<_>>()
        };
        let quantiles = |site: u64| match model.site_lengths.get(&(Owner::Class(class), site)) {
            Some(lengths) => {
                let [half, most] = [0.5, 0.99].map(|of| duration(model.ns(lengths.quantile(of))));
                format!(" together, p50 {half}, p99 {most}")
            }
            None => String::new(),
        };
        let (waiting, holding) = (top(&sites, &quantiles), top(&holders, &|_| String::new()));
        let mut notes = vec![format!("waiting: {}", waiting.join(", "))];
        if !holding.is_empty() {
            notes.push(format!("held meanwhile from: {}", holding.join(", ")));
        }
        let (reads, writes) = reads_and_writes(context, class);
        let shared = reads > 0 && reads >= writes.saturating_mul(MOSTLY - 1);
        if reads > 0 {
            let share = 100.0 * reads as f64 / (reads + writes) as f64;
            notes.push(format!("{share:.1} % of its {} uses are reads", reads + writes));
        }
        let at =
            sites.iter().max_by_key(|(site, ticks)| (**ticks, **site)).map(|(site, _)| context.site(*site));
        let shape = super::crowd::shape(context, class, count, ticks);
        let code = shape.as_ref().map_or("LP0009", |shape| shape.code);
        notes.extend(shape.iter().map(|shape| shape.note.clone()));
        Some(Finding {
            code,
            title: title(code),
            verdict: Verdict::Hazard,
            message: format!(
                "{} for the {}, {} together: {:.0} % of the {} recorded",
                super::tell::plural(count, "wait", "waits"),
                context.class_name(class),
                duration(waited),
                share * 100.0,
                duration(length)
            ),
            count,
            blocked_ns: waited,
            at: at.unwrap_or_default(),
            parties: vec![],
            more_parties: 0,
            objects: vec![context.object(class, None)],
            places: vec![],
            notes,
            help: match (&shape, shared) {
                (Some(shape), _) => shape.help.into(),
                (None, true) => "readers share it already: do what takes long outside the write lock, or use a map in shards".into(),
                (None, false) if context.is_pool(class) => {
                    "all permits are in use: hold each shorter, allow more at a time, or let less come".into()
                }
                (None, false) => "hold it shorter, split it (by key or by field), or let readers share it".into(),
            },
            process: context.process,
        })
    });
    hot.collect()
}

/// How often the locks of a class were read and written; 0 reads where readers do not share.
fn reads_and_writes(context: &Context<'_>, class: u64) -> (u64, u64) {
    let (mut reads, mut writes) = (0, 0);
    for (id, counted) in &context.model.counts {
        let own = context.model.own(*id);
        let Some((_, known)) = context.model.class_of(own).filter(|known| known.0 == class) else { continue };
        match known.kind.count((id - own) as u32) {
            Count::Reads => add(&mut reads, counted.count),
            Count::Writes => add(&mut writes, counted.count),
            _ => {}
        }
    }
    (reads, writes)
}
