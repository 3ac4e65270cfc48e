//! A pod's processors or the default are read under the read lock, by a function that takes it too; a writer comes between.
use crate::stage::{fixed, reach, task, until_async};
use lockprof::tokio::sync::RwLock;
use std::sync::Arc;

struct Sets {
    default: RwLock<u32>,
}

impl Sets {
    async fn get_or_default(&self) -> u32 {
        let default = self.default.read().await; //~ hold reader
        let value = *default;
        if fixed() {
            drop(default);
        }
        reach(1);
        until_async(2).await;
        self.get().await.max(value)
    }

    async fn get(&self) -> u32 {
        *self.default.read().await //~ wait reader
    }

    async fn set_default(&self) {
        until_async(1).await;
        reach(2); // On one thread: nobody comes between this and the wait.
        *self.default.write().await = 4; //~ wait writer
    }
}

pub async fn play() {
    let default = RwLock::new(3); //~ new default
    let sets = Arc::new(Sets { default });
    let of_writer = sets.clone();
    task(async move {
        sets.get_or_default().await;
    });
    task(async move { of_writer.set_default().await });
}
