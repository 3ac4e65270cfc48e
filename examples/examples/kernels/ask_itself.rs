//! An actor that answers one request at a time asks itself, through its own handle, to answer another.
use crate::stage::{fixed, task};
use lockprof::tokio::sync::{mpsc, oneshot};

enum Request {
    Total(oneshot::Sender<u64>),
    Report(oneshot::Sender<String>),
}

#[derive(Clone)]
struct Handle(mpsc::Sender<Request>);

impl Handle {
    async fn total(&self) -> u64 {
        let (answer, answered) = oneshot::channel(); //~ new answer
        self.0.send(Request::Total(answer)).await.ok();
        let total = answered.await; //~ wait actor
        total.unwrap_or_default()
    }
}

pub async fn play() {
    let (requests, mut inbox) = mpsc::channel(4);
    let (answer, answered) = oneshot::channel();
    let handle = Handle(requests.clone());
    task(async move {
        while let Some(request) = inbox.recv().await {
            match request {
                Request::Total(answer) => drop(answer.send(7)),
                Request::Report(answer) => {
                    let total = if fixed() { 7 } else { handle.total().await };
                    answer.send(format!("{total} in all")).ok();
                    return;
                }
            }
        }
    });
    requests.send(Request::Report(answer)).await.ok();
    let report = answered.await; //~ behind client
    assert!(report.is_ok());
}
