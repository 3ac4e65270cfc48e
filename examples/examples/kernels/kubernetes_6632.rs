//! A frame is written under the lock, which resets the idle timer by a message; its monitor takes the lock before it reads.
use crate::stage::{fixed, reach, task, until_async};
use lockprof::tokio::sync::{Mutex, mpsc};
use std::sync::Arc;

pub async fn play() {
    let written = Arc::new(Mutex::new(0)); //~ new written
    let (reset, mut resets) = mpsc::channel(1); //~ new resets
    let of_monitor = written.clone();
    reset.send(()).await.unwrap();
    task(async move {
        until_async(1).await;
        *of_monitor.lock().await = 0; //~ wait monitor
        while resets.recv().await.is_some() {}
    });
    let mut guard = written.lock().await; //~ hold main
    *guard += 1;
    if fixed() {
        drop(guard);
    }
    reach(1);
    reset.send(()).await.unwrap(); //~ wait main
}
