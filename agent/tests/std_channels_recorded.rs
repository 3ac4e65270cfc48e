//! std's channels: what a recording says of them, also of those who wait in them for ever.
#![cfg(all(target_os = "linux", feature = "record"))]
mod recording;

use lockprof::sync::mpsc::{self, RecvError, RecvTimeoutError};
use lockprof::thread;
use lockprof_trace::{Kind, Operation, Role, WaitEnd};
use recording::{Sleeper, line, record};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn channels_are_recorded() {
    let mut lines = [0; 4];
    let trace = record(|| {
        // Two messages, one of them waited for; then the end of the channel, waited for too.
        let ((sender, receiver), created) = (mpsc::channel(), line());
        let sleepers = Arc::new([Sleeper::new(), Sleeper::new()]);
        let child = thread::spawn({
            let sleepers = sleepers.clone();
            move || {
                sleepers[0].blocks();
                let first = receiver.recv();
                let second = receiver.recv();
                sleepers[1].blocks();
                (first, second, receiver.recv())
            }
        });
        sleepers[0].wait();
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        sleepers[1].wait();
        drop(sender);
        assert_eq!(child.join().unwrap(), (Ok(1), Ok(2), Err(RecvError)));
        lines[0] = created;

        // A full channel.
        let ((sender, receiver), created) = (mpsc::sync_channel(1), line());
        let sleeper = Arc::new(Sleeper::new());
        sender.send(1).unwrap();
        sender.try_send(2).unwrap_err();
        let child = thread::spawn({
            let (sender, sleeper) = (sender.clone(), sleeper.clone());
            move || {
                sleeper.blocks();
                sender.send(3).unwrap();
            }
        });
        sleeper.wait();
        assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(3)));
        child.join().unwrap();
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        drop(sender);
        assert_eq!(receiver.into_iter().count(), 0);
        lines[1] = created;

        // A receiver that waits for ever: its own thread has the last sender.
        let ((sender, receiver), created) = (mpsc::channel::<u8>(), line());
        let sleeper = Arc::new(Sleeper::new());
        thread::spawn({
            let sleeper = sleeper.clone();
            move || {
                let _kept = sender;
                sleeper.blocks();
                for _ in &receiver {}
            }
        });
        sleeper.wait();
        lines[2] = created;
    });

    let unbounded = trace.object(Kind::StdChannel, lines[0]);
    let bounded = trace.object(Kind::StdChannel, lines[1]);
    let stuck = trace.object(Kind::StdChannel, lines[2]);

    let received = trace.waits(Operation::Recv);
    let ends = |object| {
        received.iter().filter(|wait| wait.object == object).map(|wait| wait.end).collect::<Vec<_>>()
    };
    let of_unbounded = ends(unbounded);
    assert_eq!(of_unbounded.first(), Some(&Some(WaitEnd::Done)));
    assert_eq!(of_unbounded.last(), Some(&Some(WaitEnd::Disconnected)));
    assert_eq!((trace.counts(unbounded).0, trace.counts(unbounded + 1).0), (2, 2));

    let sends = trace.waits(Operation::Send);
    assert_eq!(sends.len(), 1, "{sends:?}");
    assert_eq!((sends[0].object, sends[0].end), (bounded, Some(WaitEnd::Done)));
    assert_eq!(ends(bounded).last(), Some(&Some(WaitEnd::TimedOut)));
    assert_eq!((trace.counts(bounded), trace.counts(bounded + 1).0), ((2, 1), 2));

    assert_eq!(ends(stuck), [None]);
    let handles = trace.handles();
    let mut open: Vec<_> = handles.iter().filter(|(_, object, ..)| *object == stuck).collect();
    open.sort();
    let waiter = received.iter().find(|wait| wait.end.is_none()).unwrap();
    assert!(
        matches!(open[..], [(Role::Sender, ..), (Role::Receiver, _, party, 1)] if *party == waiter.party),
        "{open:?}"
    );
    assert!(
        handles
            .iter()
            .all(|(role, object, ..)| *object == stuck || ![Role::Sender, Role::Receiver].contains(role))
    );
}
