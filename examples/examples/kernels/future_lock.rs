//! A future waits in the queue of a lock, and is no longer polled when the lock is handed to it.
use crate::stage::{fixed, reach, task, until_async};
use lockprof::tokio::{self, sync::Mutex};
use std::sync::Arc;
use std::time::Duration;

pub async fn play() {
    let state = Arc::new(Mutex::new(0)); //~ new state
    let of_other = state.clone();
    task(async move {
        let guard = of_other.lock().await;
        reach(1);
        until_async(2).await;
        drop(guard);
    });
    until_async(1).await;
    let mut first = Box::pin(async { *state.lock().await += 1 }); //~ wait main
    tokio::select! {
        biased;
        () = &mut first => unreachable!(),
        () = tokio::time::sleep(Duration::from_millis(1)) => reach(2),
    }
    if fixed() {
        first.await;
    }
    *state.lock().await += 1; //~ wait main
}
