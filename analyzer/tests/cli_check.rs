//! `lockprof check`: what fails, what passes, and what it writes for other tools.
mod traces;

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use traces::{Folder, done, file_of, finish, lockprof, session, stuck, thread, whole};

/// Exit code and standard output of a check with these arguments.
fn check(trace: &Path, arguments: &[&OsStr]) -> (Option<i32>, String, String) {
    let done = done(lockprof([&["check".as_ref(), trace.as_os_str()], arguments].concat()));
    (done.code, done.out, done.err)
}

#[test]
fn the_exit_code_tells() {
    let folder = Folder::new();
    let clean = folder.file("clean.bin", &whole(1));
    let stuck = folder.file("stuck.bin", &stuck(1, "src/shop.rs"));
    let code = |trace: &Path, deny: &str| check(trace, &["--deny".as_ref(), deny.as_ref()]).0;
    assert_eq!(check(&clean, &[]).0, Some(0));
    assert_eq!(check(&stuck, &[]).0, Some(1));
    assert_eq!(code(&stuck, "suspected"), Some(0));
    assert_eq!(code(&stuck, "hazard"), Some(1));
    assert_eq!(check(Path::new("no-such-trace"), &[]).0, Some(2));
    let cut = folder.file("other.bin", b"not a trace");
    assert_eq!(check(&cut, &[]).0, Some(2));
    let empty = folder.file("empty.bin", &file_of(&[session(1, Path::new("")), finish()]));
    assert_eq!(check(&empty, &[]).0, Some(0));
}

#[test]
fn only_what_is_denied_is_printed() {
    let folder = Folder::new();
    let trace = folder.file("stuck.bin", &stuck(1, "src/shop.rs"));
    let (_, out, _) = check(&trace, &[]);
    assert!(out.contains("LP0001") && !out.contains("LP0010"), "{out}");
    assert!(out.ends_with("check: 1 denied, 0 known from the baseline, 1 let pass\n"), "{out}");
}

#[test]
fn a_baseline_lets_pass_what_was_there_where_lines_move() {
    let folder = Folder::new();
    let source = folder.file("shop.rs", b"\n\n\n\n\n\n\n\nlet b = lamp.lock();\n");
    let trace = folder.file("stuck.bin", &stuck(1, source.to_str().unwrap()));
    let baseline = folder.path("baseline.json");
    let with = ["--baseline".as_ref(), baseline.as_os_str()];
    let (code, _, err) = check(&trace, &with);
    assert_eq!(code, Some(2));
    assert!(err.contains("no such baseline; --update-baseline writes it"), "{err}");
    let update = [with[0], with[1], "--update-baseline".as_ref()];
    assert_eq!(check(&trace, &update).0, Some(0));
    let (code, out, _) = check(&trace, &with);
    assert_eq!(code, Some(0));
    assert!(out.ends_with("check: 0 denied, 1 known from the baseline, 1 let pass\n"), "{out}");
    // The same text in another line is the same finding; another text is not.
    fs::write(&source, "\n\n\n\n\n\n\n\nlet c = lamp.lock();\n").unwrap();
    assert_eq!(check(&trace, &with).0, Some(1));
    fs::write(&baseline, "{}").unwrap();
    let (code, _, err) = check(&trace, &with);
    assert!(code == Some(2) && err.contains("not a baseline"), "{err}");
}

