//! A plugin's activation is waited for on a condition that nobody signals, since the activation failed early.
use crate::stage::{fixed, party};
use lockprof::sync::{Condvar, Mutex, mpsc};
use std::sync::Arc;

struct Plugin {
    active: Mutex<bool>,
    activated: Condvar,
}

impl Plugin {
    fn wait_active(&self) {
        let mut active = self.active.lock().unwrap();
        while !*active {
            active = self.activated.wait(active).unwrap(); //~ wait waiter
        }
    }

    fn activate(&self) {
        if fixed() {
            *self.active.lock().unwrap() = true;
            self.activated.notify_all();
        }
    }
}

pub fn play() {
    let activated = Condvar::new(); //~ new activated
    let plugin = Arc::new(Plugin { active: Mutex::new(false), activated });
    let (done, is_done) = mpsc::channel();
    let waited = plugin.clone();
    party(move || {
        waited.wait_active();
        done.send(()).unwrap();
    });
    plugin.activate();
    drop(plugin);
    is_done.recv().unwrap(); //~ behind main
}
