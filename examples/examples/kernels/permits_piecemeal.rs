//! Two transfers take two slots each, one after the other, of two that there are.
use crate::stage::{fixed, meet_async, task};
use lockprof::tokio::sync::Semaphore;
use std::sync::Arc;

pub async fn play() {
    let slots = Arc::new(Semaphore::new(2)); //~ new slots
    for _ in 0..2 {
        let slots = slots.clone();
        task(async move {
            if fixed() {
                drop(slots.acquire_many(2).await.unwrap());
                return;
            }
            let from = slots.acquire().await.unwrap(); //~ hold both
            meet_async(2).await;
            let to = slots.acquire().await.unwrap(); //~ wait both
            drop((from, to));
        });
    }
}
