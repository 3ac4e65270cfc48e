//! A daemon's state stays locked while the end of a task is awaited that locks it as well.
use crate::stage::fixed;
use lockprof::tokio::{self, sync::Mutex};
use std::sync::Arc;

pub async fn play() {
    let state = Arc::new(Mutex::new(0)); //~ new state
    let of_watcher = state.clone();
    let mut guard = state.lock().await; //~ hold main
    *guard += 1;
    if fixed() {
        drop(guard);
    }
    let watcher = tokio::spawn(async move {
        *of_watcher.lock().await += 1; //~ wait watcher
    });
    watcher.await.unwrap(); //~ wait main
}
