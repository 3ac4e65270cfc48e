//! Three stages stand in a ring with room for one message between each two, and each sends twice before it receives.
use crate::stage::fixed;
use lockprof::tokio;
use lockprof::tokio::sync::mpsc::{Receiver, Sender, channel};

struct Stage<M> {
    inbox: Receiver<M>,
    next: Sender<M>,
}

impl<M: Copy + Send + 'static> Stage<M> {
    async fn run(mut self, seed: M) {
        self.next.send(seed).await.ok();
        if fixed() {
            let _ = self.next.try_send(seed);
        } else {
            self.next.send(seed).await.ok(); //~ wait stages
        }
        self.inbox.recv().await;
    }
}

pub async fn play() {
    let mut ends: Vec<_> = (0..3).map(|_| channel(1)).collect(); //~ new channels
    let senders: Vec<_> = ends.iter().map(|(sender, _)| sender.clone()).collect();
    let mut stages = vec![];
    for (at, (_, inbox)) in ends.drain(..).enumerate() {
        let stage = Stage { inbox, next: senders[(at + 1) % senders.len()].clone() };
        stages.push(tokio::spawn(stage.run(at)));
    }
    for stage in stages {
        stage.await.unwrap(); //~ behind main
    }
}
