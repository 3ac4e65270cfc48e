//! `lockprof diff` of real recordings: the fixed program against the faulty one, and a program against itself.

mod support;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Planted, binary, folder, record};

/// Records an example; where its trace is.
fn trace(test: &str, example: &str, args: &[&str]) -> PathBuf {
    record(test, example, args);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|file| file.extension().is_some_and(|extension| extension == "bin")).expect("a trace")
}

/// What `lockprof diff` prints of these, in which `--` may stand, and its `diff.json`.
fn diff(test: &str, traces: &[&Path]) -> (String, Value, PathBuf) {
    let out = folder(test);
    let output =
        Command::new(binary("lockprof")).args(["diff", "--out"]).arg(&out).args(traces).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json = serde_json::from_slice(&fs::read(out.join("diff.json")).unwrap()).unwrap();
    (String::from_utf8(output.stdout).unwrap(), json, out)
}

#[test]
fn the_fixed_map_waits_no_more() {
    let faulty = trace("diff-hammered", "map_hammer", &["--faulty", "--visits", "40"]);
    let fixed = trace("diff-gathered", "map_hammer", &["--fixed", "--visits", "40"]);
    let (text, json, out) = diff("diff-map", &[&faulty, &fixed]);
    assert!(text.starts_with("Waiting fell by 100 %, from "), "{text}");
    assert_eq!(json["waited_ns"]["after"]["mean"], 0.0);
    let map = Planted::find("map_hammer.rs", "one-map");
    let classes = json["classes"].as_array().unwrap();
    let class = classes.iter().find(|class| map.is(&class["created_at"][1])).expect("the map is known again");
    assert!(map.is(&class["created_at"][0]), "{class:#}");
    assert_eq!(class["contended_share"]["change"], "fell", "{class:#}");
    assert_eq!(class["acquisitions"]["before"]["runs"], serde_json::json!([10_000.0 * 40.0 * 2.0 + 64.0]));
    for graph in ["diff-wait.svg", "diff-hold.svg"] {
        assert!(fs::read_to_string(out.join(graph)).unwrap().contains("</svg>"));
    }
}

#[test]
fn the_fixed_service_has_lost_its_findings() {
    let faulty = trace("diff-faulty", "order_service", &["--faulty"]);
    let fixed = trace("diff-fixed", "order_service", &["--fixed"]);
    let (text, json, _) = diff("diff-service", &[&faulty, &fixed]);
    let findings = json["findings"].as_array().unwrap();
    let firm: Vec<&Value> =
        findings.iter().filter(|finding| finding["finding"]["verdict"] != "hazard").collect();
    assert!(!firm.is_empty() && firm.iter().all(|finding| finding["fate"] == "gone"), "{firm:#?}");
    let send = Planted::find("order_service/payment.rs", "blocked-callback");
    assert!(
        firm.iter().any(|finding| send.is_in(&finding["finding"]["parties"][0]["waits"], "at")),
        "{firm:#?}"
    );
    assert_eq!(json["blocked"]["change"], "fell", "{}", json["blocked"]);
    assert!(text.contains("Findings that are gone"), "{text}");
}

#[test]
fn a_program_is_no_different_from_itself() {
    let [one, other] =
        ["diff-one", "diff-other"].map(|test| trace(test, "map_hammer", &["--faulty", "--visits", "10"]));
    // The same runs on both sides: however they differ among themselves, the means do not.
    let (text, json, _) = diff("diff-same", &[&one, &other, Path::new("--"), &other, &one]);
    assert!(text.contains(" No finding is gone, no finding is new."), "{text}");
    let changed = |class: &Value| {
        class
            .as_object()
            .unwrap()
            .values()
            .any(|of| of["change"].as_str().is_some_and(|change| change != "none"))
    };
    let classes = json["classes"].as_array().unwrap();
    assert!(!classes.is_empty() && !classes.iter().any(changed), "{text}");
    let new_or_gone = |finding: &&Value| finding["fate"] != "kept";
    assert_eq!(json["findings"].as_array().unwrap().iter().filter(new_or_gone).count(), 0);
}
