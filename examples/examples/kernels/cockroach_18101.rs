//! A restore scatters eight ranges into a channel with room for six; its reader has left as the context was cancelled.
use crate::stage::{fixed, keep, task};
use lockprof::tokio::sync::mpsc;

pub async fn play() {
    let (ready, from_ready) = mpsc::channel(6); //~ new ready
    task(async move {
        for range in 0..8 {
            let sent = if fixed() { ready.try_send(range).is_ok() } else { ready.send(range).await.is_ok() }; //~ wait scatter
            if !sent {
                return;
            }
        }
    });
    let cancelled = async {};
    cancelled.await;
    keep(from_ready);
}
