//! Two tasks wait at a gate that remembers one waker: who comes second takes the place of the first, whom nobody wakes.
use crate::stage::{fixed, reach, task, until_async};
use lockprof::tokio::time::sleep;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

#[derive(Default)]
struct Gate {
    open: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Gate {
    async fn pass(&self) {
        let pass = poll_fn(|context| {
            let mut wakers = self.wakers.lock().unwrap();
            if self.open.load(SeqCst) {
                return Poll::Ready(());
            }
            if !fixed() {
                wakers.clear();
            }
            wakers.push(context.waker().clone());
            Poll::Pending
        });
        pass.await;
    }

    fn open(&self) {
        self.open.store(true, SeqCst);
        self.wakers.lock().unwrap().drain(..).for_each(Waker::wake);
    }
}

pub async fn play() {
    let gate = Arc::new(Gate::default());
    for who in 1..=2 {
        let gate = gate.clone();
        task(async move { //~ spawn first
            reach(who);
            gate.pass().await;
        });
    }
    task(async move {
        until_async(2).await;
        sleep(Duration::from_millis(20)).await;
        gate.open();
    });
}
