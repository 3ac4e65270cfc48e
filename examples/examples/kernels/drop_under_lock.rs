//! The last connection is taken out of its pool under the pool's lock; its drop tells the pool, and takes the lock again.
use crate::stage::{fixed, party};
use lockprof::parking_lot::Mutex;
use std::sync::Arc;

#[derive(Default)]
struct Pool {
    open: u32,
    idle: Vec<Connection>,
}

struct Connection(Arc<Mutex<Pool>>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.lock().open -= 1; //~ wait main
    }
}

pub fn play() {
    let pool = Arc::new(Mutex::new(Pool::default())); //~ new pool
    pool.lock().idle = vec![Connection(pool.clone())];
    pool.lock().open = 1;
    party(move || {
        let mut open = pool.lock(); //~ hold main
        if fixed() {
            let last = open.idle.pop();
            drop(open);
            drop(last);
        } else {
            open.idle.clear();
        }
    });
}
