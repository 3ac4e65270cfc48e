//! A stopper drains its tasks under its lock; one of them waits for the stop, which is told only after, one for the lock.
use crate::stage::{fixed, party, reach, until};
use lockprof::crossbeam_channel::{Receiver, Sender, bounded};
use lockprof::parking_lot::Mutex;
use std::sync::Arc;

struct Stopper {
    tasks: Mutex<u32>,
    /// Nobody sends: it is closed where the last task goes.
    drained: Receiver<()>,
}

pub fn play() {
    let (working, drained) = bounded::<()>(0); //~ new drained
    let (stop, stopped) = bounded::<()>(0); //~ new stop
    let tasks = Mutex::new(2); //~ new tasks
    let stopper = Arc::new(Stopper { tasks, drained });
    let (of_task, mut stop): (_, Option<Sender<()>>) = (stopper.clone(), Some(stop));
    let works = working.clone();
    party(move || {
        let _ = stopped.recv(); //~ wait server
        drop(works);
    });
    party(move || {
        until(1);
        *of_task.tasks.lock() -= 1; //~ wait task
        drop(working);
    });
    if fixed() {
        stop = None;
    }
    let guard = stopper.tasks.lock(); //~ hold main
    if fixed() {
        drop(guard);
    }
    reach(1);
    assert!(stopper.drained.recv().is_err()); //~ wait main
    drop(stop);
}
