//! A task keeps a lock of threads across an await, and the next one blocks their runtime's only thread in waiting for it.
use crate::stage::{fixed, party};
use lockprof::sync::Mutex;
use lockprof::tokio::{runtime::Builder, task::LocalSet, time::sleep};
use std::rc::Rc;
use std::time::Duration;

pub fn play() {
    party(|| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let tasks = LocalSet::new();
        let book = Rc::new(Mutex::new(0)); //~ new book
        let of_other = book.clone();
        tasks.spawn_local(async move {
            let mut guard = book.lock().unwrap(); //~ hold writer
            *guard += 1;
            if fixed() {
                drop(guard);
                return;
            }
            sleep(Duration::from_millis(1)).await;
            *guard += 1;
        });
        tasks.spawn_local(async move {
            *of_other.lock().unwrap() += 1; //~ wait reader
        });
        runtime.block_on(tasks);
    });
}
