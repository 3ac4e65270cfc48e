//! Totals are counted in threads of a scope, which ends while their lock is held.
use crate::stage::fixed;
use lockprof::parking_lot::Mutex;
use lockprof::thread;

pub fn play() {
    let total = Mutex::new(0); //~ new total
    let sum = total.lock(); //~ hold main
    if fixed() {
        drop(sum);
    }
    // The scope waits for its threads.
    thread::scope(|scope| { //~ wait main
        scope.spawn(|| *total.lock() += 1); //~ wait counter //~ spawn counter
    });
}
