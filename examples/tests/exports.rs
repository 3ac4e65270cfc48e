//! What `lockprof export` and `report.html` make of a real recording says the same as its report.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Planted, Report, binary, record};

/// A recording of the order service: its folder, its trace, its report.
fn recorded(test: &str) -> (PathBuf, PathBuf, Report) {
    let report = record(test, "order_service", &["--faulty"]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let mut files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let trace = files.find(|file| file.extension().is_some_and(|extension| extension == "bin")).unwrap();
    (folder, trace, report)
}

fn export(trace: &Path, to: &str) -> String {
    let output = Command::new(binary("lockprof")).args(["export", "--to", to]).arg(trace).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn sums_are_those_of_the_report() {
    let (folder, trace, report) = recorded("exported");
    let ledger = report.class(&Planted::find("order_service/orders.rs", "ledger"));
    let made = ledger["created_at"].as_str().unwrap().rsplit_once(':').unwrap().0;
    let table = export(&trace, "csv");
    let rows = table.lines().filter(|line| line.contains(&format!("created at {made}")));
    // Of a row's thirteen fields the last three are the sum, the longest, and the tracing span, of which there is none.
    let waited: u64 = rows.map(|row| row.rsplit(',').nth(2).unwrap().parse::<u64>().unwrap()).sum();
    let told = ledger["wait_ns"]["total"].as_u64().unwrap();
    assert!(waited.abs_diff(told) < 1_000, "each sum is rounded to a nanosecond: {waited} and {told}");

    let across = Planted::find("order_service/orders.rs", "lock-across-payment");
    let line = |folded: &str| {
        folded.lines().any(|path| {
            let site = path.split(';').rev().nth(1).unwrap_or_default();
            site.strip_prefix("lock at ").is_some_and(|at| across.is(&at.into()))
        })
    };
    assert!(line(&export(&trace, "folded")));
    // The page's timeline has the blocked callbacks as waits that never ended.
    let channel = report.class(&Planted::find("order_service/payment.rs", "callback-channel"));
    let made = channel["created_at"].as_str().unwrap().rsplit_once(':').unwrap().0;
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains(&format!("send: tokio::sync::mpsc created at {made}, for ever")));
}
