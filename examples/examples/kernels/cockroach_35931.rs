//! A flow is cancelled by a message to each of its streams in turn; the first is full, and its reader is at the second.
use crate::stage::{fixed, task, reach, until_async};
use lockprof::tokio::sync::{Mutex, mpsc};
use std::sync::Arc;

pub async fn play() {
    let (one, from_one) = mpsc::channel(1); //~ new one
    let (two, from_two) = mpsc::channel(1); //~ new two
    let registry = Arc::new((Mutex::new(from_one), Mutex::new(from_two)));
    one.send("row").await.unwrap();
    let of_reader = registry.clone();
    task(async move {
        if fixed() {
            of_reader.0.lock().await.recv().await.unwrap();
        }
        reach(1);
        of_reader.1.lock().await.recv().await.unwrap(); //~ wait reader
    });
    until_async(1).await;
    one.send("cancelled").await.unwrap(); //~ wait main
    two.send("cancelled").await.unwrap();
    drop(registry);
}
