//! A ledger is written by a blocking job, which locks it; who awaits the job has the lock.
use crate::stage::{fixed, task};
use lockprof::tokio::{self, sync::Mutex};
use std::sync::Arc;

pub async fn play() {
    let ledger = Arc::new(Mutex::new(0)); //~ new ledger
    task(async move {
        let guard = ledger.lock().await; //~ hold main
        let of_job = ledger.clone();
        if fixed() {
            drop(guard);
        }
        let job = tokio::task::spawn_blocking(move || *of_job.blocking_lock() += 1); //~ wait job
        job.await.unwrap(); //~ wait main
    });
}
