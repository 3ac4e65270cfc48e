//! Two actors have a bounded queue each, and each waits for room in the other's.
use crate::stage::{fixed, meet_async, task};
use lockprof::tokio::sync::mpsc::{Receiver, Sender, channel};

async fn act(mut inbox: Receiver<u32>, outbox: Sender<u32>) {
    outbox.send(0).await.unwrap();
    meet_async(2).await;
    while let Some(message) = inbox.recv().await {
        for _ in 0..2 {
            if fixed() {
                let _ = outbox.try_send(message);
            } else {
                let _ = outbox.send(message).await; //~ wait one //~ wait other
            }
        }
        if fixed() {
            return;
        }
    }
}

pub async fn play() {
    let (to_one, one) = channel(1); //~ new one
    let (to_other, other) = channel(1); //~ new other
    task(act(one, to_other));
    task(act(other, to_one));
}
