//! A comparison for a terminal: the sentence, the whole in numbers, then what changed of each object.
use super::{Change, ClassDiff, Diff, Fate, FindingDiff, Measure, PopulationDiff};
use crate::findings::{duration, origin};
use crate::report::shown::{place, shown};
use std::fmt::{self, Write};

/// Objects that are shown.
const CLASSES: usize = 20;
/// Lines that are shown of each.
const SITES: usize = 4;
/// Spawn lines that are shown.
const POPULATIONS: usize = 12;

/// "62 %"; of what is not quite all "99.9 %".
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 99.0 && percent < 100.0 => format!("{:.1} %", percent.min(99.9)),
        percent if percent.abs() < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// "−70 % to −51 %", of the difference as a share of what was before.
pub(super) fn interval(measure: &Measure) -> Option<String> {
    let [low, high] = measure.difference?;
    let before = measure.before.mean;
    if before == 0.0 {
        return None;
    }
    let signed = |share: f64| format!("{}{}", if share < 0.0 { "−" } else { "+" }, percent(share.abs()));
    Some(format!("{} to {}", signed(low / before), signed(high / before)))
}

/// Prints a comparison.
pub fn render(diff: &Diff) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = whole(diff, &mut out);
    let _ = classes(diff, &mut out);
    let _ = populations(diff, &mut out);
    let _ = findings(diff, &mut out);
    out
}

fn whole(diff: &Diff, out: &mut String) -> fmt::Result {
    writeln!(out, "{}\n", diff.sentence)?;
    match diff.runs {
        [1, 1] => writeln!(
            out,
            "One run to a side: a change below a tenth is not told, and nothing tells a larger one from noise. Several do: \
             lockprof diff a1.bin a2.bin a3.bin -- b1.bin b2.bin b3.bin"
        )?,
        [before, after] => writeln!(
            out,
            "{before} runs before, {after} after; means, and intervals of {} % confidence (Welch, Bonferroni)",
            diff.confidence * 100.0
        )?,
    }
    writeln!(out)?;
    line(out, "waited", &diff.waited_ns, time)?;
    line(out, "recorded", &diff.duration_ns, time)?;
    line(out, "tasks, threads", &diff.spawned, number)?;
    line(out, "  finished", &diff.finished, number)?;
    line(out, "  blocked", &diff.blocked, number)
}

fn time(value: f64) -> String {
    duration(value.max(0.0) as u64)
}

fn number(value: f64) -> String {
    let digits = if value.fract() == 0.0 || value >= 100.0 { 0 } else { 1 };
    format!("{value:.digits$}")
}

/// Whether there was nothing, and is nothing.
fn is_nothing(measure: &Measure) -> bool {
    measure.before.mean == 0.0 && measure.after.mean == 0.0
}

/// Nothing where there was nothing, else "wait p99   8.1 ms →   1.2 ms   −85 % (−90 % to −80 %)".
fn line(out: &mut String, name: &str, measure: &Measure, show: fn(f64) -> String) -> fmt::Result {
    if is_nothing(measure) {
        return Ok(());
    }
    let [before, after] = [&measure.before, &measure.after].map(|side| show(side.mean));
    write!(out, "  {name:<18} {before:>10} → {after:>10}")?;
    let by = match (measure.change, measure.relative()) {
        (Change::None, _) if measure.before.mean == measure.after.mean => String::new(),
        (Change::None, _) if measure.difference.is_none() => "about the same".into(),
        (Change::None, _) => "no significant change".into(),
        (_, None) => "new".into(),
        (Change::Rose, Some(share)) => format!("+{}", percent(share)),
        (Change::Fell, Some(share)) => format!("−{}", percent(-share)),
    };
    match interval(measure).filter(|_| measure.before.mean != measure.after.mean) {
        Some(interval) => writeln!(out, "   {by} ({interval})"),
        None if by.is_empty() => writeln!(out),
        None => writeln!(out, "   {by}"),
    }
}

/// "file:line", or "file:line, before file:line".
fn places(places: &[Option<String>; 2]) -> String {
    match places {
        [Some(before), Some(after)] if place(before) != place(after) => {
            format!("{}, before {}", place(after), place(before))
        }
        [_, Some(after)] => place(after),
        [Some(before), None] => place(before),
        [None, None] => String::new(),
    }
}

