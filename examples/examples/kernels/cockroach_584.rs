//! A node joins the gossip and leaves the loop with the lock kept; the manager of connections waits for it.
use crate::stage::{fixed, party, reach, until};
use lockprof::sync::Mutex;
use std::sync::Arc;

struct Gossip {
    closed: Mutex<bool>,
}

impl Gossip {
    fn bootstrap(&self) {
        loop {
            let closed = self.closed.lock().unwrap(); //~ hold bootstrap
            if *closed {
                if !fixed() {
                    std::mem::forget(closed);
                }
                break;
            }
        }
    }

    fn manage(&self) {
        assert!(*self.closed.lock().unwrap()); //~ wait manager
    }
}

pub fn play() {
    let closed = Mutex::new(true); //~ new closed
    let gossip = Arc::new(Gossip { closed });
    let managed = gossip.clone();
    party(move || {
        gossip.bootstrap();
        reach(1);
    });
    party(move || {
        until(1);
        managed.manage();
    });
}
