//! Two threads and one lock: the baker sleeps with the shelf locked, and the customer waits for it.

use lockprof::parking_lot::Mutex;
use lockprof::thread;
use std::sync::Arc;
use std::time::Duration;

fn main() {
    let shelf = Arc::new(Mutex::new(0)); // planted: shelf

    let baker = thread::spawn({
        let shelf = shelf.clone();
        move || {
            for _ in 0..20 {
                let mut loaves = shelf.lock(); // planted: sleep-under-lock
                thread::sleep(Duration::from_millis(20));
                *loaves += 1;
                drop(loaves);
                thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let customer = thread::spawn(move || {
        for _ in 0..20 {
            *shelf.lock() -= 1; // planted: waits-for-the-sleeper
            thread::sleep(Duration::from_millis(1));
        }
    });

    baker.join().unwrap();
    customer.join().unwrap();
}
