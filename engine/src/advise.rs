//! What to use instead, object by object: a decision tree over what was measured.
//!
//! The first rule that fits an object speaks; most objects are best kept as they are, and that is said too. Each rule tells
//! what it rests on and what it expects at most, so that `lockprof diff` of a second recording can tell whether it was right.
//!
//! | rule | fits | advice |
//! | --- | --- | --- |
//! | `time-limit` | a send is blocked for good (LP0003) | a time limit, and an error path that closes the channel |
//! | `fault` | parties are blocked for good at it, or it is used wrongly, whoever waits: a finding says so | what that finding says |
//! | `keep` | next to nobody waits for it: little of the time, or one use in a thousand without long holds | keep it |
//! | `shorten` | one line's long holds make others wait (LP0008) | take the long call out of the section |
//! | `snapshot` | nearly all uses read, and writes are so rare that a copy at each is small | publish whole versions: readers take no lock |
//! | `skew` | of many shards, or of all keys, one makes most of the waits (LP0031) | keep the key that all want in a place of its own |
//! | `shard` | short holds, many uses, many waits | divide it by key: waits fall with the number of parts |
//! | `receivers` | sends wait for room, and holds have no part in it | more receivers, or more done at a time |
//! | `permits` | acquires of a semaphore wait for long holds | more permits, or give them back sooner |
//! | `bounded` | an unbounded channel holds ever more | a bounded one, so that senders feel it |
//! | `join-set` | tasks of one line only grow (LP0007) | a `JoinSet` with a limit, which waits for those that are over |
//! | `look` | none of these | read the waiting and holding lines |
use crate::findings::{Finding, Verdict, duration, origin, plural};
use crate::report::{ClassReport, Report, SiteReport, shown};
use lockprof_trace::Kind;
use serde::Serialize;
use std::fmt::Write;

/// Below this share of the recorded time, waiting is no reason to change anything.
const COLD: f64 = 0.01;
/// Of this many uses one that waits is an accident: its holder lost its core.
const ACCIDENTS: u64 = 1_000;
/// Findings of parties that are blocked at an object and never go on: a deadlock, a lock never released, a blocked receive or
/// wait, a lost wake-up. What is measured of it besides is measured of a program that stands.
const BLOCKED: [&str; 5] = ["LP0001", "LP0002", "LP0004", "LP0005", "LP0015"];
/// Findings of an object that is used wrongly, not too much: a watcher never released, a state overwritten, done twice, a stale
/// read, a torn pass, a lock that nothing needs, an add that comes late.
const FAULTS: [&str; 7] = ["LP0006", "LP0020", "LP0021", "LP0022", "LP0024", "LP0025", "LP0026"];
/// A hold that lasts this long, in nanoseconds, is a call, not an access.
const LONG_NS: u64 = 1_000_000;
/// Of this many uses at least nearly all must read.
const READS: f64 = 0.95;
/// Writes in a second that a copy of everything still stands.
const WRITES_PER_S: f64 = 100.0;
/// A share of the uses that waits: contended.
const CONTENDED: f64 = 0.01;
/// Bytes in a second that a copy of everything at each write may come to.
const COPIED_PER_S: f64 = 64e6;
/// Parts that a sharded map has at least.
const SHARDS: f64 = 8.0;
/// Messages that an unbounded channel may hold in the end.
const BACKLOG: u64 = 10_000;

/// What to do about one object, or one line that spawns.
#[derive(Clone, Debug, Serialize)]
pub struct Advice {
    /// The rule that fits.
    pub rule: &'static str,
    /// What the objects are.
    pub kind: String,
    /// Where they are created, "file:line:column".
    pub created_at: String,
    /// Whether that is where one was used first: a library has made them, or nobody knows who.
    pub first_used: bool,
    /// What to do.
    pub advice: String,
    /// What that rests on.
    pub evidence: Vec<String>,
    /// What it should bring.
    pub expects: String,
    /// Waiting that may go, at most, in nanoseconds.
    pub saves_ns: u64,
    /// The process, as a place among the report's processes.
    pub process: usize,
}

