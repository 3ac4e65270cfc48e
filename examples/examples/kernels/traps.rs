//! Threads that look like a kernel, and have no bug.
use crate::stage::{keep, meet, party, reach, until};
use lockprof::crossbeam_channel::{Select, bounded, select};
use lockprof::parking_lot::{Mutex, RwLock};
use lockprof::sync::{Barrier, Condvar, Mutex as StdMutex, mpsc};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// A client waits for the reply of a worker that is at work; the way back went there in the request.
pub fn request_reply() {
    let (ask, asked) = mpsc::channel::<mpsc::Sender<u32>>();
    party(move || {
        while let Ok(reply) = asked.recv() {
            std::thread::park();
            reply.send(7).unwrap();
        }
    });
    let (reply, replied) = mpsc::channel();
    ask.send(reply).unwrap();
    replied.recv().unwrap();
}

/// A listener waits for connections, and its worker for jobs, when the program ends.
pub fn accept_loop() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (jobs, queue) = bounded(4);
    party(move || queue.iter().for_each(drop));
    party(move || {
        for connection in listener.incoming() {
            jobs.send(connection.unwrap()).unwrap();
        }
    });
}

/// A loop on a timer waits for a signal with a time limit, again and again.
pub fn timer_loop() {
    let tick = Arc::new((StdMutex::new(0), Condvar::new()));
    party(move || {
        let mut count = tick.0.lock().unwrap();
        loop {
            count = tick.1.wait_timeout(count, Duration::from_millis(20)).unwrap().0;
            *count += 1;
        }
    });
}

/// Two locks in two orders, always under a third.
pub fn gate_lock() {
    let locks = Arc::new((Mutex::new(()), Mutex::new(0), Mutex::new(0)));
    let other = locks.clone();
    party(move || {
        for _ in 0..1_000 {
            let _gate = locks.0.lock();
            let (_one, _two) = (locks.1.lock(), locks.2.lock());
        }
    });
    party(move || {
        for _ in 0..1_000 {
            let _gate = other.0.lock();
            let (_two, _one) = (other.2.lock(), other.1.lock());
        }
    });
}

/// Two locks in two orders, in two stages with a join between.
pub fn two_stages() {
    let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
    let first = locks.clone();
    let stage = lockprof::thread::spawn(move || {
        let (_one, _two) = (first.0.lock(), first.1.lock());
    });
    stage.join().unwrap();
    let (_two, _one) = (locks.1.lock(), locks.0.lock());
}

/// Who does not get the second lock gives the first back and tries again.
pub fn back_off() {
    let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
    let other = locks.clone();
    party(move || {
        let _one = locks.0.lock();
        meet(2);
        let _two = locks.1.lock();
    });
    party(move || {
        loop {
            let two = other.1.lock();
            meet(2);
            if let Some(_one) = other.0.try_lock_for(Duration::from_millis(1)) {
                return;
            }
            drop(two);
        }
    });
}

/// A list is walked hand over hand.
pub fn hand_over_hand() {
    let list: Arc<Vec<Mutex<u32>>> = Arc::new((0..16).map(Mutex::new).collect());
    for _ in 0..3 {
        let list = list.clone();
        party(move || {
            for _ in 0..50 {
                let mut held = list[0].lock();
                for next in &list[1..] {
                    let next = next.lock();
                    *held += *next;
                    held = next;
                }
            }
        });
    }
}

/// Three read three locks around a circle, and nobody writes.
pub fn readers_in_a_circle() {
    let locks: Arc<[RwLock<u32>; 3]> = Arc::new([0, 1, 2].map(RwLock::new));
    for at in 0..3 {
        let locks = locks.clone();
        party(move || {
            let _own = locks[at].read();
            meet(3);
            let _next = locks[(at + 1) % 3].read();
        });
    }
}

/// A recursive read passes the writer that waits.
pub fn read_recursive() {
    let lock = Arc::new(lockprof::parking_lot_0_12::RwLock::new(0));
    let other = lock.clone();
    party(move || {
        let _read = lock.read();
        reach(1);
        while lock.try_read().is_some() {
            std::thread::yield_now();
        }
        let _again = lock.read_recursive();
    });
    party(move || {
        until(1);
        *other.write() += 1;
    });
}

/// The one guard is gone before the call that locks again.
pub fn call_after_release() {
    let lock = Mutex::new(0);
    let add = || *lock.lock() += 1;
    let seen = *lock.lock();
    if seen == 0 {
        add();
    }
}

/// A wait for a signal gives its mutex back; the notifier takes it.
pub fn wait_gives_back() {
    let ready = Arc::new((StdMutex::new(false), Condvar::new()));
    let notifier = ready.clone();
    party(move || {
        let held = ready.0.lock().unwrap();
        reach(1);
        drop(ready.1.wait_while(held, |ready| !*ready).unwrap());
    });
    party(move || {
        until(1);
        *notifier.0.lock().unwrap() = true;
        notifier.1.notify_one();
    });
}

/// Two wait at a barrier for a third one, which is still at work.
pub fn late_at_barrier() {
    let round = Arc::new(Barrier::new(3));
    for _ in 0..2 {
        let round = round.clone();
        party(move || {
            round.wait();
        });
    }
    party(move || {
        std::thread::park();
        round.wait();
    });
}

/// Workers wait for jobs that may still come: whoever sends them lives.
pub fn idle_workers() {
    let (jobs, queue) = bounded::<u32>(1);
    for _ in 0..3 {
        let queue = queue.clone();
        party(move || queue.iter().for_each(drop));
    }
    jobs.send(1).unwrap();
    keep(jobs);
}

/// The same, each with an eye on the stop as well; one of them knows only now what it listens to.
pub fn idle_selects() {
    let (jobs, queue) = bounded::<u32>(1);
    let (stop, stopped) = bounded::<()>(0);
    let (more, stops) = (queue.clone(), stopped.clone());
    party(move || {
        loop {
            select! {
                recv(queue) -> job => assert!(job.is_ok()),
                recv(stopped) -> _ => return,
            }
        }
    });
    party(move || {
        let ends = [&more];
        loop {
            let mut select = Select::new();
            for end in ends {
                select.recv(end);
            }
            select.recv(&stops);
            let selected = select.select();
            match ends.get(selected.index()) {
                Some(end) => assert!(selected.recv(end).is_ok()),
                None => return assert!(selected.recv(&stops).is_err()),
            }
        }
    });
    (0..8).for_each(|job| jobs.send(job).unwrap());
    keep((jobs, stop));
}

/// A job comes before its worker looks, which has it done and waits for more: the signal was needless, not lost.
pub fn queue_after_signal() {
    let queue = Arc::new((StdMutex::new(vec![1]), Condvar::new()));
    queue.1.notify_one();
    let of_worker = queue.clone();
    party(move || {
        let mut jobs = of_worker.0.lock().unwrap();
        loop {
            jobs = of_worker.1.wait_while(jobs, |jobs| jobs.is_empty()).unwrap();
            jobs.clear();
            reach(1);
        }
    });
    party(move || {
        until(1);
        std::thread::park();
        queue.1.notify_one();
    });
}
