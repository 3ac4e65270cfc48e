//! For tests that work with other programs: which are there, and patience with them.
#![allow(dead_code)] // Each test takes what it needs.
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// For this long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until it is so.
pub fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "it does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a program is installed; says so where it is not.
pub fn is_there(program: &str, version: &str) -> bool {
    let quiet = Stdio::null;
    let ran = Command::new(program).arg(version).stdout(quiet()).stderr(quiet()).status();
    let there = ran.is_ok_and(|status| status.success());
    if !there {
        // Past the harness, which shows nothing of a test that passes.
        let said = format!("skipped: {program} is not to be had here\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
    }
    there
}
