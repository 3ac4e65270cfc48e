//! A permit is forgotten where a download fails, and one day there is none left.
use crate::stage::{fixed, reach, task, until_async};
use lockprof::tokio::sync::Semaphore;
use std::sync::Arc;

async fn download(slots: &Semaphore, fails: bool) {
    let slot = slots.acquire().await.unwrap(); //~ hold failed //~ wait next
    if fails && !fixed() {
        slot.forget();
    }
}

pub async fn play() {
    let slots = Arc::new(Semaphore::new(1)); //~ new slots
    let of_first = slots.clone();
    task(async move {
        download(&of_first, true).await;
        reach(1);
    });
    task(async move {
        until_async(1).await;
        download(&slots, false).await;
    });
}
