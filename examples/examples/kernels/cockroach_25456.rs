//! A check of consistency waits for the stopper, which is told to stop only after the check.
use crate::stage::{fixed, task};
use lockprof::tokio::sync::{oneshot, watch};

pub async fn play() {
    let (stop, mut stopped) = watch::channel(false); //~ new stop
    let (processed, is_processed) = oneshot::channel(); //~ new processed
    task(async move {
        stopped.wait_for(|stop| *stop).await.unwrap(); //~ wait checker
        processed.send(()).unwrap();
    });
    if fixed() {
        stop.send_replace(true);
    }
    is_processed.await.unwrap(); //~ wait main
    stop.send_replace(true);
}
