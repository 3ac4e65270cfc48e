//! A future says that it is not ready and leaves its waker nowhere: its task is never polled again.
use crate::stage::{fixed, task};
use lockprof::tokio::sync::oneshot;
use std::future::poll_fn;
use std::task::Poll;

pub async fn play() {
    let (done, is_done) = oneshot::channel();
    task(async move { //~ spawn forgetful
        let mut polls = 0;
        poll_fn(|context| {
            polls += 1;
            if fixed() {
                context.waker().wake_by_ref();
            }
            if polls > 2 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        done.send(()).unwrap();
    });
    is_done.await.unwrap(); //~ behind main
}
