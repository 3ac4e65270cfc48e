//! A pool has two threads; each runs a job that hands its second half to the same pool, and waits for that.
use crate::stage::{fixed, meet, party};
use lockprof::crossbeam_channel::{Sender, bounded, unbounded};

type Job = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
struct Pool(Sender<Job>);

impl Pool {
    fn of(threads: usize) -> Self {
        let (jobs, queue) = unbounded::<Job>();
        for _ in 0..threads {
            let queue = queue.clone();
            lockprof::thread::spawn(move || queue.iter().for_each(|job| job()));
        }
        Self(jobs)
    }

    fn run(&self, job: impl FnOnce() + Send + 'static) {
        let (done, is_done) = bounded(1); //~ new done
        self.0.send(Box::new(move || {
            job();
            done.send(()).ok();
        })).unwrap();
        is_done.recv().unwrap(); //~ wait threads //~ behind callers
    }
}

pub fn play() {
    let pool = Pool::of(if fixed() { 4 } else { 2 });
    for _ in 0..2 {
        let pool = pool.clone();
        party(move || {
            let inner = pool.clone();
            pool.run(move || {
                meet(2);
                inner.run(|| ());
            });
        });
    }
}
