//! A broadcast of watches stops under its lock and waits for its worker, which needs that lock to finish.
use crate::stage::{fixed, party, reach, until};
use lockprof::sync::{Mutex, mpsc};
use std::sync::Arc;

pub fn play() {
    let watches = Arc::new(Mutex::new(vec![1])); //~ new watches
    let (done, is_done) = mpsc::channel::<()>(); //~ new done
    let of_worker = watches.clone();
    party(move || {
        until(1);
        of_worker.lock().unwrap().clear(); //~ wait worker
        drop(done);
    });
    let mut guard = watches.lock().unwrap(); //~ hold main
    guard.push(2);
    if fixed() {
        drop(guard);
    }
    reach(1);
    assert!(is_done.recv().is_err()); //~ wait main
}
