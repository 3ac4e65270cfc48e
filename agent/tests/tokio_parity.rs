//! tokio's wrappers behave as the originals: auto traits, constructors, fairness, budget and cancellation.
#![cfg(all(feature = "record", feature = "tokio"))]
use lockprof::tokio;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::{Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::task::coop;

/// In constants and statics, as the originals.
static MUTEX: Mutex<u8> = Mutex::const_new(1);
static LOCK: RwLock<[u8; 2]> = RwLock::const_with_max_readers([1, 2], 8);
static SEMAPHORE: Semaphore = Semaphore::const_new(2);
static NOTIFY: Notify = Notify::const_new();
static CELL: OnceCell<u8> = OnceCell::const_new_with(7);

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Leaves the task that polls no budget.
async fn spend_budget() {
    poll_fn(|cx| {
        while coop::has_budget_remaining() {
            let Poll::Ready(unit) = coop::poll_proceed(cx) else { break };
            unit.made_progress();
        }
        Poll::Ready(())
    })
    .await;
}

#[test]
fn auto_traits_are_the_originals() {
    fn send<T: Send>(_: &T) {}
    fn sync<T: Sync>(_: &T) {}
    let mutex = Arc::new(Mutex::new(Cell::new(1)));
    let (sender, mut receiver) = mpsc::channel::<Cell<u8>>(1);
    // None of these is `Sync` by its content; all may be sent.
    let (lock, owned, send_one) = (mutex.lock(), mutex.clone().lock_owned(), sender.send(Cell::new(1)));
    send(&lock);
    sync(&lock);
    send(&owned);
    sync(&owned);
    send(&send_one);
    drop((lock, owned, send_one));
    let recv = receiver.recv();
    send(&recv);
    sync(&recv);
    let (_sender, mut news) = broadcast::channel::<Cell<u8>>(1);
    let recv = news.recv();
    send(&recv);
    sync(&recv);
    let guard = mutex.try_lock().unwrap();
    send(&guard);
    let (one, _) = oneshot::channel::<Cell<u8>>();
    send(&one);
    sync(&one);
    let (watched, _) = watch::channel(1);
    send(&watched);
    sync(&watched);
}

#[test]
fn statics_and_unsized_values_work() {
    assert_eq!(*MUTEX.try_lock().unwrap(), 1);
    assert_eq!(LOCK.try_read().unwrap()[1], 2);
    assert_eq!(SEMAPHORE.available_permits(), 2);
    NOTIFY.notify_one();
    block_on(NOTIFY.notified());
    assert_eq!(CELL.get(), Some(&7));
    let unsized_value: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    assert_eq!(block_on(unsized_value.lock_owned()).len(), 3);
    assert_eq!(format!("{MUTEX:?} {:?}", RwLock::new(1)), "Mutex { data: 1 } RwLock { data: 1 }");
}

#[test]
fn who_comes_first_is_served_first() {
    block_on(async {
        let mutex = Mutex::new(());
        let guard = mutex.lock().await;
        let (mut first, mut second) = (pin!(mutex.lock()), pin!(mutex.lock()));
        assert!(poll_once(first.as_mut()).is_pending() && poll_once(second.as_mut()).is_pending());
        drop(guard);
        // The lock is the first one's, though it has not seen it.
        assert!(mutex.try_lock().is_err() && poll_once(second.as_mut()).is_pending());
        drop(poll_once(first.as_mut()));
        assert!(poll_once(second.as_mut()).is_ready());
    });
}

#[test]
fn without_budget_a_permit_is_taken_and_not_yet_given() {
    block_on(async {
        let semaphore = Arc::new(Semaphore::new(2));
        spend_budget().await;
        let (mut plain, mut owned) =
            (Box::pin(semaphore.acquire()), Box::pin(semaphore.clone().acquire_owned()));
        assert!(poll_once(plain.as_mut()).is_pending() && poll_once(owned.as_mut()).is_pending());
        assert_eq!(semaphore.available_permits(), 0);
        drop((plain, owned));
        assert_eq!(semaphore.available_permits(), 2);

        // A message is not taken without budget: it would be lost with the future.
        let (sender, mut receiver) = broadcast::channel(1);
        sender.send(1).unwrap();
        assert!(poll_once(pin!(receiver.recv())).is_pending());
        tokio::task::yield_now().await;
        assert_eq!(receiver.recv().await, Ok(1));
    });
}

#[test]
fn what_is_cancelled_is_not_done() {
    block_on(async {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.send(Arc::new(1)).await.unwrap();
        let value = Arc::new(2);
        let mut send = Box::pin(sender.send(value.clone()));
        assert!(poll_once(send.as_mut()).is_pending());
        drop(send);
        assert_eq!(Arc::strong_count(&value), 1);
        assert_eq!(receiver.recv().await.as_deref(), Some(&1));
        assert!(receiver.try_recv().is_err());
        assert_eq!(sender.capacity(), 1);
    });
}

#[test]
#[should_panic = "`async fn` resumed after completion"]
fn a_future_that_is_over_is_not_polled() {
    let mutex = Mutex::new(());
    let mut lock = pin!(mutex.lock());
    drop(poll_once(lock.as_mut()));
    drop(poll_once(lock.as_mut()));
}
