//! One waits for a request to be accepted, this for the one token, its owner for the second lock, which the first one holds.
use crate::stage::{fixed, reach, task, until_async};
use lockprof::tokio::sync::{Mutex, Semaphore, oneshot};
use std::sync::Arc;

pub async fn play() {
    let token = Arc::new(Semaphore::new(1)); //~ new token
    let second = Arc::new(Mutex::new(0)); //~ new second
    let (accepted, is_accepted) = oneshot::channel(); //~ new accepted
    let guard = second.lock().await; //~ hold main
    let (of_first, of_second) = (token.clone(), second.clone());
    task(async move {
        let _token = token.acquire().await.unwrap(); //~ hold request-2
        reach(1);
        *of_second.lock().await += 1; //~ wait request-2
    });
    task(async move {
        until_async(1).await;
        let _token = of_first.acquire().await.unwrap(); //~ wait request-1
        accepted.send(()).unwrap();
    });
    if fixed() {
        drop(guard);
    }
    is_accepted.await.unwrap(); //~ wait main
}
