//! A wait is read by request: the span where it was, and whose it was.

mod support;

use std::fs;
use std::process::Command;
use support::{Planted, Report, binary, folder, record, run};

#[test]
fn waits_are_told_by_span_and_by_request() {
    let out = folder("requests");
    let output = run(&out, "requests", &[]).output().expect("lockprof runs");
    let (text, report) = (String::from_utf8_lossy(&output.stderr).into_owned(), Report::read(&out));
    assert_eq!(report.lost(), 0);

    let spans = report.list("spans");
    let price = &spans[0];
    assert_eq!(price["name"], "checkout > price", "{spans:#?}");
    assert!(price["stood_ns"].as_u64() > Some(0) && price["waits"] == 5, "{price:#}");
    assert!(price["at"].as_str().is_some_and(|at| at.contains("requests.rs:")), "{price:#}");
    let taking = spans.iter().find(|span| span["name"] == "stocktaking").expect("it holds");
    assert!(taking["hold_ns"].as_u64() > Some(0) && taking["stood_ns"] == 0, "{taking:#}");

    let mut waited: Vec<&str> =
        report.list("requests").iter().filter_map(|request| request["trace_id"].as_str()).collect();
    waited.sort_unstable();
    assert_eq!(waited, ["order-1", "order-2", "order-3", "order-4", "order-5"]);
    let planted = Planted::find("requests.rs", "waits");
    for request in report.list("requests") {
        assert!(planted.is(&request["at"]) && request["name"] == "checkout", "{request:#}");
    }

    assert!(text.contains("Waiting by span") && text.contains("checkout > price"), "{text}");
    assert!(text.contains("order-"), "{text}");
    let svg = fs::read_to_string(out.join("spans.svg")).expect("there is a flame graph by span");
    assert!(svg.contains("price") && svg.contains("checkout"));
    let page = fs::read_to_string(out.join("report.html")).expect("there is a page");
    assert!(page.contains("in checkout > price (trace order-"), "bars of the timeline name the request");

    let trace = fs::read_dir(&out).expect("the folder is there").filter_map(Result::ok);
    let trace = trace.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|of| of == "bin"));
    let mut export = Command::new(binary("lockprof"));
    export.args(["export", "--to", "folded", "--of", "span"]).arg(trace.expect("there is a trace"));
    let folded = export.output().expect("lockprof runs");
    let folded = String::from_utf8_lossy(&folded.stdout).into_owned();
    assert!(folded.lines().any(|line| line.starts_with("checkout;price;lock at ")), "{folded}");
}

#[test]
fn without_the_lock_held_no_request_waits() {
    let report = record("requests_fixed", "requests", &["--fixed"]);
    assert_eq!((report.lost(), report.list("requests").len()), (0, 0));
    assert!(report.list("spans").iter().all(|span| span["stood_ns"] == 0));
    assert_eq!(report.firm().count(), 0);
}
