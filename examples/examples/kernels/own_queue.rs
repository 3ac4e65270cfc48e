//! The one consumer of a queue sends into it, and waits for room.
use crate::stage::{fixed, task};
use lockprof::tokio::sync::mpsc;

pub async fn play() {
    let (jobs, mut queue) = mpsc::channel(2); //~ new queue
    let again = jobs.clone();
    task(async move {
        while let Some(job) = queue.recv().await {
            for part in 0..job {
                if fixed() {
                    let _ = again.try_send(part);
                } else {
                    again.send(part).await.unwrap(); //~ wait consumer
                }
            }
            if fixed() {
                return;
            }
        }
    });
    jobs.send(4).await.unwrap();
}
