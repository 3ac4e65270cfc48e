//! The report for a terminal: what was recorded and lost, the contention table, populations, then the findings.
use super::diagnostic;
use super::shown::{TextOptions, cut_begin, cut_end, place, shown};
use super::table::{self, Column, Name};
use super::{ClassReport, PopulationReport, Report, SiteReport, SpanReport, Times, WatcherReport};
use crate::findings::Verdict;
use crate::findings::{duration, origin};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Classes in the contention table.
const CLASSES: usize = 20;
/// Sites that are shown of each class.
const SITES: usize = 3;
/// Classes whose sites are shown.
const WITH_SITES: usize = 8;
/// Spawn lines that are shown.
const POPULATIONS: usize = 12;
/// Spans that are shown.
const SPANS: usize = 10;
/// Findings that are printed in full.
const FINDINGS: usize = 50;
/// What a table needs to be read.
const LEAST_WIDTH: usize = 40;
/// What stands on the line of a site besides its place.
const REST_OF_SITE: usize = 62;
/// Cores that are less apart than this, in nanoseconds, make no difference to anything that the text shows.
const SKEW_NS: u64 = 1_000;
/// Columns for the name that a program gives to an object.
const LONGEST_NAME: usize = 40;
/// Columns for the place of a site.
const SHORTEST_SITE: usize = 16;
const LONGEST_SITE: usize = 40;

/// Prints a report.
pub fn render(report: &Report, options: &TextOptions) -> String {
    let width = options.width.max(LEAST_WIDTH);
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = recorded(report, &mut out);
    let _ = contention(report, width, &mut out);
    let _ = populations(report, width, &mut out);
    let _ = spans(report, width, &mut out);
    let _ = found(report, &TextOptions { width, ..*options }, &mut out);
    out
}

/// Prints the findings of a report alone.
pub fn findings(report: &Report, options: &TextOptions) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = found(report, options, &mut out);
    out
}

fn recorded(report: &Report, out: &mut String) -> std::fmt::Result {
    for process in &report.processes {
        write!(
            out,
            "recorded: {} of {} (process {}), mode {}, {}",
            duration(process.duration_ns),
            shown(&process.exe),
            process.pid,
            process.mode,
            process.ended
        )?;
        writeln!(
            out,
            "{}",
            if process.reason.is_empty() { String::new() } else { format!(": {}", shown(&process.reason)) }
        )?;
        let matters = |[apart, uncertain]: &[u64; 2]| apart > uncertain && *apart >= SKEW_NS;
        if let Some([apart, uncertain]) = process.clock_skew_ns.filter(matters) {
            let [apart, uncertain] = [apart, uncertain].map(duration);
            writeln!(
                out,
                "clock:    cores are up to {apart} apart (give or take {uncertain}): so far may times of two threads be off"
            )?;
        }
    }
    let lost: Vec<String> = report
        .lost
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    match (lost.join(", "), report.broken) {
        (lost, true) if lost.is_empty() => {
            writeln!(out, "lost:     unknown: a trace is damaged or cut off, and what it lacks is not below")
        }
        (lost, true) => {
            writeln!(out, "lost:     {lost}, and what lacks in a trace that is damaged or cut off")
        }
        (lost, false) if lost.is_empty() => writeln!(out, "lost:     nothing"),
        (lost, false) => writeln!(out, "lost:     {lost}: numbers below are too small by these"),
    }
}

fn kind(class: &ClassReport) -> String {
    let name = cut_end(&class.name, LONGEST_NAME);
    if name.is_empty() { class.kind.clone() } else { format!("{} {name}", class.kind) }
}

