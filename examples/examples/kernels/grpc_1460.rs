//! A transport's keepalive waits for a sign of life under the lock that a new stream takes before it gives one.
use crate::stage::{fixed, reach, task, until_async};
use lockprof::tokio::sync::{Mutex, mpsc};
use std::sync::Arc;

pub async fn play() {
    let streams = Arc::new(Mutex::new(0)); //~ new streams
    let (awake, mut is_awake) = mpsc::channel(1); //~ new awake
    let of_stream = streams.clone();
    task(async move {
        until_async(1).await;
        *of_stream.lock().await += 1; //~ wait stream
        awake.send(()).await.unwrap();
    });
    let guard = streams.lock().await; //~ hold main
    if fixed() {
        drop(guard);
    }
    reach(1);
    is_awake.recv().await.unwrap(); //~ wait main
}
