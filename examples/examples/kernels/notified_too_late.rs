//! A worker waits to be told of the shutdown, and begins to when that has been told to all who waited.
use crate::stage::{fixed, reach, task, until_async};
use lockprof::tokio::sync::Notify;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

struct Shutdown {
    begun: AtomicBool,
    told: Notify,
}

impl Shutdown {
    async fn begun(&self) {
        let told = self.told.notified(); //~ wait worker
        if fixed() && self.begun.load(SeqCst) {
            return;
        }
        told.await;
    }
}

pub async fn play() {
    let told = Notify::new(); //~ new told
    let shutdown = Arc::new(Shutdown { begun: AtomicBool::new(false), told });
    let of_worker = shutdown.clone();
    task(async move {
        shutdown.begun.store(true, SeqCst);
        shutdown.told.notify_waiters();
        reach(1);
    });
    task(async move {
        until_async(1).await;
        of_worker.begun().await;
    });
}
