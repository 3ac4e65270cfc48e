//! Tasks that look like a kernel, and have no bug.
use crate::stage::{keep, reach, task, until_async};
use lockprof::tokio::sync::{
    Mutex, Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch,
};
use lockprof::tokio::{self, task::JoinSet, time::sleep};
use std::sync::Arc;
use std::time::Duration;

/// Longer than any wait that would be suspected.
const LONG: Duration = Duration::from_millis(600);

/// A task is idle in `recv`, one in `changed`, one in `notified`, when the program ends.
pub async fn idle_tasks() {
    let (jobs, mut queue) = mpsc::channel::<u32>(4);
    let (settings, mut changed) = watch::channel(0);
    let stop = Arc::new(Notify::new());
    let stopped = stop.clone();
    task(async move { while queue.recv().await.is_some() {} });
    task(async move { while changed.changed().await.is_ok() {} });
    task(async move { stopped.notified().await });
    jobs.send(1).await.unwrap();
    settings.send(1).unwrap();
    sleep(Duration::from_secs(60)).await;
    stop.notify_one();
}

/// A request is on its way to an actor that is at work.
pub async fn request_reply_async() {
    let (ask, mut asked) = mpsc::channel::<oneshot::Sender<u32>>(4);
    task(async move {
        while let Some(reply) = asked.recv().await {
            sleep(Duration::from_secs(60)).await;
            reply.send(7).unwrap();
        }
    });
    let (reply, replied) = oneshot::channel();
    ask.send(reply).await.unwrap();
    replied.await.unwrap();
}

/// Replies are awaited by number, and a reader of the line gives them out.
pub async fn pending_map() {
    let pending = Arc::new(std::sync::Mutex::new(vec![]));
    let of_reader = pending.clone();
    task(async move {
        sleep(Duration::from_secs(60)).await;
        let replies: Vec<oneshot::Sender<u32>> = std::mem::take(&mut *of_reader.lock().unwrap());
        replies.into_iter().for_each(|reply| reply.send(7).unwrap());
    });
    let (reply, replied) = oneshot::channel();
    pending.lock().unwrap().push(reply);
    replied.await.unwrap();
}

/// A guard is held across a long wait that ends: contention.
pub async fn long_hold() {
    let lock = Arc::new(Mutex::new(0));
    let other = lock.clone();
    task(async move {
        let mut guard = lock.lock().await;
        reach(1);
        sleep(LONG).await;
        *guard += 1;
    });
    task(async move {
        until_async(1).await;
        *other.lock().await += 1;
    });
}

/// Two tasks of one thread lock in turn.
pub async fn in_turn() {
    let lock = Arc::new(Mutex::new(0));
    for _ in 0..2 {
        let lock = lock.clone();
        task(async move {
            for _ in 0..20 {
                let mut guard = lock.lock().await;
                tokio::task::yield_now().await;
                *guard += 1;
            }
        });
    }
}

