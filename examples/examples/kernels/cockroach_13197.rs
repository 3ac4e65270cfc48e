//! A transaction's task waits until its context is cancelled; the transaction goes without commit, and nobody cancels.
use crate::stage::{fixed, task};
use lockprof::tokio::sync::watch;
use std::sync::Arc;

struct Transaction {
    cancel: watch::Sender<bool>,
}

impl Transaction {
    fn begin() -> Arc<Self> {
        let transaction = Arc::new(Self { cancel: watch::Sender::new(false) }); //~ new cancel
        task(transaction.clone().await_done());
        transaction
    }

    async fn await_done(self: Arc<Self>) {
        let mut cancelled = self.cancel.subscribe();
        cancelled.wait_for(|cancelled| *cancelled).await.unwrap(); //~ wait transaction
    }

    fn commit(&self) {
        self.cancel.send_replace(true);
    }
}

pub async fn play() {
    let transaction = Transaction::begin();
    if fixed() {
        transaction.commit();
    }
}
