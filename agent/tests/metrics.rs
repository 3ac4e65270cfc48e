//! The metrics of a program that runs: what was sent and refused, who waits, who lives.
#![cfg(all(target_os = "linux", feature = "live", feature = "full"))]
use lockprof::sync::{Mutex, mpsc};
use lockprof::thread;
use std::panic::Location;

#[track_caller]
fn line() -> u32 {
    Location::caller().line()
}

/// The value of a metric whose labels name a line of this file.
fn value(text: &str, metric: &str, line: u32) -> f64 {
    let at = format!("agent/tests/metrics.rs:{line}:");
    let series =
        text.lines().filter(|series| series.starts_with(&format!("{metric}{{")) && series.contains(&at));
    let series: Vec<&str> = series.collect();
    assert_eq!(series.len(), 1, "{metric} of line {line} in:\n{text}");
    series[0].rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn what_is_sent_refused_and_waited_for() {
    assert_eq!(lockprof::metrics(), "");
    let path = std::env::temp_dir().join(format!("lockprof-metrics-{}.bin", std::process::id()));
    let recording = lockprof::builder().path(&path).start().unwrap();

    let (sender, receiver) = mpsc::sync_channel(2);
    let channel = line() - 1;
    (0..2).for_each(|n| sender.send(n).unwrap());
    (0..3).for_each(|n| assert!(sender.try_send(n).is_err()));
    let lock = Mutex::new(0);
    let locked = line() - 1;
    (0..7).for_each(|_| *lock.lock().unwrap() += 1);
    let joined = thread::spawn(|| ());
    let spawned = line() - 1;
    joined.join().unwrap();
    let blocked = thread::spawn(move || sender.send(9).is_ok());
    // It waits in the end, whenever that is.
    let text = loop {
        let text = lockprof::metrics();
        if value(&text, "lockprof_channel_blocked", channel) > 0.0 {
            break text;
        }
    };
    assert_eq!(value(&text, "lockprof_channel_sends_total", channel), 2.0);
    assert_eq!(value(&text, "lockprof_channel_send_failures_total", channel), 3.0);
    assert_eq!(value(&text, "lockprof_lock_acquisitions_total", locked), 7.0);
    assert_eq!(value(&text, "lockprof_tasks_ended_total", spawned), 1.0);
    assert!(value(&text, "lockprof_task_lifetime_seconds_total", spawned) > 0.0);
    assert_eq!(value(&text, "lockprof_tasks_live", spawned), 0.0);
    assert!(text.contains("# TYPE lockprof_channel_sends counter") && text.ends_with("# EOF\n"), "{text}");
    assert_eq!(receiver.recv(), Ok(0));
    assert!(blocked.join().unwrap());
    recording.finish();
    std::fs::remove_file(&path).unwrap();
}
