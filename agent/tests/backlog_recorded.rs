//! Messages that gather in a channel, as the background thread tells them in full mode, where threads keep their counts
//! elsewhere.
#![cfg(all(target_os = "linux", feature = "record"))]

use lockprof::sync::mpsc;
use lockprof_trace::Event;
use lockprof_trace::file::Reader;
use std::fs::{self, File};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How many messages waited, each time that it was told up to now.
fn told(path: &Path) -> Vec<u64> {
    let mut reader = Reader::new(File::open(path).unwrap()).unwrap();
    let mut told = vec![];
    while let Ok(Some(event)) = reader.next() {
        if let Event::Backlog { waiting, .. } = event {
            told.push(waiting);
        }
    }
    told
}

#[test]
fn as_many_messages_are_told_as_wait() {
    let path = std::env::temp_dir().join(format!("lockprof-test-{}.bin", std::process::id()));
    let recording = lockprof::builder().path(&path).full().start().unwrap();
    let (sender, receiver) = mpsc::channel();
    (0..300).for_each(|message| sender.send(message).unwrap());
    (0..200).for_each(|message| assert_eq!(receiver.recv(), Ok(message)));
    let begin = Instant::now();
    while told(&path).last() != Some(&100) {
        assert!(begin.elapsed() < Duration::from_secs(60), "told: {:?}", told(&path));
        sleep(Duration::from_millis(20));
    }
    recording.finish();
    fs::remove_file(&path).unwrap();
}
