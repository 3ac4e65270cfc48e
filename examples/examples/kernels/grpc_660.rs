//! A benchmark's client tells that it is done, but its parent saw the signal to stop first and is gone.
use crate::stage::{fixed, keep, party, until, reach};
use lockprof::crossbeam_channel::{bounded, select};

pub fn play() {
    let (done, is_done) = bounded(if fixed() { 1 } else { 0 }); //~ new done
    let (stop, stopped) = bounded(1);
    stop.send(()).unwrap();
    party(move || {
        until(1);
        let _ = done.send(()); //~ wait client
    });
    select! {
        recv(stopped) -> _ => keep(is_done),
        recv(is_done) -> _ => {}
    }
    reach(1);
}
