//! A raft loop hands events to its store, and the store callbacks to the loop: each selects its own send, or the stop.
use crate::stage::{fixed, meet, party};
use lockprof::crossbeam_channel::{bounded, select};

pub fn play() {
    let (events, to_store) = bounded(0); //~ new events
    let (callbacks, to_raft) = bounded(0); //~ new callbacks
    let (stop, stopped) = bounded::<()>(0); //~ new stop
    party(move || {
        meet(2);
        if fixed() {
            select! {
                recv(to_raft) -> callback => assert_eq!(callback, Ok("callback")),
                recv(stopped) -> _ => return,
            }
        }
        select! { //~ wait raft
            send(events, "event") -> sent => sent.unwrap(),
            recv(stopped) -> _ => {}
        }
        drop(to_raft);
    });
    party(move || {
        meet(2);
        callbacks.send("callback").unwrap(); //~ wait store
        assert_eq!(to_store.recv(), Ok("event"));
        drop(stop);
    });
}
