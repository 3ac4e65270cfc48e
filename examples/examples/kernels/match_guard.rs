//! A match on what a lock holds keeps the lock to its end, and an arm calls what takes it again.
use crate::stage::fixed;
use lockprof::parking_lot::Mutex;

struct Connection {
    state: Mutex<u32>,
}

impl Connection {
    fn poll(&self) {
        if fixed() {
            let state = *self.state.lock();
            return self.turn(state);
        }
        match *self.state.lock() { //~ hold main
            u32::MAX => {}
            state => self.turn(state),
        }
    }

    fn turn(&self, state: u32) {
        *self.state.lock() = state + 1; //~ wait main
    }
}

pub fn play() {
    let state = Mutex::new(0); //~ new state
    Connection { state }.poll();
}
