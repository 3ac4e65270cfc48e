//! A cacher starts under its own lock, which a callback gives back, and takes the watch cache's; an event goes the other
//! way.
use crate::stage::{fixed, meet_async, task};
use lockprof::tokio::sync::Mutex;
use std::sync::Arc;

struct Cacher {
    ready: Arc<Mutex<bool>>,
    watched: Mutex<Vec<u32>>,
}

impl Cacher {
    async fn start(&self) {
        let mut ready = self.ready.clone().lock_owned().await; //~ hold starter
        meet_async(2).await;
        let usable = move || {
            *ready = true;
            drop(ready);
        };
        self.replace(usable).await;
    }

    async fn replace(&self, then: impl FnOnce()) {
        self.watched.lock().await.clear(); //~ wait starter
        then();
    }

    async fn add(&self, event: u32) {
        let mut watched = self.watched.lock().await; //~ hold adder
        watched.push(event);
        if fixed() {
            drop(watched);
        }
        meet_async(2).await;
        let _ready = self.ready.lock().await; //~ wait adder
    }
}

pub async fn play() {
    let ready = Arc::new(Mutex::new(false)); //~ new ready
    let watched = Mutex::new(vec![]); //~ new watched
    let cacher = Arc::new(Cacher { ready, watched });
    let adds = cacher.clone();
    task(async move { cacher.start().await });
    task(async move { adds.add(7).await });
}
