//! The output folder: the report as a page and as JSON, and the flame graphs.
use crate::flamegraph::{Labels, draw, draw_difference};
use crate::html::{self, Graph};
use lockprof_engine::diff::Diff;
use lockprof_engine::folded::mean;
use lockprof_engine::report::{Folded, Report};
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

const WAIT: Labels = Labels {
    title: "Time waited, by stack, waiting line and object",
    unit: "µs waited",
    empty: "Nobody waited for anything that was recorded.",
};
const HOLD: Labels = Labels {
    title: "Time held, by object and the line that took it",
    unit: "µs held",
    empty: "No hold was long enough to be noticed, nor sampled.",
};
const TASKS: Labels = Labels {
    title: "Tasks and threads alive in the end, by spawn lines, and what they wait for",
    unit: "alive",
    empty: "No task or thread was alive in the end.",
};

const SPANS: Labels = Labels {
    title: "Time waited, by tracing span, waiting line and object",
    unit: "µs waited",
    empty: "Nobody waited in a span.",
};

const CPU: Labels = Labels {
    title: "Time on a core, by task or thread and stack",
    unit: "µs on a core",
    empty: "Nobody was found running.",
};
const TIME: Labels = Labels {
    title: "Time on a core and in waits, by task or thread",
    unit: "µs",
    empty: "Nobody was found running.",
};

const WAIT_DIFF: Labels = Labels {
    title: "Time waited after the change: red is more than before, blue less",
    unit: "µs waited",
    empty: "Nobody waited after the change.",
};
const HOLD_DIFF: Labels = Labels {
    title: "Time held after the change: red is more than before, blue less",
    unit: "µs held",
    empty: "No hold after the change was long enough to be noticed, nor sampled.",
};

/// Writes `report.html`, `report.json`, `wait.svg`, `hold.svg`, `tasks.svg`, and where there is
/// something to draw `spans.svg`, `cpu.svg` and `time.svg`, into a folder, which is made where it is
/// missing. Each is written whole under another name first, so that none is left half.
///
/// # Errors
/// The folder or a file cannot be written.
pub fn write(report: &Report, dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let optional = [
        ("spans.svg", SPANS, &report.folded.spans),
        ("cpu.svg", CPU, &report.folded.cpu),
        ("time.svg", TIME, &report.folded.time),
    ];
    let graphs = [
        ("wait.svg", WAIT, &report.folded.waits),
        ("hold.svg", HOLD, &report.folded.holds),
        ("tasks.svg", TASKS, &report.folded.tasks),
    ];
    let optional = optional.into_iter().filter(|(_, _, lines)| !lines.is_empty());
    let mut drawn = vec![];
    for (file, labels, lines) in graphs.into_iter().chain(optional) {
        write_file(dir, file, |out| draw(lines, labels, out))?;
        drawn.push(Graph::new(labels, file, lines));
    }
    write_file(dir, "report.html", |out| html::write(report, drawn, out))?;
    write_file(dir, "report.json", |out| json(report, out))
}

/// Writes `diff.json`, `diff-wait.svg` and `diff-hold.svg`, as [`write()`] does; `folded` is what each run waited and held.
///
/// # Errors
/// As [`write()`].
pub fn write_diff(diff: &Diff, folded: [&[Folded]; 2], dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for (name, labels, lines) in [
        ("diff-wait.svg", WAIT_DIFF, (|of| &of.waits) as Lines),
        ("diff-hold.svg", HOLD_DIFF, |of| &of.holds),
    ] {
        let [before, after] =
            folded.map(|runs| mean(&runs.iter().map(|run| &lines(run)[..]).collect::<Vec<_>>()));
        write_file(dir, name, |out| draw_difference(&before, &after, labels, out))?;
    }
    write_file(dir, "diff.json", |out| json(diff, out))
}

/// The lines of one graph.
type Lines = fn(&Folded) -> &Vec<String>;

fn json(what: &impl Serialize, out: &mut BufWriter<File>) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, what)?;
    out.write_all(b"\n")
}

fn write_file(
    dir: &Path,
    name: &str,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let (path, part) = (dir.join(name), dir.join(format!(".{name}.part")));
    let mut out = BufWriter::new(File::create(&part)?);
    let filled = fill(&mut out).and_then(|()| out.flush()).and_then(|()| std::fs::rename(&part, &path));
    if filled.is_err() {
        drop(std::fs::remove_file(&part));
    }
    filled
}
