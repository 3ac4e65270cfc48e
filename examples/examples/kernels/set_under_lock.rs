//! The workers of a set are waited for under the lock which they take before they end.
use crate::stage::{fixed, task};
use lockprof::tokio::{sync::Mutex, task::JoinSet};
use std::sync::Arc;

pub async fn play() {
    let totals = Arc::new(Mutex::new(0)); //~ new totals
    task(async move {
        let guard = totals.lock().await; //~ hold main
        let mut workers = JoinSet::new();
        for _ in 0..3 {
            let totals = totals.clone();
            workers.spawn(async move { *totals.lock().await += 1 }); //~ wait workers //~ spawn workers
        }
        if fixed() {
            drop(guard);
        }
        while workers.join_next().await.is_some() {} //~ wait main
    });
}
