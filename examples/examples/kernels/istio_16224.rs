//! An event's handler tells that it is done while it holds the lock; who waits for that takes the lock first.
use crate::stage::{fixed, party, reach, until};
use lockprof::sync::{Mutex, mpsc};
use std::sync::Arc;

pub fn play() {
    let events = Arc::new(Mutex::new(vec![])); //~ new events
    let (done, is_done) = mpsc::sync_channel(0); //~ new done
    let of_handler = events.clone();
    party(move || {
        let mut events = of_handler.lock().unwrap(); //~ hold handler
        events.push("update");
        if fixed() {
            drop(events);
        }
        reach(1);
        done.send(()).unwrap(); //~ wait handler
    });
    until(1);
    assert_eq!(events.lock().unwrap().len(), 1); //~ wait main
    is_done.recv().unwrap();
}