/// Advice on everything in a report: faults, then what saves most; what is to be kept comes last.
pub fn advise(report: &Report) -> Vec<Advice> {
    let classes = report.classes.iter().filter(|class| class.acquisitions > 0 || class.stood_ns > 0);
    let mut all: Vec<Advice> = classes.map(|class| of_class(report, class)).collect();
    all.extend(of_populations(report));
    all.sort_by(|one, other| {
        let rank = |advice: &Advice| match advice.rule {
            "fault" => 0,
            "keep" => 2,
            _ => 1,
        };
        (rank(one), other.saves_ns, &one.created_at).cmp(&(rank(other), one.saves_ns, &other.created_at))
    });
    all
}

fn of_class(report: &Report, class: &ClassReport) -> Advice {
    let rules =
        [time_limit, blocked, fault, bounded, keep, shorten, snapshot, skew, permits, receivers, shard];
    rules.iter().find_map(|rule| rule(report, class)).unwrap_or_else(|| look(class))
}

fn advice(class: &ClassReport, rule: &'static str, advice: String) -> Advice {
    Advice {
        rule,
        kind: class.kind.clone(),
        created_at: class.created_at.clone(),
        first_used: class.first_used,
        advice,
        evidence: vec![],
        expects: String::new(),
        saves_ns: 0,
        process: class.process,
    }
}

fn kind(class: &ClassReport) -> Kind {
    Kind::ALL.iter().copied().find(|kind| kind.name() == class.kind).unwrap_or(Kind::Unknown)
}

fn count(class: &ClassReport, what: &str) -> u64 {
    class.counts.get(what).copied().unwrap_or(0)
}

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// How long the class's own process was recorded, in nanoseconds.
fn length_ns(report: &Report, class: &ClassReport) -> u64 {
    report.processes.get(class.process).map_or(report.duration_ns, |process| process.duration_ns)
}

/// What is waited, as evidence.
fn waited(report: &Report, class: &ClassReport) -> String {
    format!(
        "{} of {} uses waited, {} together in {} (p99 {})",
        class.contended,
        class.acquisitions,
        duration(class.stood_ns),
        duration(length_ns(report, class)),
        duration(class.wait_ns.p99)
    )
}

/// What was found with this code in the class's objects.
fn found<'a>(report: &'a Report, class: &ClassReport, code: &str) -> Option<&'a Finding> {
    report.findings.iter().find(|finding| {
        finding.code == code
            && finding.process == class.process
            && finding.objects.iter().any(|object| object.created_at == class.created_at)
    })
}

/// One shard makes most of the wait, by one key that all want or by several that meet.
fn skew(report: &Report, class: &ClassReport) -> Option<Advice> {
    let hot = found(report, class, "LP0031")?;
    Some(Advice {
        evidence: [vec![waited(report, class)], hot.notes.clone()].concat(),
        expects: format!("up to {} less is waited for that one", duration(hot.blocked_ns)),
        saves_ns: hot.blocked_ns,
        ..advice(class, "skew", hot.help.clone())
    })
}

fn time_limit(report: &Report, class: &ClassReport) -> Option<Advice> {
    let blocked = found(report, class, "LP0003")?;
    Some(Advice {
        evidence: vec![blocked.message.clone()],
        expects: "no send waits longer than its limit; what its sender holds comes free".into(),
        saves_ns: blocked.blocked_ns,
        ..advice(
            class,
            "time-limit",
            format!(
                "send with a time limit (`send_timeout`, or `select!` with a timer) at {}, and let the error path drop the receiver",
                blocked.at
            ),
        )
    })
}

fn bounded(_: &Report, class: &ClassReport) -> Option<Advice> {
    let unbounded = matches!(kind(class), Kind::TokioUnbounded);
    let left = count(class, "sends").saturating_sub(count(class, "receives"));
    (unbounded && left >= BACKLOG).then(|| Advice {
        evidence: vec![format!("{left} messages were sent and not received in the end")],
        expects: "memory stays bounded; senders wait, or are told, when the receiver is behind".into(),
        ..advice(class, "bounded", "make it a bounded channel".into())
    })
}