fn contention(report: &Report, width: usize, out: &mut String) -> std::fmt::Result {
    if report.classes.is_empty() {
        return writeln!(out, "\nno lock, map or channel was used");
    }
    writeln!(
        out,
        "\nContention, by where the objects were created (waiting time is of all parties together)"
    )?;
    let classes = &report.classes[..report.classes.len().min(CLASSES)];
    let names: Vec<Vec<Name>> = classes.iter().map(name).collect();
    // Of numbers the sums and the tails matter most.
    let count = |name, of: fn(&ClassReport) -> u64| Column {
        name,
        rank: 0,
        cells: classes.iter().map(|class| of(class).to_string()).collect(),
    };
    let time = |name, rank, of: fn(&ClassReport) -> (&Times, u64)| {
        let shown = |class| {
            let (times, ns) = of(class);
            let known = times.max > 0 && (ns > 0 || times.p99 > 0);
            if known { duration(ns) } else { "–".into() }
        };
        Column { name, rank, cells: classes.iter().map(shown).collect() }
    };
    let columns = vec![
        count("used", |class| class.acquisitions),
        count("waits", |class| class.contended),
        time("wait", 0, |class| (&class.wait_ns, class.wait_ns.total)),
        time("p50", 3, |class| (&class.wait_ns, class.wait_ns.p50)),
        time("p99", 1, |class| (&class.wait_ns, class.wait_ns.p99)),
        time("max", 4, |class| (&class.wait_ns, class.wait_ns.max)),
        time("hold", 2, |class| (&class.hold_ns, class.hold_ns.total)),
        time("p50", 4, |class| (&class.hold_ns, class.hold_ns.p50)),
        time("p99", 3, |class| (&class.hold_ns, class.hold_ns.p99)),
        time("max", 1, |class| (&class.hold_ns, class.hold_ns.max)),
    ];
    writeln!(out, "{}", table::render(width, "object", &names, columns))?;
    more(report.classes.len(), CLASSES, "objects", out)?;
    sites(report, width, out)
}

/// The lines that name a class in a table.
fn name(class: &ClassReport) -> Vec<Name> {
    let of = if class.instances == 1 { String::new() } else { format!("{} × ", class.instances) };
    vec![Name::Text(format!("{of}{}", kind(class))), Name::Place(format!("  {}", place(&class.created_at)))]
}

fn more(all: usize, shown: usize, what: &str, out: &mut String) -> std::fmt::Result {
    if all > shown { writeln!(out, "and {} more {what}: see report.json", all - shown) } else { Ok(()) }
}

/// Who made whom wait.
fn sites(report: &Report, width: usize, out: &mut String) -> std::fmt::Result {
    let wide = width.saturating_sub(REST_OF_SITE).clamp(SHORTEST_SITE, LONGEST_SITE);
    for class in report.classes.iter().filter(|class| class.stood_ns > 0).take(WITH_SITES) {
        let share = class.wait_share * 100.0;
        writeln!(
            out,
            "\n{} {} {}: {share:.1} % of the wall time waited",
            kind(class),
            origin(class.first_used),
            place(&class.created_at)
        )?;
        for site in class.waiting_sites.iter().take(SITES) {
            let SiteReport { at, operation, count, ns, .. } = site;
            let (at, waited, longest) = (cut_begin(&place(at), wide), duration(*ns), duration(site.max_ns));
            let times = format!("{operation:<10} {count:>9} × {waited:>10} (max {longest})");
            line(width, "waiting", &format!("{at:<wide$}"), &times, out)?;
        }
        for site in class.holding_sites.iter().take(SITES) {
            let (at, held, caused) =
                (cut_begin(&place(&site.at), wide), duration(site.ns), duration(site.caused_ns));
            let still = if site.still > 0 { ", still" } else { "" };
            let times = format!("held {held:>10}{still}, others waited {caused} meanwhile");
            line(width, "holding", &format!("{at:<wide$}"), &times, out)?;
        }
    }
    Ok(())
}

/// A site and its times: on two lines where one has no room for both.
fn line(width: usize, does: &str, at: &str, times: &str, out: &mut String) -> std::fmt::Result {
    let whole = format!("  {does}  {at} {times}");
    if whole.width() <= width {
        return writeln!(out, "{whole}");
    }
    let times: Vec<&str> = times.split_whitespace().collect();
    writeln!(out, "  {does}  {}\n    {}", at.trim_end(), times.join(" "))
}

