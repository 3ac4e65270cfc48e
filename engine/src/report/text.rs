//! The report for a terminal: what was recorded and lost, the contention table, populations, then the findings.
use super::diagnostic;
use super::{ClassReport, PopulationReport, Report, SiteReport};
use crate::findings::Verdict;
use crate::findings::duration;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};
use std::fmt::Write;

/// Classes in the contention table.
const CLASSES: usize = 20;
/// Sites that are shown of each class.
const SITES: usize = 3;
/// Classes whose sites are shown.
const WITH_SITES: usize = 8;
/// Spawn lines that are shown.
const POPULATIONS: usize = 12;
/// Findings that are printed in full.
const FINDINGS: usize = 50;
/// What a table needs to be read.
const LEAST_WIDTH: usize = 60;

/// How the report is printed.
#[derive(Clone, Copy, Debug)]
pub struct TextOptions {
    /// Whether terminal colours are written.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { color: false, width: 120 }
    }
}

/// Prints a report.
pub fn render(report: &Report, options: &TextOptions) -> String {
    let width = options.width.max(LEAST_WIDTH);
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = recorded(report, &mut out);
    let _ = contention(report, width, &mut out);
    let _ = populations(report, width, &mut out);
    let _ = findings(report, &TextOptions { width, ..*options }, &mut out);
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
    }
    let lost: Vec<String> = report
        .lost
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    match lost.is_empty() {
        true => writeln!(out, "lost:     nothing"),
        false => writeln!(out, "lost:     {}: numbers below are too small by these", lost.join(", ")),
    }
}

/// A text from the trace, made harmless for a terminal.
pub(crate) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A table whose first columns are names, the others numbers.
fn table(width: usize, names: usize, header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX));
    let head = |(place, name): (usize, &&str)| if place < names { Cell::new(name) } else { number(name) };
    table.set_header(header.iter().enumerate().map(head).collect::<Vec<_>>());
    // Numbers are never broken; what is left of the width is the names'.
    for column in table.column_iter_mut().skip(names) {
        column.set_constraint(ColumnConstraint::ContentWidth).set_padding((0, 1));
    }
    table
}

fn number(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// "file:line" without the column, and without the folders in front where they are many.
pub(crate) fn place(at: &str) -> String {
    let line = at.rsplit_once(':').map_or(at, |(line, _)| line);
    let parts: Vec<&str> = line.split('/').collect();
    let short =
        if parts.len() > 3 { format!("…/{}", parts[parts.len() - 2..].join("/")) } else { line.into() };
    shown(if short.is_empty() { "?" } else { &short })
}

fn kind(class: &ClassReport) -> String {
    let name: String = class.name.chars().take(40).collect();
    if name.is_empty() { class.kind.clone() } else { format!("{} {}", class.kind, shown(&name)) }
}

fn contention(report: &Report, width: usize, out: &mut String) -> std::fmt::Result {
    if report.classes.is_empty() {
        return writeln!(out, "\nno lock, map or channel was used");
    }
    writeln!(
        out,
        "\nContention, by where the objects were created (waiting time is of all parties together)"
    )?;
    let header = ["object", "used", "waits", "wait", "p50", "p99", "max", "hold", "p50", "p99", "max"];
    let mut table = table(width, 1, &header);
    for class in report.classes.iter().take(CLASSES) {
        let of = if class.instances == 1 { String::new() } else { format!("{} × ", class.instances) };
        let mut row = vec![Cell::new(format!("{of}{}\n  {}", kind(class), place(&class.created_at)))];
        row.extend([class.acquisitions, class.contended].map(number));
        for times in [&class.wait_ns, &class.hold_ns] {
            let all = [times.total, times.p50, times.p99, times.max];
            let known = |ns: u64| times.max > 0 && (ns > 0 || times.p99 > 0);
            row.extend(all.map(|ns| if known(ns) { number(duration(ns)) } else { number("–") }));
        }
        table.add_row(row);
    }
    writeln!(out, "{table}")?;
    more(report.classes.len(), CLASSES, "objects", out)?;
    sites(report, out)
}

fn more(all: usize, shown: usize, what: &str, out: &mut String) -> std::fmt::Result {
    if all > shown { writeln!(out, "and {} more {what}: see report.json", all - shown) } else { Ok(()) }
}

/// Who made whom wait.
fn sites(report: &Report, out: &mut String) -> std::fmt::Result {
    for class in report.classes.iter().filter(|class| class.stood_ns > 0).take(WITH_SITES) {
        let share = class.wait_share * 100.0;
        writeln!(
            out,
            "\n{} created at {}: {share:.1} % of the wall time waited",
            kind(class),
            place(&class.created_at)
        )?;
        for site in class.waiting_sites.iter().take(SITES) {
            let SiteReport { at, operation, count, ns, .. } = site;
            let (at, waited, longest) = (place(at), duration(*ns), duration(site.max_ns));
            writeln!(out, "  waiting  {at:<40} {operation:<10} {count:>9} × {waited:>10} (max {longest})")?;
        }
        for site in class.holding_sites.iter().take(SITES) {
            let (at, held, caused) = (place(&site.at), duration(site.ns), duration(site.caused_ns));
            writeln!(out, "  holding  {at:<40} held {held:>10}, others waited {caused} meanwhile")?;
        }
    }
    Ok(())
}

fn populations(report: &Report, width: usize, out: &mut String) -> std::fmt::Result {
    let all: Vec<&PopulationReport> = report.tasks.iter().chain(&report.threads).collect();
    if !all.is_empty() {
        writeln!(out, "\nTasks and threads, by where they were spawned")?;
        let header = [
            "",
            "spawned at",
            "spawned",
            "live",
            "peak",
            "blocked",
            "finished",
            "panicked",
            "cancelled",
            "dropped",
        ];
        let mut table = table(width, 2, &header);
        for of in all.iter().take(POPULATIONS) {
            let at =
                if of.spawned_at.is_empty() { "not through lockprof".into() } else { place(&of.spawned_at) };
            let counts = [
                of.spawned,
                of.live,
                of.peak,
                of.blocked,
                of.finished,
                of.panicked,
                of.cancelled,
                of.dropped,
            ];
            let mut row = vec![Cell::new(&of.kind), Cell::new(at)];
            row.extend(counts.map(number));
            table.add_row(row);
        }
        writeln!(out, "{table}")?;
        more(all.len(), POPULATIONS, "spawn lines", out)?;
    }
    if !report.watchers.is_empty() {
        writeln!(out, "\nWatchers, by where they were registered")?;
        let mut table = table(width, 1, &["registered at", "live", "released", "delivered"]);
        for of in report.watchers.iter().take(POPULATIONS) {
            let counts = [of.live, of.released, of.delivered].map(number);
            table.add_row([vec![Cell::new(place(&of.created_at))], counts.into()].concat());
        }
        writeln!(out, "{table}")?;
    }
    Ok(())
}

fn findings(report: &Report, options: &TextOptions, out: &mut String) -> std::fmt::Result {
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
