//! Each incident, recorded twice: the faulty program gets its finding, with the planted lines; the fixed one gets none.
mod support;

use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use support::{Planted, Report, record};

fn planted(incident: &str, marker: &str) -> Planted {
    Planted::find(&format!("incidents/{incident}.rs"), marker)
}

fn play(incident: &str, variant: &str) -> Report {
    // One at a time: who waits for a core holds its locks the longer.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let report = record(&format!("{incident}{variant}"), "incidents", &[incident, variant]);
    assert_eq!(report.lost(), 0);
    report
}

/// The finding with this code at this line, of the faulty program; the fixed one has none of any code.
fn finding(incident: &str, code: &str, marker: &str) -> Value {
    let report = play(incident, "--faulty");
    let found = the(&report, incident, code, marker).clone();
    assert_clean(incident);
    found
}

fn the<'a>(report: &'a Report, incident: &str, code: &str, marker: &str) -> &'a Value {
    let line = planted(incident, marker);
    let found =
        report.list("findings").iter().find(|finding| finding["code"] == code && line.is(&finding["at"]));
    found.unwrap_or_else(|| panic!("no {code} at {line:?}: {:#?}", report.list("findings")))
}

fn assert_clean(incident: &str) {
    let fixed = play(incident, "--fixed");
    assert!(fixed.list("findings").is_empty(), "{:#?}", fixed.list("findings"));
}

/// Whether a finding speaks of a planted line as a place.
fn shows(finding: &Value, incident: &str, marker: &str) -> bool {
    planted(incident, marker).is_in(&finding["places"], "at")
}

fn made(finding: &Value, incident: &str, marker: &str) -> bool {
    planted(incident, marker).is_in(&finding["objects"], "created_at")
}

#[test]
fn hot_map() {
    let report = play("hot_map", "--faulty");
    let map = report.class(&planted("hot_map", "hot-map"));
    assert!(planted("hot_map", "hot-insert").is_in(&map["waiting_sites"], "at"), "{map:#}");
    assert!(map["counts"]["inserts"].as_u64() >= Some(100_000), "{map:#}");
    let grows = the(&report, "hot_map", "LP0023", "hot-insert");
    assert!(made(grows, "hot_map", "hot-map"), "{grows:#}");
    assert!(grows["notes"][0].as_str().unwrap().contains("the rest are plain operations"), "{grows:#}");
    assert_clean("hot_map");
}

#[test]
fn session_cache() {
    let held = finding("session_cache", "LP0008", "session-expiry");
    assert!(made(&held, "session_cache", "session-map"), "{held:#}");
}

#[test]
fn stale_read() {
    let stale = finding("stale_read", "LP0022", "stale-read");
    assert_eq!(stale["verdict"], "proved");
    // Promoted at the second read, so from the third round of eight on all 64 are old.
    assert_eq!(stale["count"], 6 * 64, "{stale:#}");
    assert!(shows(&stale, "stale_read", "price-write") && made(&stale, "stale_read", "price-versions"));
}

#[test]
fn config_reload() {
    let torn = finding("config_reload", "LP0024", "torn-pass");
    assert_eq!((&torn["verdict"], &torn["count"]), (&"proved".into(), &50.into()));
    assert!(shows(&torn, "config_reload", "settings-reload"), "{torn:#}");
    assert!(made(&torn, "config_reload", "settings-versions"), "{torn:#}");
}

#[test]
fn config_watchers() {
    let report = play("config_watchers", "--faulty");
    let watchers = the(&report, "config_watchers", "LP0006", "unreleased-watcher");
    assert_eq!(watchers["count"], 40, "{watchers:#}");
    let tasks = the(&report, "config_watchers", "LP0007", "follower-task");
    assert_eq!(tasks["count"], 40, "{tasks:#}");
    assert_clean("config_watchers");
}

#[test]
fn pointer_swap() {
    let needless = finding("pointer_swap", "LP0025", "locked-load");
    assert!(made(&needless, "pointer_swap", "rates"), "{needless:#}");
}

#[test]
fn task_states() {
    let report = play("task_states", "--faulty");
    for (marker, count, written) in [("done-overwritten", 50, Some("task-done")), ("never-run", 50, None)] {
        let overwritten = the(&report, "task_states", "LP0020", marker);
        assert_eq!((&overwritten["verdict"], &overwritten["count"]), (&"proved".into(), &count.into()));
        assert!(written.is_none_or(|written| shows(overwritten, "task_states", written)), "{overwritten:#}");
    }
    assert_clean("task_states");
}

#[test]
fn order_scheduler() {
    let twice = finding("order_scheduler", "LP0021", "sent-twice");
    assert_eq!(twice["count"], 200, "{twice:#}");
    assert!(made(&twice, "order_scheduler", "orders"), "{twice:#}");
}

#[test]
fn payment_avalanche() {
    let report = play("payment_avalanche", "--faulty");
    let blocked = the(&report, "payment_avalanche", "LP0003", "blocked-callback");
    assert_eq!(blocked["count"], 8, "the whole pool: {blocked:#}");
    assert!(made(blocked, "payment_avalanche", "callback-channel"), "{blocked:#}");
    assert!(
        planted("payment_avalanche", "callback-task").is(&blocked["parties"][0]["spawned_at"]),
        "{blocked:#}"
    );
    assert!(
        shows(blocked, "payment_avalanche", "drained-pool"),
        "they keep the pool's connections: {blocked:#}"
    );
    the(&report, "payment_avalanche", "LP0008", "drained-pool");
    assert_clean("payment_avalanche");
}

#[test]
fn late_add() {
    let late = finding("late_add", "LP0026", "late-add");
    assert_eq!(late["count"], 20, "{late:#}");
    assert!(shows(&late, "late_add", "early-wait") && shows(&late, "late_add", "upload"), "{late:#}");
    assert!(made(&late, "late_add", "uploading"), "{late:#}");
}

#[test]
fn remote_call() {
    let report = play("remote_call", "--faulty");
    for code in ["LP0008", "LP0011"] {
        let held = the(&report, "remote_call", code, "lock-across-call");
        assert!(made(held, "remote_call", "ledger"), "{held:#}");
    }
    assert_clean("remote_call");
}
