//! A loop of services holds a lock and waits until its helper waits for a signal under the same lock.
use crate::stage::{fixed, party};
use lockprof::sync::{Condvar, Mutex, mpsc};
use std::sync::Arc;

#[derive(Default)]
struct Loop {
    stopped: Mutex<bool>,
    signal: Condvar,
}

pub fn play() {
    let stopped = Mutex::new(false); //~ new stopped
    let services = Arc::new(Loop { stopped, ..Loop::default() });
    let (waits, helper_waits) = mpsc::channel(); //~ new waits
    let of_helper = services.clone();
    let mut stopped = services.stopped.lock().unwrap(); //~ hold main
    *stopped = true;
    if fixed() {
        drop(stopped);
    }
    party(move || {
        let mut stopped = of_helper.stopped.lock().unwrap(); //~ wait helper
        while !*stopped {
            stopped = of_helper.signal.wait(stopped).unwrap();
        }
        waits.send(()).unwrap();
    });
    helper_waits.recv().unwrap(); //~ wait main
}
