//! CPU samples stand in the trace of the waits, with the task that ran.

mod support;

use std::collections::HashMap;
use std::fs;
use std::process::Command;
use support::{Planted, Report, binary, folder, workspace};

/// The folded lines of one graph of the page, without weights that are nothing.
fn folded(out: &std::path::Path, name: &str) -> String {
    fs::read_to_string(out.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn who_runs_and_who_waits_stand_in_one_graph() {
    let out = folder("checksums");
    let trace = out.join("trace.bin");
    let mut program = Command::new(binary("checksums"));
    program.current_dir(workspace()).env("LOCKPROF", format!("profile,cpu=199,path={}", trace.display()));
    assert!(program.status().expect("the program runs").success());
    let mut analyze = Command::new(binary("lockprof"));
    analyze.current_dir(workspace()).arg("analyze").arg(&trace).arg("--out").arg(&out);
    assert!(analyze.output().expect("lockprof runs").status.success());

    let report = Report::read(&out);
    assert_eq!(report.lost(), 0);
    let by: HashMap<&str, u64> = report
        .list("cpu")
        .iter()
        .map(|cpu| (cpu["by"].as_str().unwrap_or_default(), cpu["cpu_ns"].as_u64().unwrap_or(0)))
        .collect();
    let (most, ns) = by.iter().max_by_key(|(_, ns)| **ns).expect("there are samples");
    let summer = Planted::find("checksums.rs", "summer");
    let summer = format!("task spawned at examples/examples/checksums.rs:{}", summer.line());
    assert!(*most == summer && *ns > 0, "the summer ran most: {by:#?}");
    let waits = Planted::find("checksums.rs", "waits");
    let waits = format!("lock at examples/examples/checksums.rs:{}", waits.line());
    assert!(folded(&out, "cpu.svg").contains("checksum"));
    let time = folded(&out, "time.svg");
    assert!(time.contains("runs") && time.contains("waits") && time.contains("checksum"));
    assert!(time.contains(&waits), "{waits}");
    assert!(folded(&out, "report.html").contains("\"file\":\"time.svg\""), "the page offers it");
}