fn populations(report: &Report, width: usize, out: &mut String) -> std::fmt::Result {
    let all: Vec<&PopulationReport> = report.tasks.iter().chain(&report.threads).collect();
    if !all.is_empty() {
        writeln!(out, "\nTasks and threads, by where they were spawned")?;
        let lines = all.len();
        let all = &all[..all.len().min(POPULATIONS)];
        let name = |of: &&PopulationReport| {
            let at =
                if of.spawned_at.is_empty() { "not through lockprof".into() } else { place(&of.spawned_at) };
            vec![Name::Place(format!("{} {at}", of.kind))]
        };
        let count = |name, rank, of: fn(&PopulationReport) -> u64| Column {
            name,
            rank,
            cells: all.iter().map(|row| of(row).to_string()).collect(),
        };
        let columns = vec![
            count("spawned", 0, |of| of.spawned),
            count("live", 0, |of| of.live),
            count("peak", 1, |of| of.peak),
            count("blocked", 0, |of| of.blocked),
            count("finished", 2, |of| of.finished),
            count("panicked", 3, |of| of.panicked),
            count("cancelled", 3, |of| of.cancelled),
            count("dropped", 1, |of| of.dropped),
        ];
        let names: Vec<Vec<Name>> = all.iter().map(name).collect();
        writeln!(out, "{}", table::render(width, "spawned at", &names, columns))?;
        more(lines, POPULATIONS, "spawn lines", out)?;
    }
    if !report.watchers.is_empty() {
        writeln!(out, "\nWatchers, by where they were registered")?;
        let all = &report.watchers[..report.watchers.len().min(POPULATIONS)];
        let count = |name, of: fn(&WatcherReport) -> u64| Column {
            name,
            rank: 0,
            cells: all.iter().map(|row| of(row).to_string()).collect(),
        };
        let columns = vec![
            count("live", |of| of.live),
            count("released", |of| of.released),
            count("delivered", |of| of.delivered),
        ];
        let names: Vec<Vec<Name>> = all.iter().map(|of| vec![Name::Place(place(&of.created_at))]).collect();
        writeln!(out, "{}", table::render(width, "registered at", &names, columns))?;
        more(report.watchers.len(), POPULATIONS, "lines that register watchers", out)?;
    }
    Ok(())
}

fn spans(report: &Report, width: usize, out: &mut String) -> std::fmt::Result {
    if report.spans.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWaiting by span (idle receivers left out)")?;
    let all = &report.spans[..report.spans.len().min(SPANS)];
    let column = |name, rank, of: &dyn Fn(&SpanReport) -> String| Column {
        name,
        rank,
        cells: all.iter().map(of).collect(),
    };
    let time = |ns| if ns == 0 { "–".into() } else { duration(ns) };
    let mut columns = vec![
        column("wait", 0, &|of| time(of.stood_ns)),
        column("max", 0, &|of| time(of.max_ns)),
        column("hold", 1, &|of| time(of.hold_ns)),
    ];
    if report.spans.iter().any(|of| of.cpu_ns > 0) {
        columns.push(column("on CPU", 1, &|of| time(of.cpu_ns)));
    }
    columns.extend([
        column("tasks", 3, &|of| of.tasks.to_string()),
        column("longest in trace", 2, &|of| shown(&of.longest)),
    ]);
    let names: Vec<Vec<Name>> = all
        .iter()
        .map(|of| vec![Name::Text(shown(&of.name)), Name::Place(format!("  {}", place(&of.at)))])
        .collect();
    writeln!(out, "{}", table::render(width, "span", &names, columns))?;
    more(report.spans.len(), SPANS, "spans", out)
}

fn found(report: &Report, options: &TextOptions, out: &mut String) -> std::fmt::Result {
    writeln!(out)?;
    for finding in report.findings.iter().take(FINDINGS) {
        writeln!(out, "{}\n", diagnostic::render(finding, options))?;
    }
    more(report.findings.len(), FINDINGS, "findings", out)?;
    if report.findings.is_empty() {
        return writeln!(out, "findings: none");
    }
    let counts = [Verdict::Proved, Verdict::Suspected, Verdict::Hazard]
        .map(|verdict| format!("{} {}", report.count(verdict), verdict.name()));
    let code = report.findings[0].code;
    writeln!(out, "findings: {}; `lockprof explain {code}` tells more of a code", counts.join(", "))
}