/// A queue is full, and its reader comes on slowly.
pub async fn back_pressure() {
    let (jobs, mut queue) = mpsc::channel(1);
    task(async move {
        while queue.recv().await.is_some() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    task(async move { while jobs.send(1).await.is_ok() {} });
}

/// Permits are forgotten on purpose, and added later.
pub async fn forget_and_add() {
    let slots = Arc::new(Semaphore::new(1));
    let adds = slots.clone();
    slots.acquire().await.unwrap().forget();
    task(async move { drop(slots.acquire().await.unwrap()) });
    task(async move {
        sleep(LONG).await;
        adds.add_permits(1);
    });
}

/// A guard is taken by one task and given back by another, which is at work.
pub async fn guard_travels() {
    let lock = Arc::new(Mutex::new(0));
    let (gives, mut given) = mpsc::channel::<OwnedMutexGuard<u32>>(1);
    let first = lock.clone();
    task(async move { drop(gives.send(first.lock_owned().await).await) });
    task(async move {
        let guard = given.recv().await.unwrap();
        reach(1);
        sleep(LONG).await;
        drop(guard);
    });
    task(async move {
        until_async(1).await;
        *lock.lock().await += 1;
    });
}

/// A task waits for the end of another that works on.
pub async fn join_of_work() {
    let work = tokio::spawn(async {
        loop {
            sleep(Duration::from_millis(20)).await;
        }
    });
    keep(0);
    let () = work.await.unwrap();
}

/// A loop takes a permit for each job, and the job takes the permit along; all are out, and the jobs are at work.
pub async fn permits_travel() {
    let slots = Arc::new(Semaphore::new(2));
    for _ in 0..3 {
        let slot = slots.clone().acquire_owned().await.unwrap();
        task(async move {
            sleep(Duration::from_secs(60)).await;
            drop(slot);
        });
    }
}

/// The end that was used goes to a task that is at work; who made it waits for the other side.
pub async fn end_travels() {
    let (news, mut hears) = mpsc::channel(1);
    news.send(1).await.unwrap();
    let hearer = tokio::spawn(async move { while hears.recv().await.is_some() {} });
    task(async move {
        sleep(Duration::from_secs(60)).await;
        news.send(2).await.unwrap();
    });
    hearer.await.unwrap();
}

/// A guard goes to a task that is at work; who took it waits for the lock.
pub async fn own_guard_travels() {
    let lock = Arc::new(Mutex::new(0));
    let guard = lock.clone().lock_owned().await;
    task(async move {
        sleep(Duration::from_secs(60)).await;
        drop(guard);
    });
    *lock.lock().await += 1;
}

/// A permit goes in a message to a task that is at work; who took it waits for the next who wants one.
pub async fn permit_in_message() {
    let permits = Arc::new(Semaphore::new(1));
    let (requests, mut requested) = mpsc::channel(2);
    task(async move {
        while let Some(permit) = requested.recv().await {
            sleep(Duration::from_secs(60)).await;
            drop::<OwnedSemaphorePermit>(permit);
        }
    });
    requests.send(permits.clone().acquire_owned().await.unwrap()).await.unwrap();
    let next = tokio::spawn(async move { drop(permits.acquire().await) });
    task(async move {
        next.await.unwrap();
        drop(requests);
    });
}

/// Who waits for an answer has left the sender for it under a lock, where whoever answers will find it: `main` one day.
pub async fn answer_on_shelf() {
    static ASKED: Mutex<Vec<oneshot::Sender<u32>>> = Mutex::const_new(vec![]);
    task(async {
        let (answer, answered) = oneshot::channel();
        ASKED.lock().await.push(answer);
        assert_eq!(answered.await, Ok(7));
    });
}

/// A thread that nobody records computes the answer that a task waits for.
pub async fn computed_elsewhere() {
    task(async {
        let (answer, answered) = oneshot::channel();
        std::thread::spawn(move || {
            std::thread::park();
            answer.send(7)
        });
        assert_eq!(answered.await, Ok(7));
    });
}

/// A set is waited for under a lock that its tasks do not need; one of them is at work.
pub async fn set_at_work() {
    let totals = Arc::new(Mutex::new(0));
    let of_other = totals.clone();
    task(async move {
        let _guard = totals.lock().await;
        let mut workers = JoinSet::new();
        workers.spawn(sleep(LONG));
        while workers.join_next().await.is_some() {}
    });
    task(async move { *of_other.lock().await += 1 });
}

/// Blocking jobs have one thread, and take turns there.
pub async fn jobs_in_turn() {
    task(async {
        let jobs = std::thread::spawn(|| {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.max_blocking_threads(1).build().unwrap();
            runtime.block_on(async {
                let first = tokio::task::spawn_blocking(|| std::thread::sleep(LONG));
                tokio::task::spawn_blocking(|| ()).await.unwrap();
                first.await.unwrap();
            });
        });
        while !jobs.is_finished() {
            sleep(LONG / 10).await;
        }
    });
}

/// Two actors know each other, and whoever else could tell them anything goes as the program ends.
pub async fn actors_left() {
    let ((to_one, of_one), (to_other, of_other)) = (mpsc::channel(1), mpsc::channel(1));
    for (mut inbox, peer) in [(of_one, to_other.clone()), (of_other, to_one.clone())] {
        tokio::spawn(async move {
            while let Some(left) = inbox.recv().await {
                if left > 0 {
                    peer.send(left - 1).await.unwrap();
                }
            }
        });
    }
    to_one.send(3).await.unwrap();
    sleep(LONG).await;
    drop((to_one, to_other));
}

/// The permits of a semaphore are messages: a worker forgets each, and waits for the next one when the program ends.
pub async fn permits_as_signals() {
    let signals = Arc::new(Semaphore::new(0));
    let (awaited, never) = (signals.clone(), Arc::new(Semaphore::new(0)));
    let unsaid = never.clone();
    task(async move {
        loop {
            awaited.acquire().await.unwrap().forget();
        }
    });
    task(async move { never.acquire().await.unwrap().forget() });
    task(async move {
        for _ in 0..3 {
            sleep(Duration::from_millis(50)).await;
            signals.add_permits(1);
        }
        sleep(Duration::from_secs(60)).await;
        signals.add_permits(1);
        unsaid.add_permits(1);
    });
}

/// Who waits for room waits for another sender, which has reserved it and is at work; the receiver waits for either.
pub async fn room_reserved() {
    let (sender, mut receiver) = mpsc::channel(1);
    let other = sender.clone();
    task(async move {
        let room = other.reserve().await.unwrap();
        reach(1);
        sleep(Duration::from_secs(60)).await;
        room.send(1);
    });
    task(async move {
        until_async(1).await;
        sender.send(2).await.unwrap();
    });
    task(async move { while receiver.recv().await.is_some() {} });
}