/// "(gone)", "(new)".
fn fate(places: &[Option<String>; 2]) -> &'static str {
    match places {
        [Some(_), None] => " (gone)",
        [None, Some(_)] => " (new)",
        _ => "",
    }
}

fn changed(measures: &[&Measure]) -> bool {
    measures.iter().any(|measure| measure.change != Change::None)
}

fn classes(diff: &Diff, out: &mut String) -> fmt::Result {
    let is_changed = |class: &&ClassDiff| {
        !fate(&class.created_at).is_empty()
            || changed(&[
                &class.uses_per_s,
                &class.contended_share,
                &class.waited_ns,
                &class.wait_p50_ns,
                &class.wait_p99_ns,
                &class.hold_p50_ns,
                &class.hold_p99_ns,
            ])
    };
    let (told, same): (Vec<&ClassDiff>, Vec<&ClassDiff>) = diff.classes.iter().partition(is_changed);
    for class in told.iter().take(CLASSES) {
        let name: String = shown(&class.name).chars().take(40).collect();
        let name = if name.is_empty() { name } else { format!(" {name}") };
        let at = &class.created_at;
        writeln!(out, "\n{}{name} {} {}{}", class.kind, origin(class.first_used), places(at), fate(at))?;
        line(out, "uses per second", &class.uses_per_s, number)?;
        line(out, "contended", &class.contended_share, percent)?;
        line(out, "waited", &class.waited_ns, time)?;
        line(out, "wait p50", &class.wait_p50_ns, time)?;
        line(out, "wait p99", &class.wait_p99_ns, time)?;
        line(out, "hold p50", &class.hold_p50_ns, time)?;
        line(out, "hold p99", &class.hold_p99_ns, time)?;
        for site in class.sites.iter().filter(|site| changed(&[&site.ns])).take(SITES) {
            writeln!(out, "    {} at {}{}", site.operation, places(&site.at), fate(&site.at))?;
            line(out, "", &site.ns, time)?;
        }
    }
    more(told.len(), CLASSES, "objects that changed", out)?;
    match same.len() {
        0 => Ok(()),
        1 => writeln!(out, "\n1 object without a significant change"),
        same => writeln!(out, "\n{same} objects without a significant change"),
    }
}

fn more(all: usize, shown: usize, what: &str, out: &mut String) -> fmt::Result {
    if all > shown { writeln!(out, "\nand {} more {what}: see --format json", all - shown) } else { Ok(()) }
}

fn populations(diff: &Diff, out: &mut String) -> fmt::Result {
    let is_changed = |of: &&PopulationDiff| changed(&[&of.spawned, &of.peak, &of.live, &of.blocked]);
    let told: Vec<&PopulationDiff> = diff.populations.iter().filter(is_changed).collect();
    for of in told.iter().take(POPULATIONS) {
        let at = &of.spawned_at;
        writeln!(out, "\n{} spawned at {}{}", of.kind, places(at), fate(at))?;
        for (name, measure) in [
            ("spawned", &of.spawned),
            ("most at once", &of.peak),
            ("live", &of.live),
            ("blocked", &of.blocked),
        ] {
            line(out, name, measure, number)?;
        }
    }
    more(told.len(), POPULATIONS, "spawn lines that changed", out)
}

fn findings(diff: &Diff, out: &mut String) -> fmt::Result {
    let told: Vec<&FindingDiff> = diff.findings.iter().collect();
    for (fate, title) in [
        (Fate::New, "New findings"),
        (Fate::Gone, "Findings that are gone"),
        (Fate::Kept, "Findings that stay"),
    ] {
        let of: Vec<_> = told.iter().filter(|of| of.fate == fate).collect();
        if of.is_empty() {
            continue;
        }
        writeln!(out, "\n{title}")?;
        for FindingDiff { finding, runs, .. } in of {
            let runs = match diff.runs {
                [1, 1] => String::new(),
                [before, after] => {
                    format!(" (in {} of {before} runs before, {} of {after} after)", runs[0], runs[1])
                }
            };
            writeln!(
                out,
                "  {}[{}] {}{runs}: {}",
                finding.verdict.name(),
                finding.code,
                place(&finding.at),
                shown(&finding.message)
            )?;
        }
    }
    Ok(())
}
