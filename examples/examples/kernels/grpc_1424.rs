//! A balancer's watcher is given a channel to close when it is done, and returns without.
use crate::stage::{fixed, keep, task};
use lockprof::tokio::sync::oneshot;

pub async fn play() {
    let (done, is_done) = oneshot::channel::<()>(); //~ new done
    task(async move {
        if fixed() {
            done.send(()).unwrap();
        } else {
            keep(done);
        }
    });
    let told = is_done.await.is_ok(); //~ wait main
    assert_eq!(told, fixed());
}
