//! A task blocks the one thread of its runtime in a receive of std; what it waits for is sent by a task of that runtime.
use crate::stage::fixed;
use lockprof::sync::mpsc;
use lockprof::tokio::{self, runtime::Builder, task::yield_now};

pub fn play() {
    let (orders, from_orders) = mpsc::channel(); //~ new orders
    let runtime = Builder::new_current_thread().build().expect("a runtime can be made");
    runtime.block_on(async {
        let sends = tokio::spawn(async move {
            for order in 0..2 {
                orders.send(order).expect("the other task receives");
                yield_now().await;
            }
        });
        tokio::spawn(async move {
            for _ in 0..2 {
                while fixed() && from_orders.try_recv().is_err() {
                    yield_now().await;
                }
                if !fixed() {
                    from_orders.recv().expect("the other task sends"); //~ wait receives
                }
            }
        });
        sends.await.expect("it does not panic"); //~ behind main
    });
}
