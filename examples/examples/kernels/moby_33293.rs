//! A wait for a container sends its error into a new channel, and would return the receiver afterwards.
use crate::stage::fixed;
use lockprof::sync::mpsc::{Receiver, sync_channel};

fn container_wait() -> Receiver<&'static str> {
    let (error, receiver) = sync_channel(if fixed() { 1 } else { 0 }); //~ new error
    error.send("no such container").unwrap(); //~ wait main
    receiver
}

pub fn play() {
    assert_eq!(container_wait().recv(), Ok("no such container"));
}
