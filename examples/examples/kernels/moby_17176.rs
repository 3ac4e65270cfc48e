//! Devices are cleaned up under their lock; the branch that finds nothing to do returns without giving it back.
use crate::stage::{fixed, reach, task, until_async};
use lockprof::tokio::sync::Mutex;
use std::sync::Arc;

async fn clean_up(devices: Arc<Mutex<Vec<u32>>>) {
    let devices = devices.lock_owned().await; //~ hold cleaner
    if devices.is_empty() && !fixed() {
        std::mem::forget(devices);
    }
}

pub async fn play() {
    let devices = Arc::new(Mutex::new(vec![])); //~ new devices
    let cleaned = devices.clone();
    task(async move {
        clean_up(cleaned).await;
        reach(1);
    });
    task(async move {
        until_async(1).await;
        devices.lock().await.push(1); //~ wait adder
    });
}
