//! A replica drains the channels of its commands; the commands' senders have left as their context was cancelled.
use crate::stage::{fixed, keep, reach, task, until_async};
use lockprof::tokio::sync::mpsc;

pub async fn play() {
    let (applied, mut from_applied) = mpsc::channel::<u32>(1); //~ new applied
    task(async move {
        if fixed() {
            applied.send(1).await.unwrap();
        }
        keep(applied);
        reach(1);
    });
    task(async move {
        until_async(1).await;
        let _ = from_applied.recv().await; //~ wait drain
    });
}
