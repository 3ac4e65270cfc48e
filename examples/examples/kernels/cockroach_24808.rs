//! A compactor asks itself for work, with room for one request, before it starts the one task that takes requests.
use crate::stage::{fixed, task};
use lockprof::tokio::sync::mpsc;

pub async fn play() {
    let (ask, mut asked) = mpsc::channel(1); //~ new requests
    ask.send("pending").await.unwrap();
    if fixed() {
        asked.recv().await.unwrap();
    }
    ask.send("start").await.unwrap(); //~ wait main
    drop(ask);
    task(async move { while asked.recv().await.is_some() {} });
}
