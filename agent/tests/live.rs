//! What a program that runs is told of itself.
#![cfg(all(target_os = "linux", feature = "live"))]
mod clients;

use clients::until;
use lockprof::live::Verdict;
use lockprof::sync::Mutex;
use std::sync::{Arc, Barrier};
use std::time::Duration;

#[test]
fn a_deadlock_is_told_as_it_happens() {
    assert!(lockprof::stuck().is_empty() && lockprof::stuck().to_string().contains("nothing is recorded"));
    let folder = std::env::temp_dir();
    let (trace, told) = (
        folder.join(format!("lockprof-live-{}.bin", std::process::id())),
        folder.join(format!("lockprof-live-{}.txt", std::process::id())),
    );
    let builder = lockprof::builder().path(&trace);
    let recording = builder.watchdog_into(Duration::from_millis(50), &told).start().unwrap();
    let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
    {
        // A lock that is waited for, and comes free.
        let (held, waits) = (locks.0.lock().unwrap(), locks.clone());
        let thread = lockprof::thread::spawn(move || *waits.0.lock().unwrap() += 1);
        std::thread::sleep(Duration::from_millis(300));
        let stuck = lockprof::stuck();
        assert!(stuck.is_empty(), "{stuck}");
        drop(held);
        thread.join().unwrap();
    }
    let met = Arc::new(Barrier::new(2));
    for turn in [false, true] {
        let (locks, met) = (locks.clone(), met.clone());
        lockprof::thread::spawn(move || {
            let (first, second) = if turn { (&locks.1, &locks.0) } else { (&locks.0, &locks.1) };
            let _first = first.lock().unwrap();
            met.wait();
            let _second = second.lock().unwrap();
        });
    }
    let stuck = until(|| Some(lockprof::stuck()).filter(|stuck| !stuck.is_empty()));
    let [finding] = stuck.findings() else { panic!("{stuck}") };
    assert_eq!((finding.code, finding.verdict, finding.count), ("LP0001", Verdict::Proved, 2));
    assert!(finding.parties.iter().all(|party| party.waits[0].at.contains("agent/tests/live.rs")), "{stuck}");
    assert!(stuck.to_string().starts_with("proved[LP0001]"), "{stuck}");

    let read = || std::fs::read_to_string(&told).ok();
    let text = until(|| read().filter(|text| text.contains("LP0001")));
    assert!(text.starts_with("lockprof: stuck, process "), "{text}");
    // It looks again, many times, and has nothing to add.
    std::thread::sleep(Duration::from_millis(500));
    let times = |text: &str| text.matches("[LP0001]").count();
    assert_eq!(read().map(|text| times(&text)), Some(1));
    recording.finish();
    // Both still wait, but nothing is known of that any more.
    assert!(lockprof::stuck().is_empty() && lockprof::stuck().to_string().contains("nothing is recorded"));
    std::fs::remove_file(&trace).unwrap();
    std::fs::remove_file(&told).unwrap();
}
