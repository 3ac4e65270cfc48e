//! `lockprof top` beside a service that runs and is stuck: it names the planted line from outside, writes a snapshot, and
//! says in one sentence what cannot be looked at.
#![cfg(target_os = "linux")]

mod support;

use rexpect::session::spawn_command;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use support::{Planted, binary, folder};

/// For so long a terminal is waited for; only a failure takes it.
const PATIENCE_MS: u64 = 120_000;

/// The order service, once all its connections are held by callbacks that wait to send.
struct Stuck(Child, PathBuf);

impl Stuck {
    fn start(trace: &Path) -> Self {
        let mut command = Command::new(binary("order_service"));
        command.args(["--faulty", "--duration", "600"]).current_dir(support::workspace());
        command.env("LOCKPROF", format!("profile,path={}", trace.display()));
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut service = Self(child, trace.into());
        let mut log = BufReader::new(service.0.stderr.take().unwrap()).lines();
        // A payment may find none free before that as well, if only for a while.
        for event in ["the books refused the callback", "no connection to the payment provider is free"] {
            assert!(log.any(|line| line.unwrap().contains(event)));
        }
        // What it logs from now on goes nowhere, which it does not mind.
        service
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        // It may be killed already.
        let _ = self.0.kill();
        let _ = self.0.wait();
        // Takes what it left out of shared memory.
        let _ = Command::new(binary("lockprof")).arg("analyze").arg(&self.1).output();
    }
}

fn top(args: &[&str]) -> Output {
    Command::new(binary("lockprof")).arg("top").args(args).output().unwrap()
}

/// What it printed, which is all that it said.
fn printed(output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Asserts that the view names the line where callbacks wait to send.
fn assert_names_the_blocked_send(view: &str) {
    let send = Planted::find("order_service/payment.rs", "blocked-callback");
    let is_it = |line: &&str| line.split_whitespace().any(|word| send.is(&Value::from(word)));
    let line = view.lines().find(is_it).unwrap_or_else(|| panic!("nobody waits at {send:?}:\n{view}"));
    assert!(line.contains("send") && line.contains("task "), "{line}");
    let spawned = Planted::find("order_service/payment.rs", "callback-task");
    assert!(line.split_whitespace().any(|word| spawned.is(&Value::from(word))), "{line}");
}

#[test]
fn a_stuck_service_is_seen_from_outside_and_when_it_is_dead() {
    let trace = folder("top-stuck").join("trace.bin");
    let mut service = Stuck::start(&trace);
    let view = printed(top(&[&service.pid(), "--once", "--interval", "200ms"]));
    assert!(view.starts_with("order_service, process "), "{view}");
    assert_names_the_blocked_send(&view);
    service.kill();

    let memory_and_trace = printed(top(&[trace.to_str().unwrap()]));
    assert!(memory_and_trace.contains("has ended; this is its last state"), "{memory_and_trace}");
    assert_names_the_blocked_send(&memory_and_trace);
    // Which takes the memory into the trace.
    assert!(Command::new(binary("lockprof")).arg("analyze").arg(&trace).output().unwrap().status.success());
    assert_names_the_blocked_send(&printed(top(&[trace.to_str().unwrap()])));
}

#[test]
fn keys_write_a_snapshot_that_can_be_analyzed() {
    let out = folder("top-keys");
    let service = Stuck::start(&out.join("trace.bin"));
    let mut shell = Command::new("sh");
    shell.args(["-c", "stty cols 160 rows 40 && exec \"$0\" top \"$1\""]).current_dir(&out);
    shell.arg(binary("lockprof")).arg(service.pid());
    let mut terminal = spawn_command(shell, Some(PATIENCE_MS)).unwrap();
    terminal.exp_string("locks").unwrap();
    for key in ["2", "j", "\r", "?", "\x1b", "s", "w", "q"] {
        terminal.send(key).unwrap();
        terminal.flush().unwrap();
    }
    terminal.exp_eof().unwrap();
    let snapshots = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    let snapshots: Vec<_> = snapshots.filter(|path| path.to_str().unwrap().contains("lockprof-")).collect();
    assert_eq!(snapshots.len(), 1, "{snapshots:?}");
    let mut analyze = Command::new(binary("lockprof"));
    analyze.arg("analyze").arg(&snapshots[0]).args(["--min-blocked", "0s"]);
    let report = printed(analyze.output().unwrap());
    let send = Planted::find("order_service/payment.rs", "blocked-callback");
    assert!(report.split_whitespace().any(|word| send.is(&Value::from(word))), "{report}");
}

#[test]
fn what_cannot_be_looked_at_is_told_in_a_sentence() {
    // A process that has ended, and was waited for, is none.
    let mut ended = Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let ended = ended.id().to_string();
    let ours = std::process::id().to_string();
    let source = format!("{}/tests/top.rs", env!("CARGO_MANIFEST_DIR"));
    let cases = [
        (&*ended, "there is no process "),
        (&*ours, "is not recorded: start it with "),
        (&*source, "not a trace"),
        ("no/such/file", "no such file"),
    ];
    for (target, sentence) in cases {
        let output = top(&[target, "--once"]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), errors.lines().count()), (Some(2), 1), "{errors}");
        assert!(errors.contains(sentence) && output.stdout.is_empty(), "{errors}");
    }
}
