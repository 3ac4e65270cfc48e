//! What recording costs: one loop over the original primitive beside the same loop over the wrapper.
//!
//!     cargo bench -p lockprof --features full --bench overhead            # every row, some minutes
//!     cargo bench -p lockprof --features full --bench overhead -- mutex   # the rows whose name contains this
//!
//! A process is recorded once and in one mode, so each row runs in processes of its own. `floor` is what recording cannot go
//! below: the clock read twice and 16 bytes written beside the raw lock, the clock read for each birth, end and wait of a
//! task; and under `floor/…/try_…` the original taken by its own `try_…`, the way to see a wait before it begins, which on
//! some processors is dearer.
mod bodies;
mod cpu_time;
mod harness;
mod neighbour;
mod own_thread;
mod threads;
mod try_first;

use std::env;
use std::process::{Command, ExitCode, Stdio};

/// Where objects and code come to lie differs from process to process, and a ratio with it.
const PROCESSES: usize = 5;

/// Set in the processes that measure: the mode.
const MODE: &str = "LOCKPROF_BENCH_MODE";

fn main() -> ExitCode {
    if let Ok(mode) = env::var(MODE) {
        neighbour::listen();
        measure(&mode);
        return ExitCode::SUCCESS;
    }
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let modes = ["floor", "off", "profile", "full"];
    let rows = modes.iter().flat_map(|mode| rows(mode).into_iter().map(|row| (*mode, row.0)));
    let failed = rows.filter(|(_, name)| name.contains(&filter)).map(|(mode, name)| run(mode, &name)).max();
    failed.unwrap_or(0).into()
}

/// A row: its name, and what measures it.
type Row = (String, Box<dyn FnOnce() -> String>);

fn rows(mode: &str) -> Vec<Row> {
    let (alone, pairs) = match mode {
        "floor" => (bodies::floor(), vec![]),
        "off" => (bodies::rows(mode), threads::pairs(mode)),
        _ => (bodies::rows(mode), threads::pairs(mode).into_iter().chain([own_thread::row(mode)]).collect()),
    };
    let alone = alone.into_iter().map(|row| (row.name.clone(), Box::new(move || row.measure()) as Box<_>));
    alone
        .chain(pairs.into_iter().map(|pair| (pair.name.clone(), Box::new(move || pair.measure()) as _)))
        .collect()
}

/// Measures one row in [`PROCESSES`] of its own, and prints the median of what they say; 1 where one of them failed.
fn run(mode: &str, name: &str) -> u8 {
    let exe = env::current_exe().expect("this program has a file");
    let line = |_| {
        neighbour::wait(&mut { harness::PATIENCE });
        let mut child = Command::new(&exe);
        neighbour::tell(&mut child);
        let output = child.arg(name).env(MODE, mode).stderr(Stdio::inherit()).output().ok()?;
        let line = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        let ratio: f64 = line.split_whitespace().nth(2)?.parse().ok()?;
        Some((ratio, line))
    };
    let Some(mut lines) = (0..PROCESSES).map(line).collect::<Option<Vec<_>>>() else { return 1 };
    lines.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (low, high) = (lines[0].0, lines[PROCESSES - 1].0);
    print(&format!("{}  processes {low:.3} to {high:.3}", lines[PROCESSES / 2].1.trim_end()));
    0
}

fn measure(mode: &str) {
    let name = env::args().nth(1).unwrap_or_default();
    let trace = env::temp_dir().join(format!("lockprof-bench-{}.bin", std::process::id()));
    let builder = lockprof::builder().path(&trace).memory_bytes(256 << 20);
    let recording = match mode {
        "profile" => Some(builder.start()),
        "full" => Some(builder.full().start()),
        _ => None,
    };
    let recording = recording.map(|started| started.expect("the recording starts"));
    if let Some((_, measure)) = rows(mode).into_iter().find(|row| row.0 == name) {
        print(&measure());
    }
    drop(recording);
    drop(std::fs::remove_file(&trace));
}

#[allow(clippy::print_stdout, reason = "a benchmark prints")]
fn print(line: &str) {
    println!("{line}");
}
