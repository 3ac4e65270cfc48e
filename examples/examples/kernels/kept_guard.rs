//! A handler forgets its guard where a request is refused, and goes on with what needs no lock.
use crate::stage::{fixed, party, reach, until};
use lockprof::sync::Mutex;
use std::sync::Arc;
use std::time::Duration;

fn handle(quota: &Mutex<u32>, request: u32) {
    let mut quota = quota.lock().unwrap(); //~ hold handler
    *quota += request;
    if request == 50 && !fixed() {
        std::mem::forget(quota);
    }
}

pub fn play() {
    let quota = Arc::new(Mutex::new(0)); //~ new quota
    let of_handler = quota.clone();
    party(move || {
        (1..=50).for_each(|request| handle(&of_handler, request));
        reach(1);
        while !fixed() {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    until(1);
    assert!(*quota.lock().unwrap() > 0); //~ wait main
}
