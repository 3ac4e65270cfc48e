//! A task receives as threads do, and so keeps its runtime's only thread from the task that is to send.
use crate::stage::{fixed, party};
use lockprof::sync::mpsc;
use lockprof::tokio::{self, runtime::Builder, task};

pub fn play() {
    party(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (reply, replied) = mpsc::channel(); //~ new replies
            let sends = async move { reply.send(7).unwrap() };
            let receives = move || assert_eq!(replied.recv(), Ok(7)); //~ wait receiver
            let asks = if fixed() {
                task::spawn_blocking(receives)
            } else {
                tokio::spawn(async move { receives() })
            };
            tokio::spawn(sends); //~ spawn sender
            asks.await.unwrap(); //~ behind main
        });
    });
}
