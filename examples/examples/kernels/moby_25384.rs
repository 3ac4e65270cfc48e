//! Two volumes are set up, each in a thread; the wait for both stands inside the loop that starts them.
use crate::stage::{fixed, party};
use lockprof::sync::mpsc;

pub fn play() {
    let (done, is_done) = mpsc::channel(); //~ new done
    let wait = || (0..2).for_each(|_| is_done.recv().unwrap()); //~ wait main
    for _ in 0..2 {
        let done = done.clone();
        party(move || done.send(()).unwrap());
        if !fixed() {
            wait();
        }
    }
    wait();
}