fn blocked(report: &Report, class: &ClassReport) -> Option<Advice> {
    let blocked = BLOCKED.iter().find_map(|code| found(report, class, code))?;
    Some(Advice {
        evidence: vec![blocked.message.clone()],
        expects: format!(
            "{} is gone; what is slow besides, only a recording without it can tell",
            blocked.code
        ),
        saves_ns: blocked.blocked_ns,
        ..advice(class, "fault", format!("fix {} first: {}", blocked.code, blocked.help))
    })
}

fn fault(report: &Report, class: &ClassReport) -> Option<Advice> {
    let fault = FAULTS.iter().find_map(|code| found(report, class, code))?;
    Some(Advice {
        evidence: vec![fault.message.clone()],
        expects: format!("{} is gone; what is waited may stay as it is", fault.code),
        ..advice(class, "fault", fault.help.clone())
    })
}

fn keep(report: &Report, class: &ClassReport) -> Option<Advice> {
    let accidents = class.contended.saturating_mul(ACCIDENTS) < class.acquisitions
        && ["LP0008", "LP0009"].iter().all(|code| found(report, class, code).is_none());
    (class.wait_share < COLD || accidents).then(|| Advice {
        evidence: vec![waited(report, class)],
        expects: "nothing: there is nothing to gain".into(),
        ..advice(class, "keep", "keep it".into())
    })
}

fn shorten(report: &Report, class: &ClassReport) -> Option<Advice> {
    let held = found(report, class, "LP0008").filter(|_| super::findings::is_lock_kind(kind(class)))?;
    Some(Advice {
        evidence: vec![waited(report, class), held.message.clone()],
        expects: format!("up to {} less is waited", duration(held.blocked_ns)),
        saves_ns: held.blocked_ns,
        ..advice(
            class,
            "shorten",
            format!("shorten the section at {}: do its long call before or after, on a copy", held.at),
        )
    })
}

fn snapshot(report: &Report, class: &ClassReport) -> Option<Advice> {
    let (reads, writes) = (count(class, "reads"), count(class, "writes"));
    let seconds = (length_ns(report, class) as f64 / 1e9).max(1e-3);
    let share = percent(reads, reads + writes);
    let per_second = writes as f64 / seconds;
    let rare = per_second <= WRITES_PER_S && per_second * class.room_bytes as f64 <= COPIED_PER_S;
    let map = matches!(kind(class), Kind::SafeMap | Kind::DashMap);
    (reads > 0 && share >= READS && rare).then(|| {
        let by_readers = class.waiting_sites.iter().filter(|site| site.operation == "read");
        let saves = by_readers.map(|site| site.ns).fold(0, u64::saturating_add);
        let what =
            if map { "`lockprof::map::SnapshotMap`" } else { "`arc_swap::ArcSwap`, or `tokio::sync::watch`" };
        let copy = match class.room_bytes {
            0 => String::new(),
            bytes => format!("; each copies {:.1} MB", bytes as f64 / 1e6),
        };
        Advice {
            evidence: vec![
                waited(report, class),
                format!(
                    "{:.1} % of {} uses read; {:.1} writes a second{copy}",
                    share * 100.0,
                    reads + writes,
                    per_second
                ),
            ],
            expects: format!("readers wait for nobody: up to {} less is waited", duration(saves)),
            saves_ns: saves,
            ..advice(class, "snapshot", format!("publish whole versions: {what}"))
        }
    })
}

fn permits(report: &Report, class: &ClassReport) -> Option<Advice> {
    (kind(class) == Kind::TokioSemaphore).then(|| Advice {
        evidence: vec![
            waited(report, class),
            format!(
                "permits are held for {} (p50), {} (p99)",
                duration(class.hold_ns.p50),
                duration(class.hold_ns.p99)
            ),
        ],
        expects: "waits fall as permits rise, until what they protect is the limit".into(),
        saves_ns: class.stood_ns,
        ..advice(
            class,
            "permits",
            "give permits back sooner, or have more of them if what they protect stands it".into(),
        )
    })
}

