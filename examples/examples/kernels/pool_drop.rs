//! A pool of threads joins its workers when it is dropped, and has the sender of their jobs until after that.
use crate::stage::{fixed, reach, until};
use lockprof::sync::{Mutex, mpsc};
use lockprof::thread::{self, JoinHandle};
use std::sync::Arc;

type Job = Box<dyn FnOnce() + Send>;

struct Pool {
    jobs: Option<mpsc::Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        if fixed() {
            self.jobs.take();
        }
        for worker in self.workers.drain(..) {
            worker.join().unwrap(); //~ wait owner
        }
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let queue = queue.lock().unwrap();
        let Ok(job) = queue.recv() else { return }; //~ wait worker
        drop(queue);
        job();
    }
}

pub fn play() {
    let (jobs, queue) = mpsc::channel(); //~ new jobs
    let queue = Arc::new(Mutex::new(queue));
    let workers = vec![thread::spawn(move || work(&queue))];
    let pool = Pool { jobs: Some(jobs), workers };
    let job: Job = Box::new(|| reach(1));
    if let Some(jobs) = &pool.jobs {
        jobs.send(job).unwrap();
    }
    until(1);
    drop(pool);
}
