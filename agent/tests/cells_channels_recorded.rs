//! once_cell and crossbeam_channel: an initialisation that another waits for, a full channel, and an empty one.
#![cfg(all(target_os = "linux", feature = "record", feature = "once_cell", feature = "crossbeam-channel"))]
mod recording;

use lockprof::crossbeam_channel::{Receiver, bounded, never, select};
use lockprof::once_cell::sync::Lazy;
use lockprof::thread;
use lockprof_trace::{Kind, Operation, WaitEnd};
use recording::{Sleeper, line, record};
use std::sync::Arc;

static SLEEPER: Sleeper = Sleeper::new();
const CONFIG_LINE: u32 = line!() + 1;
static CONFIG: Lazy<u32> = Lazy::new(|| {
    let other = thread::spawn(|| {
        SLEEPER.blocks();
        *CONFIG // CONFIG_LINE + 3
    });
    SLEEPER.wait();
    drop(other);
    7
});

#[test]
fn cells_and_channels_are_recorded() {
    let (mut created, mut sending) = (0, 0);
    let trace = record(|| {
        assert_eq!(*CONFIG, 7);
        let (sender, receiver) = {
            created = line() + 1;
            bounded(1)
        };
        sender.send(1).unwrap();
        let sleeper = Arc::new(Sleeper::new());
        let child = thread::spawn({
            let sleeper = sleeper.clone();
            move || {
                sleeper.blocks();
                sender.send(2).unwrap(); // sending
            }
        });
        sending = line() - 3;
        sleeper.wait();
        assert_eq!(receiver.recv(), Ok(1));
        child.join().unwrap();
        let nothing: Receiver<u8> = never();
        select! {
            recv(receiver) -> message => assert_eq!(message, Ok(2)),
            recv(nothing) -> message => panic!("{message:?}"),
        }
        assert!(receiver.iter().next().is_none());
    });
    let cell = trace.object(Kind::OnceCell, CONFIG_LINE);
    let waits: Vec<_> =
        trace.waits(Operation::Init).into_iter().map(|wait| (wait.object, wait.line, wait.end)).collect();
    assert_eq!(waits, [(cell, CONFIG_LINE + 3, Some(WaitEnd::Done))]);
    let channel = trace.object(Kind::CrossbeamChannel, created);
    let sends: Vec<_> =
        trace.waits(Operation::Send).into_iter().map(|wait| (wait.object, wait.line, wait.end)).collect();
    assert_eq!(sends, [(channel, sending, Some(WaitEnd::Done))]);
    assert_eq!((trace.counts(channel), trace.counts(channel + 1).0), ((2, 1), 2));
}
