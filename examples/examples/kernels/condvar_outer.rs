//! A wait for a signal gives its own mutex back, but not the outer one, which the notifier takes first.
use crate::stage::{fixed, party, reach, until};
use lockprof::parking_lot::{Condvar, Mutex};
use std::sync::Arc;

struct Pool {
    jobs: Mutex<u32>,
    ready: Mutex<bool>,
    signal: Condvar,
}

impl Pool {
    fn take(&self) {
        let mut jobs = self.jobs.lock(); //~ hold worker
        *jobs += 1;
        if fixed() {
            drop(jobs);
        }
        let mut ready = self.ready.lock();
        reach(1);
        while !*ready {
            self.signal.wait(&mut ready); //~ wait worker
        }
    }

    fn put(&self) {
        until(1);
        *self.jobs.lock() += 1; //~ behind notifier
        *self.ready.lock() = true;
        self.signal.notify_one();
    }
}

pub fn play() {
    let jobs = Mutex::new(0);
    let signal = Condvar::new(); //~ new signal
    let pool = Arc::new(Pool { jobs, ready: Mutex::new(false), signal });
    let puts = pool.clone();
    party(move || pool.take());
    party(move || puts.put());
}
