//! Room for an answer is reserved in a queue for one, and then a notice is sent into the same queue first.
use crate::stage::{fixed, task};
use lockprof::tokio::sync::mpsc;

pub async fn play() {
    let (queue, mut taken) = mpsc::channel(1); //~ new queue
    task(async move {
        let answer = queue.reserve().await.unwrap();
        if fixed() {
            answer.send("answer");
        } else {
            queue.send("notice").await.unwrap(); //~ wait sender
            answer.send("answer");
        }
    });
    task(async move {
        while taken.recv().await.is_some() {} //~ wait receiver
    });
}
