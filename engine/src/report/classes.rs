//! The numbers of each class: objects, tasks and threads, watchers.
use super::{ClassReport, CpuReport, PopulationReport, SiteReport, Times, WatcherReport};
use crate::findings::Context;
use crate::held::{self, AtLine};
use crate::model::{Model, Owner, Tally, is_idle};
use crate::stats::add;
use lockprof_trace::{HoldSource, Kind, Mode, Operation};
use std::collections::{BTreeMap, HashMap};

/// Sites that are listed of each class.
const SITES: usize = 16;

pub(super) fn is_population(kind: Kind) -> bool {
    matches!(kind, Kind::Task | Kind::BlockingTask | Kind::Thread)
}

/// Waits at one site: how many, how long in ticks, the longest.
type WaitedAt = (u64, u64, u64);

/// Sums over the ids of a class. Lengths in ticks.
#[derive(Default)]
struct Sums {
    counts: BTreeMap<&'static str, u64>,
    acquisitions: u64,
    contended: u64,
    wait_ticks: u64,
    wait_max: u64,
    hold_ticks: u64,
    hold_max: u64,
    instances: u64,
    live: u64,
    name: Option<String>,
}

/// The classes of objects of one process, in no order that means anything.
pub fn classes(context: &Context<'_>) -> Vec<ClassReport> {
    numbered_classes(context).into_iter().map(|(_, class)| class).collect()
}

/// The same with their numbers, which stay the same while the process records. Kind and place tell no class for sure: a line
/// of generic code has one for each type that it is compiled for.
pub fn numbered_classes(context: &Context<'_>) -> Vec<(u64, ClassReport)> {
    let model = context.model;
    let mut sums = sums(model);
    let mut waiting: HashMap<u64, HashMap<(String, Operation), WaitedAt>> = HashMap::new();
    let mut caused: HashMap<(u64, u64), u64> = HashMap::new();
    let mut standing: HashMap<u64, u64> = HashMap::new();
    for (key, sum) in &model.waits {
        let Owner::Class(class) = key.owner else { continue };
        let at = context.wait_at(key.owner, key.site, key.stack);
        let site = waiting.entry(class).or_default().entry((at, key.operation)).or_default();
        *site = (site.0 + sum.count, site.1.saturating_add(sum.ticks), site.2.max(sum.max));
        if !is_idle(key.operation) {
            let stood = standing.entry(class).or_default();
            *stood = stood.saturating_add(sum.ticks);
        }
        if key.holder_site != 0 {
            add(caused.entry((class, key.holder_site)).or_default(), sum.ticks);
        }
    }
    let length = model.end().saturating_sub(model.session.at).max(1);
    let is_object = |kind| !is_population(kind) && kind != Kind::Runtime;
    let objects = model.classes.iter().filter(|(_, class)| is_object(class.kind));
    let used = objects.filter(|(number, _)| {
        sums.contains_key(number) || model.wait_lengths.contains_key(&Owner::Class(**number))
    });
    let mut waiting_now: BTreeMap<u64, u64> = BTreeMap::new();
    for wait in &model.open {
        if let Some((class, _)) = model.class_of(wait.object) {
            *waiting_now.entry(class).or_default() += 1;
        }
    }
    let mut held_now = held::still(model);
    let mut lines: HashMap<u64, Vec<(u64, AtLine)>> = HashMap::new();
    for ((owner, site), line) in held::lines(model) {
        if let Owner::Class(class) = owner {
            lines.entry(class).or_default().push((site, line));
        }
    }
    let classes: Vec<(u64, &crate::model::Class)> = used.map(|(number, class)| (*number, class)).collect();
    classes
        .into_iter()
        .map(|(number, class)| {
            let sum = sums.remove(&number).unwrap_or_default();
            let waits = model.wait_lengths.get(&Owner::Class(number)).cloned().unwrap_or_default();
            let mut holds = model.hold_lengths.get(&Owner::Class(number)).cloned().unwrap_or_default();
            let still = held_now.remove(&number).unwrap_or_default();
            let ended = held::ended(model, number, sum.acquisitions, still.len() as u64, holds.timed());
            // Where events were lost the counters know more.
            let lost = context.lost_events();
            let total = if lost { waits.sum.max(sum.wait_ticks) } else { waits.sum };
            let stood = standing.get(&number).copied().unwrap_or(0);
            let open = still.iter().map(|held| held.1);
            let held = open.clone().fold(holds.total(ended, sum.hold_ticks), u64::saturating_add);
            let longest = open.clone().max().unwrap_or(0).max(sum.hold_max);
            // Its length is known as exactly as if it had ended.
            let source =
                if model.session.mode == Some(Mode::Full) { HoldSource::Full } else { HoldSource::Coarse };
            holds.add(open, source, model.session.coarse_ticks);
            let mut sites: Vec<SiteReport> = waiting
                .remove(&number)
                .into_iter()
                .flatten()
                .map(|((at, operation), (count, ticks, max))| SiteReport {
                    at,
                    operation: operation.to_string(),
                    count,
                    ns: model.ns(ticks),
                    max_ns: model.ns(max),
                    caused_ns: 0,
                    still: 0,
                })
                .collect();
            sort(&mut sites, |site| site.ns);
            let report = ClassReport {
                holding: still.len() as u64,
                waiting: waiting_now.get(&number).copied().unwrap_or(0),
                kind: class.kind.to_string(),
                name: sum.name.unwrap_or_else(|| class.type_name.clone()),
                created_at: context.site(class.site),
                first_used: class.first_used,
                instances: sum.instances,
                live: sum.live,
                acquisitions: sum.acquisitions,
                contended: sum.contended.max(waits.count).min(sum.acquisitions.max(waits.count)),
                counts: sum.counts,
                wait_ns: Times {
                    total: model.ns(total),
                    p50: model.ns(waits.quantile(0.5)),
                    p99: model.ns(waits.quantile(0.99)),
                    max: model.ns(waits.max.max(if lost { sum.wait_max } else { 0 })),
                },
                hold_ns: Times {
                    total: model.ns(held),
                    p50: model.ns(holds.quantile(0.5, sum.acquisitions)),
                    p99: model.ns(holds.quantile(0.99, sum.acquisitions)),
                    max: model.ns(holds.max().max(longest)),
                },
                stood_ns: model.ns(stood),
                wait_share: stood as f64 / length as f64,
                room_bytes: model
                    .changes
                    .grown
                    .get(&Owner::Class(number))
                    .map_or(0, |grown| grown.room.saturating_mul(grown.entry_bytes)),
                waiting_sites: sites,
                holding_sites: holding(context, lines.remove(&number).unwrap_or_default(), &caused, number),
                process: context.process,
            };
            (number, report)
        })
        .collect()
}

