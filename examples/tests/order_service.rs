//! The order service under `lockprof run`: the report of the faulty one names the planted lines, the report of the fixed
//! one has nothing to say, and a killed one has left its open waits.

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use support::{Planted, Report, record};

fn planted(file: &str, marker: &str) -> Planted {
    Planted::find(&format!("order_service/{file}.rs"), marker)
}

/// The findings with a party that waits at this line.
fn waiting_at<'a>(report: &'a Report, line: &Planted) -> Vec<&'a Value> {
    let waits_there = |party: &Value| line.is_in(&party["waits"], "at");
    report.firm().filter(|finding| finding["parties"].as_array().unwrap().iter().any(waits_there)).collect()
}

#[test]
fn faulty_names_every_planted_line() {
    let report = record("faulty", "order_service", &["--faulty"]);
    assert_eq!(report.lost(), 0);

    let sessions = report.class(&planted("sessions", "hot-session-map"));
    assert!(sessions["contended"].as_u64() > Some(0), "{sessions:#}");
    assert!(planted("sessions", "session-lookup").is_in(&sessions["waiting_sites"], "at"), "{sessions:#}");
    assert!(planted("sessions", "expiry-scan").is_in(&sessions["holding_sites"], "at"), "{sessions:#}");

    let ledger = report.class(&planted("orders", "ledger"));
    assert!(ledger["hold_ns"]["p99"].as_u64() > Some(3_000_000), "the remote call takes 3 ms: {ledger:#}");
    assert!(planted("orders", "lock-across-payment").is_in(&ledger["waiting_sites"], "at"), "{ledger:#}");
    assert!(planted("orders", "lock-across-payment").is_in(&ledger["holding_sites"], "at"), "{ledger:#}");
    assert!(planted("orders", "waits-for-the-ledger").is_in(&ledger["waiting_sites"], "at"), "{ledger:#}");

    assert_blocked_callbacks(&report, 8);

    let line = planted("config", "unreleased-watcher");
    let watchers = report.list("watchers").iter().find(|class| line.is(&class["created_at"])).unwrap();
    assert!(watchers["live"].as_u64() > Some(10), "{watchers:#}");
    assert_eq!(watchers["released"], 0, "{watchers:#}");
    assert!(watchers["delivered"].as_u64() > Some(0), "{watchers:#}");
    assert!(report.firm().any(|finding| line.is_in(&finding["objects"], "created_at")));
    let line = planted("config", "follower-task");
    let followers = report.list("tasks").iter().find(|class| line.is(&class["spawned_at"])).unwrap();
    assert_eq!(
        followers["blocked"], watchers["live"],
        "dropped by the shutdown, so blocked to the end: {followers:#}"
    );
}

/// One finding tells of all callbacks, at least so many; there are eight permits in the pool, and each holds one.
fn assert_blocked_callbacks(report: &Report, least: u64) {
    let send = planted("payment", "blocked-callback");
    let findings = waiting_at(report, &send);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = findings[0];
    assert!((least..=8).contains(&finding["count"].as_u64().unwrap()), "{finding:#}");
    assert!(planted("payment", "callback-channel").is_in(&finding["objects"], "created_at"), "{finding:#}");
    let spawned = planted("payment", "callback-task");
    for party in finding["parties"].as_array().unwrap().iter().filter(|party| party["role"] == "member") {
        assert!(spawned.is(&party["spawned_at"]), "{party:#}");
        assert!(send.is_in(&party["waits"], "at"), "{party:#}");
        assert_eq!(party["waits"][0]["operation"], "send", "{party:#}");
    }
}

#[test]
fn fixed_has_no_finding() {
    let report = record("fixed", "order_service", &["--fixed"]);
    assert_eq!(report.lost(), 0);
    let findings: Vec<_> = report.firm().collect();
    assert!(findings.is_empty(), "{findings:#?}");
    for tasks in report.list("tasks") {
        assert_eq!(tasks["live"], 0, "all tasks are joined: {tasks:#}");
    }
    for watchers in report.list("watchers") {
        assert_eq!(watchers["live"], 0, "all watchers are released: {watchers:#}");
    }
}

#[test]
fn killed_in_the_middle_shows_the_open_waits() {
    let out = support::folder("killed");
    let mut command = support::run(&out, "order_service", &["--duration", "60"]);
    let mut lockprof = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(lockprof.stdout.take().unwrap()).lines();
    let pid = lines.by_ref().find_map(|line| Some(line.unwrap().split_once(", pid ")?.1.to_owned())).unwrap();

    // The gateway is gone, and then a payment found no connection: all of them are held by callbacks, of which the last may
    // not wait yet.
    let mut log = BufReader::new(lockprof.stderr.take().unwrap()).lines();
    for event in ["the books refused the callback", "no connection to the payment provider is free"] {
        assert!(log.any(|line| line.unwrap().contains(event)));
    }
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    lines.chain(log).for_each(drop);
    assert!(!lockprof.wait().unwrap().success(), "the program's end is lockprof's");

    let again = support::folder("killed-again");
    let mut analyze = Command::new(support::binary("lockprof"));
    analyze
        .arg("analyze")
        .arg(out.join(format!("trace-{pid}.bin")))
        .args(["--min-blocked", "0s"])
        .arg("--out")
        .arg(&again);
    assert!(analyze.stdout(Stdio::null()).status().unwrap().success());
    assert_blocked_callbacks(&Report::read(&again), 1);
}