fn receivers(report: &Report, class: &ClassReport) -> Option<Advice> {
    kind(class).is_channel().then(|| {
        let sends = class.waiting_sites.iter().filter(|site| site.operation == "send" || site.operation == "reserve");
        let saves = sends.map(|site| site.ns).fold(0, u64::saturating_add);
        Advice {
            evidence: vec![waited(report, class)],
            expects: format!("up to {} less is waited for room, as long as the receivers are the limit", duration(saves)),
            saves_ns: saves,
            ..advice(
                class,
                "receivers",
                "have more receivers, or let each take several messages at a time; more room only moves the wait".into(),
            )
        }
    })
}

fn shard(report: &Report, class: &ClassReport) -> Option<Advice> {
    let lock = super::findings::is_lock_kind(kind(class)) && kind(class) != Kind::DashMap;
    let short = class.hold_ns.p99 < LONG_NS;
    (lock && short && percent(class.contended, class.acquisitions) >= CONTENDED).then(|| {
        let saves = (class.stood_ns as f64 * (1.0 - 1.0 / SHARDS)) as u64;
        let short = match class.hold_ns.p99 {
            0 => "holds are short: none was long enough to be measured".into(),
            p99 => format!("holds are short: {} (p50), {} (p99)", duration(class.hold_ns.p50), duration(p99)),
        };
        let grows = found(report, class, "LP0023").map(|growth| growth.message.clone());
        Advice {
            evidence: [waited(report, class), short].into_iter().chain(grows).collect(),
            expects: format!(
                "with {SHARDS} parts and keys that spread, about {} less is waited; with one hot key nothing",
                duration(saves)
            ),
            saves_ns: saves,
            ..advice(
                class,
                "shard",
                "divide it by key (`dashmap::DashMap`, or an array of locks); of a number, make it an atomic"
                    .into(),
            )
        }
    })
}

fn look(class: &ClassReport) -> Advice {
    let lines = |sites: &[SiteReport]| {
        sites
            .iter()
            .take(3)
            .map(|site| format!("{} ({})", site.at, duration(site.ns)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    Advice {
        evidence: vec![
            format!("waiting: {}", lines(&class.waiting_sites)),
            format!("holding: {}", lines(&class.holding_sites)),
        ],
        expects: "no rule fits".into(),
        ..advice(class, "look", "read its lines".into())
    }
}

fn of_populations(report: &Report) -> Vec<Advice> {
    let growing = report
        .findings
        .iter()
        .filter(|finding| finding.code == "LP0007" && finding.verdict != Verdict::Hazard);
    let advice = growing.map(|finding| Advice {
        rule: "join-set",
        kind: "task".into(),
        created_at: finding.at.clone(),
        first_used: false,
        advice: "spawn into a `JoinSet`, wait for those that are over, and limit how many there are".into(),
        evidence: vec![finding.message.clone()],
        expects: "as many live as are at work".into(),
        saves_ns: finding.blocked_ns,
        process: finding.process,
    });
    advice.collect()
}

/// The advice for people: what to change, most worth first, and how much is best kept.
pub fn text(all: &[Advice]) -> String {
    let mut out = String::new();
    let (kept, changed): (Vec<&Advice>, Vec<&Advice>) = all.iter().partition(|advice| advice.rule == "keep");
    for advice in &changed {
        // Writing to a string does not fail.
        let at = format!("{} {}", origin(advice.first_used), shown(&advice.created_at));
        let _ = writeln!(out, "advise[{}]: {}, {at}", advice.rule, advice.kind);
        let _ = writeln!(out, "  do:      {}", shown(&advice.advice));
        for (number, evidence) in advice.evidence.iter().enumerate() {
            let evidence = shown(evidence);
            let _ = writeln!(out, "  {} {evidence}", if number == 0 { "because:" } else { "        " });
        }
        let _ = writeln!(out, "  expects: {}\n", shown(&advice.expects));
    }
    if !kept.is_empty() {
        let _ = writeln!(
            out,
            "keep: {}, for which next to nobody waits",
            plural(kept.len() as u64, "object", "objects")
        );
    } else if changed.is_empty() {
        out.push_str("nothing was used that advice could be given on\n");
    }
    if !changed.is_empty() {
        out.push_str("check with a second recording: lockprof diff before.bin after.bin\n");
    }
    out
}
