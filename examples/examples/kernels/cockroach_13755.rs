//! A query's rows have a task that waits until they are closed; they are read half and left open.
use crate::stage::{fixed, task};
use lockprof::tokio::sync::Notify;
use std::sync::Arc;

struct Rows {
    closed: Notify,
}

impl Rows {
    fn query() -> Arc<Self> {
        let rows = Arc::new(Self { closed: Notify::new() }); //~ new closed
        task(rows.clone().await_done());
        rows
    }

    async fn await_done(self: Arc<Self>) {
        self.closed.notified().await; //~ wait rows
    }

    fn close(&self) {
        self.closed.notify_one();
    }
}

pub async fn play() {
    let rows = Rows::query();
    if fixed() {
        rows.close();
    }
}