fn sort(sites: &mut Vec<SiteReport>, cost: impl Fn(&SiteReport) -> u64) {
    sites.sort_by(|one, other| (cost(other), &one.at).cmp(&(cost(one), &other.at)));
    sites.truncate(SITES);
}

/// The lines that held objects of a class, with how long others waited meanwhile.
fn holding(
    context: &Context<'_>,
    held: Vec<(u64, AtLine)>,
    caused: &HashMap<(u64, u64), u64>,
    class: u64,
) -> Vec<SiteReport> {
    let model = context.model;
    let report = |site: u64, line: AtLine| SiteReport {
        at: context.site(site),
        operation: "held".into(),
        count: line.count,
        ns: model.ns(line.ticks),
        max_ns: model.ns(line.max),
        caused_ns: 0,
        still: line.still,
    };
    let mut sites: HashMap<u64, SiteReport> =
        held.into_iter().map(|(site, line)| (site, report(site, line))).collect();
    for ((_, site), ticks) in caused.iter().filter(|((of, _), _)| *of == class) {
        sites.entry(*site).or_insert_with(|| report(*site, AtLine::default())).caused_ns = model.ns(*ticks);
    }
    let mut sites: Vec<SiteReport> = sites.into_values().collect();
    sort(&mut sites, |site| site.caused_ns.max(site.ns / 2));
    sites
}

fn sums(model: &Model) -> HashMap<u64, Sums> {
    let mut sums: HashMap<u64, Sums> = HashMap::new();
    for (id, counted) in &model.counts {
        let own = model.own(*id);
        let Some((class, known)) = model.class_of(own) else { continue };
        let sum = sums.entry(class).or_default();
        let what = known.kind.count((id - own) as u32);
        add(sum.counts.entry(what.name()).or_default(), counted.count);
        if held::is_use(what) {
            add(&mut sum.acquisitions, counted.count);
            add(&mut sum.contended, counted.contended);
        }
        sum.wait_ticks = sum.wait_ticks.saturating_add(counted.wait_ticks);
        sum.wait_max = sum.wait_max.max(counted.wait_max);
        sum.hold_ticks = sum.hold_ticks.saturating_add(counted.hold_ticks);
        sum.hold_max = sum.hold_max.max(counted.hold_max);
        if *id == own {
            add(&mut sum.instances, counted.instances);
            sum.live += u64::from(counted.live);
        }
    }
    for (object, facts) in &model.objects {
        let sum = sums.entry(facts.class).or_default();
        if !model.counts.contains_key(object) {
            sum.instances += 1;
            sum.live += 1;
        }
        if let Some(name) = model.names.get(object) {
            // Of several names the first in order, so that the report is the same each time.
            let smallest = sum.name.as_ref().is_none_or(|known| name < known);
            if smallest {
                sum.name = Some(name.clone());
            }
        }
    }
    sums
}

