//! The settings are sent again while what was borrowed of them is still there: a send waits for all that look at the value.
use crate::stage::{fixed, party};
use lockprof::tokio::sync::watch;

pub fn play() {
    let (settings, seen) = watch::channel(1); //~ new settings
    party(move || {
        let now = seen.borrow(); //~ hold main
        let next = *now + 1;
        if fixed() {
            drop(now);
        }
        settings.send(next).unwrap(); //~ wait main
    });
}