#[test]
fn sarif_names_the_line_and_all_that_takes_part() {
    let folder = Folder::new();
    let trace = folder.file("stuck.bin", &stuck(1, "src/my shop.rs"));
    let sarif = folder.path("found.sarif");
    let deny = ["--deny".as_ref(), "proved,hazard".as_ref(), "--sarif".as_ref(), sarif.as_os_str()];
    assert_eq!(check(&trace, &deny).0, Some(1));
    let text = fs::read_to_string(&sarif).unwrap();
    // The schema as types: what is missing or of another type is refused.
    serde_json::from_str::<serde_sarif::sarif::Sarif>(&text).unwrap();
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let told: Vec<_> = results.iter().map(|result| (&result["ruleId"], &result["level"])).collect();
    assert_eq!(told, [(&"LP0001".into(), &"error".into()), (&"LP0010".into(), &"note".into())]);
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "src/my%20shop.rs");
    assert_eq!(place["region"]["startLine"], 9);
    let lines = |result: &Value| {
        let related = result["relatedLocations"].as_array().unwrap().iter();
        let mut lines: Vec<_> = related
            .map(|related| related["physicalLocation"]["region"]["startLine"].as_u64().unwrap())
            .collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!((lines(&results[0]), lines(&results[1])), (vec![3, 8], vec![1, 2, 4, 6, 7]));
    // Each is told as in the text.
    let text = traces::analyze(&trace).out;
    let related = results.iter().flat_map(|result| result["relatedLocations"].as_array().unwrap());
    let labels: Vec<&str> = related.map(|related| related["message"]["text"].as_str().unwrap()).collect();
    assert!(labels.iter().all(|label| text.contains(label)), "{labels:?}\n{text}");
    assert!(labels.iter().any(|label| label.ends_with("here (exclusive guard)")), "{labels:?}");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(results.iter().all(|result| rules.iter().any(|rule| rule["id"] == result["ruleId"])));
}

#[test]
fn what_is_not_whole_cannot_pass() {
    let folder = Folder::new();
    let parts = [session(1, Path::new("")), thread(1), thread(2), finish()];
    let bytes = file_of(&parts);
    let mut flipped = bytes.clone();
    let third = file_of(&parts[..2]).len();
    flipped[third + 14] ^= 1;
    let part = file_of(&parts[..3]);
    let cases: [(&str, &[u8], &str); 3] = [
        ("cut.bin", &bytes[..bytes.len() - 5], "cut off in the block at byte"),
        ("flipped.bin", &flipped, "damaged at byte"),
        ("part.bin", &part, "cut off before the state at its end"),
    ];
    let baseline = folder.path("baseline.json");
    for (name, bytes, what) in cases {
        let trace = folder.file(name, bytes);
        let update = ["--baseline".as_ref(), baseline.as_os_str(), "--update-baseline".as_ref()];
        let (code, out, err) = check(&trace, &[]);
        assert_eq!(code, Some(2), "{err}");
        let last = err.lines().last().unwrap();
        assert!(
            last.starts_with("error: ")
                && last.contains("not whole, so it cannot pass")
                && last.contains(what),
            "{err}"
        );
        assert!(out.contains("lost:     unknown: ") && !out.contains("nothing"), "{out}");
        let (code, _, err) = check(&trace, &update);
        assert_eq!(code, Some(2));
        assert!(err.contains("not whole, so it cannot pass") && !err.contains("no such baseline"), "{err}");
        assert!(!baseline.exists());
    }
    // What is there is denied all the same.
    let stuck = stuck(1, "src/shop.rs");
    let cut = folder.file("stuck.bin", &[&stuck[..], &bytes[third..third + 20]].concat());
    assert_eq!(check(&cut, &[]).0, Some(1));
}

#[test]
fn a_trace_that_is_named_twice_counts_once() {
    let folder = Folder::new();
    let trace = folder.file("stuck.bin", &stuck(1, "src/shop.rs"));
    let again = folder.path("./stuck.bin");
    let (code, out, err) = check(&trace, &[again.as_os_str(), trace.as_os_str()]);
    assert_eq!(code, Some(1), "{err}");
    assert!(out.ends_with("check: 1 denied, 0 known from the baseline, 1 let pass\n"), "{out}");
    assert!(
        err.starts_with("note: ") && err.contains("stuck.bin: named more than once, and read once"),
        "{err}"
    );
    // Another file is another trace, though it tells the same.
    let copy = folder.file("copy.bin", &stuck(1, "src/shop.rs"));
    let (_, out, err) = check(&trace, &[copy.as_os_str()]);
    assert!(out.contains("check: 2 denied") && err.is_empty(), "{out}{err}");
}
