//! A producer cleans up when its receiver has closed; the receiver is dropped after the producer was joined.
use crate::stage::{fixed, task};
use lockprof::tokio::{self, sync::mpsc};

pub async fn play() {
    let (events, mut seen) = mpsc::channel(1); //~ new events
    let producer = tokio::spawn(async move {
        events.send(1).await.unwrap();
        events.closed().await; //~ wait producer
    });
    task(async move {
        seen.recv().await.unwrap();
        if fixed() {
            seen.close();
        }
        producer.await.unwrap(); //~ wait consumer
        drop(seen);
    });
}
