//! Three workers meet at a barrier after each round; one of them finds nothing to do and returns without coming there.
use crate::stage::{fixed, party};
use lockprof::sync::Barrier;
use std::sync::Arc;

fn work(round: &Barrier, jobs: u32) {
    if jobs == 0 && !fixed() {
        return;
    }
    round.wait(); //~ wait others
}

pub fn play() {
    let round = Arc::new(Barrier::new(3)); //~ new round
    for jobs in 0..3 {
        let round = round.clone();
        party(move || work(&round, jobs));
    }
}
