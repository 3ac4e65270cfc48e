//! Two tasks wait for their jobs as threads do, and so both workers of the runtime: the task that has the jobs gets none.
use crate::stage::{fixed, meet, party};
use lockprof::crossbeam_channel::bounded;
use lockprof::tokio::{self, runtime::Builder, task};

pub fn play() {
    party(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            let (jobs, queue) = bounded::<u32>(4); //~ new jobs
            let receives = (0..2).map(|_| {
                let queue = queue.clone();
                move || {
                    meet(3);
                    assert!(queue.recv().is_ok()); //~ wait receiver
                }
            });
            let receives: Vec<_> = receives
                .map(|receive| match fixed() {
                    true => task::spawn_blocking(receive),
                    false => tokio::spawn(async move { receive() }),
                })
                .collect();
            meet(3);
            tokio::spawn(async move { (0..2).for_each(|job| jobs.send(job).unwrap()) }); //~ spawn sender
            for receive in receives {
                receive.await.unwrap(); //~ behind main
            }
        });
    });
}