/// The tasks and threads of one process by spawn line, most alive first.
pub fn populations(context: &Context<'_>) -> Vec<PopulationReport> {
    numbered_populations(context).into_iter().map(|(_, population)| population).collect()
}

/// The same with the numbers of their classes, as those of [`numbered_classes`]; 0 for all that have none.
pub fn numbered_populations(context: &Context<'_>) -> Vec<(u64, PopulationReport)> {
    let model = context.model;
    let mut alive: HashMap<u64, (u64, u64)> = HashMap::new();
    let mut untold = Kind::Thread;
    for (place, party) in context.frozen.parties.iter().enumerate() {
        let Some(facts) = model.parties.get(*party) else { continue };
        if facts.class == 0 && party.is_task() {
            untold = Kind::Task;
        }
        let (live, blocked) = alive.entry(facts.class).or_default();
        *live += u64::from(facts.end.is_none());
        *blocked += u64::from(!context.frozen.waits[place].is_empty());
    }
    let mut told: BTreeMap<u64, Tally> = model.parties.tallies.clone();
    for (number, class) in &model.classes {
        if is_population(class.kind) && model.timelines.contains_key(number) {
            told.entry(*number).or_default();
        }
    }
    let mut reports: Vec<(u64, PopulationReport)> = told
        .into_iter()
        .map(|(class, tally)| {
            let known = model.classes.get(&class);
            let (live, blocked) = alive.get(&class).copied().unwrap_or_default();
            let report = PopulationReport {
                kind: known.map_or(untold, |class| class.kind).to_string(),
                spawned_at: known.map(|class| context.site(class.site)).unwrap_or_default(),
                spawned: tally.spawned,
                live,
                peak: model.timelines.get(&class).map_or(live, |line| line.peak()),
                finished: tally.finished,
                panicked: tally.panicked,
                cancelled: tally.aborted,
                dropped: tally.dropped,
                blocked,
                lived_ns: model.ns(tally.lived),
                process: context.process,
            };
            (class, report)
        })
        .collect();
    reports.sort_by(|(_, one), (_, other)| {
        let cost = |of: &PopulationReport| (of.live + of.dropped, of.spawned);
        (cost(other), &one.spawned_at).cmp(&(cost(one), &other.spawned_at))
    });
    reports
}

/// The watchers of one process by the line that registers them.
pub(super) fn watchers(context: &Context<'_>) -> Vec<WatcherReport> {
    let model = context.model;
    let live = crate::findings::live_watchers(context);
    let classes = model.classes.iter().filter(|(_, class)| class.kind == Kind::Watcher);
    let delivered = |class: u64| {
        let objects = model.objects.iter().filter(|(_, object)| object.class == class).map(|(id, _)| id);
        let counted: u64 = objects
            .filter_map(|id| model.counts.get(id))
            .map(|counted| counted.count)
            .fold(0, u64::saturating_add);
        counted.max(model.delivered.get(&Owner::Class(class)).copied().unwrap_or(0))
    };
    let mut reports: Vec<WatcherReport> = classes
        .map(|(number, class)| WatcherReport {
            created_at: context.site(class.site),
            live: live.get(number).map_or(0, |list| list.len() as u64),
            released: model.timelines.get(number).map_or(0, |line| line.died),
            delivered: delivered(*number),
            process: context.process,
        })
        .collect();
    reports.sort_by(|one, other| (other.live, &one.created_at).cmp(&(one.live, &other.created_at)));
    reports
}

/// Who ran for how long, longest first.
pub fn cpu(context: &Context<'_>) -> Vec<CpuReport> {
    let mut sums: HashMap<String, (u64, u64)> = HashMap::new();
    for ((whose, _), (samples, ticks)) in &context.model.cpu.samples {
        let sum = sums.entry(context.who(whose.who)).or_default();
        *sum = (sum.0 + samples, sum.1.saturating_add(*ticks));
    }
    let report = |(by, (samples, ticks))| CpuReport {
        by,
        samples,
        cpu_ns: context.model.ns(ticks),
        process: context.process,
    };
    let mut reports: Vec<CpuReport> = sums.into_iter().map(report).collect();
    reports.sort_by(|one, other| (other.cpu_ns, &one.by).cmp(&(one.cpu_ns, &other.by)));
    reports
}
