//! Each text of `lockprof explain` is true: its broken program gets its code, and its fixed one does not, nor any verdict.
mod support;

use serde_json::Value;
use std::thread;
use support::{Report, binary, folder, run};

fn report(code: &str, variant: &str) -> Report {
    let out = folder(&format!("explained-{code}-{variant}"));
    let mut command = run(&out, "explained", &[code, variant]);
    let output = command.output().expect("lockprof runs");
    assert!(output.status.success(), "{code} {variant}: {}", String::from_utf8_lossy(&output.stderr));
    Report::read(&out)
}

fn codes(report: &Report) -> Vec<&str> {
    report.list("findings").iter().filter_map(|finding| finding["code"].as_str()).collect()
}

fn check(code: &str) {
    let broken = report(code, "broken");
    assert!(codes(&broken).contains(&code), "{code} broken: {:?}", codes(&broken));
    let fixed = report(code, "fixed");
    assert!(!codes(&fixed).contains(&code), "{code} fixed: {:?}", codes(&fixed));
    let firm: Vec<&Value> = fixed.firm().collect();
    assert!(firm.is_empty(), "{code} fixed: {firm:#?}");
}

#[test]
fn every_text_tells_the_truth() {
    let texts = support::workspace().join("engine/src/findings/explain");
    let mut codes: Vec<String> = std::fs::read_dir(texts)
        .expect("the texts are there")
        .map(|entry| entry.expect("can be listed").path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    codes.sort();
    assert!(codes.len() > 10, "{codes:?}");
    binary("explained");
    // Most of them wait: they do it side by side.
    thread::scope(|scope| codes.iter().for_each(|code| drop(scope.spawn(move || check(code)))));
}
