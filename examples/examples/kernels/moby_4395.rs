//! A job runs in the background and sends its result into a channel without room; the caller has no use for it.
use crate::stage::{fixed, keep, party};
use lockprof::crossbeam_channel::{Receiver, bounded};

fn go(job: impl FnOnce() -> u32 + Send + 'static) -> Receiver<u32> {
    let (result, receiver) = bounded(if fixed() { 1 } else { 0 }); //~ new result
    party(move || {
        let _ = result.send(job()); //~ wait job
    });
    receiver
}

pub fn play() {
    keep(go(|| 7));
}
