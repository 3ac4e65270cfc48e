//! Two peers answer one request at a time; each asks the other, and waits for the answer before it looks into its inbox.
use crate::stage::{fixed, meet_async, task};
use lockprof::tokio::sync::{mpsc, oneshot};

enum Request {
    Sync,
    Version(oneshot::Sender<u32>),
}

async fn peer(mut inbox: mpsc::Receiver<Request>, other: mpsc::Sender<Request>) {
    let Some(Request::Sync) = inbox.recv().await else { return };
    meet_async(2).await;
    let (answer, mut answered) = oneshot::channel(); //~ new answer
    other.send(Request::Version(answer)).await.ok();
    if fixed() && let Some(Request::Version(ask)) = inbox.recv().await {
        ask.send(1).ok();
    }
    let version = (&mut answered).await; //~ wait peer
    assert_eq!(version, Ok(1));
}

pub async fn play() {
    let ((to_one, of_one), (to_other, of_other)) = (mpsc::channel(2), mpsc::channel(2));
    to_one.send(Request::Sync).await.ok();
    to_other.send(Request::Sync).await.ok();
    task(peer(of_one, to_other));
    task(peer(of_other, to_one));
}
