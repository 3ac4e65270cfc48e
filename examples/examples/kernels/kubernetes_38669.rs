//! A watch sends its first events into a channel without room, after the one who asked for them has stopped it.
use crate::stage::{fixed, keep, party};
use lockprof::sync::mpsc;

pub fn play() {
    let (result, results) = mpsc::sync_channel(if fixed() { 2 } else { 0 }); //~ new results
    party(move || {
        for event in ["added", "modified"] {
            if result.send(event).is_err() { //~ wait watch
                return;
            }
        }
    });
    keep(results);
}
