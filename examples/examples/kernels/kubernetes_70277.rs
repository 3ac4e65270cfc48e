//! A poll waits until its own channel is closed, which it would do on its return.
use crate::stage::fixed;
use lockprof::sync::mpsc;

pub fn play() {
    let (done, is_done) = mpsc::channel::<()>(); //~ new done
    let mut done = Some(done);
    if fixed() {
        done = None;
    }
    assert!(is_done.recv().is_err()); //~ wait main
    drop(done);
}
