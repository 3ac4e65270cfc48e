//! A pod's status is set and sent under a lock; who reads the channel takes the lock before its next message.
use crate::stage::{fixed, party, reach, until};
use lockprof::crossbeam_channel::bounded;
use lockprof::parking_lot::Mutex;
use std::sync::Arc;

pub fn play() {
    let statuses = Arc::new(Mutex::new(vec![])); //~ new statuses
    let (changes, from_changes) = bounded(0); //~ new changes
    let of_reader = statuses.clone();
    party(move || {
        while let Ok(pod) = from_changes.recv() {
            reach(1);
            until(2);
            of_reader.lock().push(pod); //~ wait reader
        }
    });
    for pod in 1..=2 {
        let guard = statuses.lock(); //~ hold main
        if fixed() {
            drop(guard);
        }
        if pod == 2 {
            until(1);
            reach(2);
        }
        changes.send(pod).unwrap(); //~ wait main
    }
}
