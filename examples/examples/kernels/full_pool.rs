//! Each blocking job hands its second half to another one and waits for that; there are threads for two.
use crate::stage::{fixed, meet, party};
use lockprof::tokio::{runtime::Builder, runtime::Handle, task};

pub fn play() {
    party(|| {
        let threads = if fixed() { 4 } else { 2 };
        let runtime = Builder::new_current_thread().max_blocking_threads(threads).build().unwrap();
        let of_jobs = runtime.handle().clone();
        let job = |runtime: Handle| {
            move || {
                meet(2);
                let half = runtime.spawn_blocking(|| ()); //~ spawn half
                runtime.block_on(half).unwrap(); //~ wait jobs
            }
        };
        runtime.block_on(async {
            let first = task::spawn_blocking(job(of_jobs.clone()));
            task::spawn_blocking(job(of_jobs)).await.unwrap(); //~ behind main
            first.await.unwrap();
        });
    });
}
