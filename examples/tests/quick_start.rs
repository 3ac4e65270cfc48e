//! The first program that a new user sees: the report names who sleeps with the lock, and who waits for it.

mod support;

use support::{Planted, record};

#[test]
fn both_lines_are_named() {
    let report = record("quick_start", "quick_start", &[]);
    assert_eq!(report.lost(), 0);
    assert_eq!(report.list("classes").len(), 1, "one lock, and nothing else");
    let class = report.class(&Planted::find("quick_start.rs", "shelf"));
    assert_eq!(class["instances"], 1, "{class:#}");
    assert_eq!(class["acquisitions"], 40, "{class:#}");
    assert!(class["hold_ns"]["max"].as_u64() > Some(19_000_000), "held for 20 ms: {class:#}");
    let [holds, waits] =
        ["sleep-under-lock", "waits-for-the-sleeper"].map(|m| Planted::find("quick_start.rs", m));
    assert!(holds.is_in(&class["holding_sites"], "at"), "{class:#}");
    assert!(waits.is_in(&class["waiting_sites"], "at"), "{class:#}");
    assert_eq!(report.firm().count(), 0);
}
