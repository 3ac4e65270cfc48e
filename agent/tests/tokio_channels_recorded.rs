//! tokio's channels: what a recording says of them and of their ends.
#![cfg(all(target_os = "linux", feature = "record", feature = "tokio"))]
mod recording;

use lockprof::tokio;
use lockprof_trace::{Kind, Operation, Role, WaitEnd};
use recording::{line, record};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio::task::yield_now;

#[test]
fn channels_are_recorded() {
    let mut lines = [0; 6];
    let mut kept = None;
    let trace = record(|| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            // Room for one: the second is waited for, the third times out, and the end is seen by a sender.
            let ((sender, mut receiver), created) = (mpsc::channel(1), line());
            lines[0] = created;
            sender.send(1).await.unwrap();
            let second = tokio::spawn({
                let sender = sender.clone();
                async move { sender.send(2).await }
            });
            yield_now().await;
            assert_eq!(receiver.recv().await, Some(1));
            second.await.unwrap().unwrap();
            sender.send_timeout(3, Duration::from_millis(1)).await.unwrap_err();
            assert_eq!(receiver.recv().await, Some(2));
            let permit = sender.reserve().await.unwrap();
            let refused = tokio::spawn({
                let sender = sender.clone();
                async move { sender.reserve().await.is_err() }
            });
            yield_now().await;
            receiver.close();
            permit.send(4);
            assert!(refused.await.unwrap());
            assert_eq!((receiver.recv().await, receiver.recv().await), (Some(4), None));

            // Many at once; the last sender goes.
            let ((sender, mut receiver), created) = (mpsc::unbounded_channel(), line());
            lines[1] = created;
            (0..5).for_each(|n| sender.send(n).unwrap());
            assert_eq!(receiver.recv_many(&mut vec![], 9).await, 5);
            let weak = sender.downgrade();
            let reader = tokio::spawn(async move { receiver.recv().await });
            yield_now().await;
            drop(sender);
            assert_eq!(reader.await.unwrap(), None);
            assert!(weak.upgrade().is_none());

            // One message, and one that never comes.
            let ((sender, receiver), created) = (oneshot::channel(), line());
            lines[2] = created;
            let reader = tokio::spawn(receiver);
            yield_now().await;
            sender.send(1).unwrap();
            reader.await.unwrap().unwrap();
            let (sender, receiver) = oneshot::channel::<u8>();
            let reader = tokio::spawn(receiver);
            yield_now().await;
            drop(sender);
            reader.await.unwrap().unwrap_err();

            let ((sender, mut receiver), created) = (broadcast::channel(1), line());
            lines[3] = created;
            sender.send(1).unwrap();
            sender.send(2).unwrap();
            receiver.recv().await.unwrap_err();
            assert_eq!(receiver.recv().await.unwrap(), 2);

            let ((sender, receiver), created) = (watch::channel(1), line());
            lines[4] = created;
            let mut second = receiver.clone();
            let reader =
                tokio::spawn(
                    async move { second.changed().await.is_ok() && *second.borrow_and_update() == 2 },
                );
            yield_now().await;
            sender.send(2).unwrap();
            assert!(reader.await.unwrap());
            // One end of the two is kept, both its own and its use.
            drop(sender);
            assert!(*receiver.borrow() == 2);
            kept = Some(receiver);

            let (notify, created) = (Arc::new(Notify::new()), line());
            lines[5] = created;
            let waiter = tokio::spawn(notify.clone().notified_owned());
            yield_now().await;
            notify.notify_one();
            waiter.await.unwrap();
            std::mem::forget(notify);
        });
    });

    let ends = |operation, object| {
        let waits = trace.waits(operation).into_iter();
        waits.filter(|wait| wait.object == object).map(|wait| wait.end.unwrap()).collect::<Vec<_>>()
    };
    let bounded = trace.object(Kind::TokioChannel, lines[0]);
    assert_eq!(ends(Operation::Send, bounded), [WaitEnd::Done, WaitEnd::TimedOut]);
    assert_eq!(ends(Operation::Reserve, bounded), [WaitEnd::Disconnected]);
    assert_eq!(ends(Operation::Recv, bounded), []);
    assert_eq!((trace.counts(bounded), trace.counts(bounded + 1)), ((3, 3), (3, 0)));

    let unbounded = trace.object(Kind::TokioUnbounded, lines[1]);
    assert_eq!(ends(Operation::Recv, unbounded), [WaitEnd::Disconnected]);
    assert_eq!((trace.counts(unbounded).0, trace.counts(unbounded + 1)), (5, (5, 1)));

    let first = trace.object(Kind::TokioOneshot, lines[2]);
    assert_eq!(ends(Operation::Recv, first), [WaitEnd::Done]);
    assert_eq!((trace.counts(first).0, trace.counts(first + 1).0), (1, 1));
    let unanswered =
        |wait: &&recording::Wait| wait.end == Some(WaitEnd::Disconnected) && wait.object != unbounded;
    assert_eq!(trace.waits(Operation::Recv).iter().filter(unanswered).count(), 1);

    let news = trace.object(Kind::TokioBroadcast, lines[3]);
    // Two were sent into room for one: the receiver was told so, and got the second.
    assert_eq!([0, 1, 2, 3].map(|offset| trace.counts(news + offset).0), [2, 1, 0, 1]);

    let watched = trace.object(Kind::TokioWatch, lines[4]);
    assert_eq!(ends(Operation::Changed, watched), [WaitEnd::Done]);
    let notify = trace.object(Kind::TokioNotify, lines[5]);
    assert_eq!(ends(Operation::Notified, notify), [WaitEnd::Done]);
    assert_eq!((trace.counts(notify).0, trace.counts(notify + 1)), (1, (1, 1)));

    let handles = trace.handles();
    let [(Role::Receiver, object, ..)] = handles[..] else { panic!("{handles:?}") };
    assert_eq!(object, watched);
    drop(kept);
}
