//! A payment keeps its connection until the provider's callback is taken, through a channel with room for one. The reader
//! of callbacks stops at an upstream error, but its end of the channel stays in a registry: whoever sends waits for ever, and
//! with each goes a connection. Fixed: more room, an error path that closes the channel, and a send that sees
//! that, and has its time.
use lockprof::parking_lot::Mutex;
use lockprof::tokio::{
    runtime::Builder,
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, Receiver, Sender},
    },
    task::JoinSet,
    time,
};
use std::sync::Arc;
use std::time::Duration;

/// Connections to the provider.
const POOL: usize = 8;
const PAYMENTS: u64 = 20;
/// Callbacks that are read before the upstream fails.
const READ: u64 = 3;
/// How long a payment waits for a connection.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long a callback waits to be taken.
const CALLBACK_PATIENCE: Duration = Duration::from_millis(200);

/// Receivers that are kept, for a reader that starts again.
type Registry = Mutex<Option<Receiver<u64>>>;

/// Reads callbacks until the upstream fails.
async fn read(callbacks: &mut Receiver<u64>) {
    let mut read = 0;
    while read < READ && callbacks.recv().await.is_some() {
        read += 1;
    }
}

pub fn play(fixed: bool) {
    let registry = Arc::new(Registry::default());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    let paid = runtime.block_on(async {
        let pool = Arc::new(Semaphore::new(POOL));
        let (callbacks, mut inbox) = if fixed {
            mpsc::channel(PAYMENTS as usize)
        } else {
            mpsc::channel(1) // planted: callback-channel
        };
        let kept = registry.clone();
        let reader = lockprof::tokio::spawn(async move {
            read(&mut inbox).await;
            if fixed {
                // The error path closes: nobody sends any more, and what was sent is taken, for the books of tomorrow.
                inbox.close();
                while inbox.recv().await.is_some() {}
            } else {
                *kept.lock() = Some(inbox);
            }
        });
        let mut payments = JoinSet::new();
        for payment in 0..PAYMENTS {
            payments.spawn(pay(fixed, payment, pool.clone(), callbacks.clone()));
        }
        drop(callbacks);
        let mut paid = 0;
        while let Some(ended) = payments.join_next().await {
            paid += u64::from(ended.expect("no payment panics"));
        }
        reader.await.expect("the reader does not panic");
        paid
    });
    println!("payment_avalanche: {paid} of {PAYMENTS} payments had a connection");
}

/// Pays with a connection of the pool; whether there was one in time.
async fn pay(fixed: bool, payment: u64, pool: Arc<Semaphore>, callbacks: Sender<u64>) -> bool {
    let connection = time::timeout(PATIENCE, pool.acquire_owned()).await; // planted: drained-pool
    let Ok(connection) = connection else { return false };
    let connection = connection.expect("the pool is never closed");
    if fixed {
        hand_over(payment, callbacks, connection).await;
    } else {
        lockprof::tokio::spawn(wait_for_ever(payment, callbacks, connection)); // planted: callback-task
    }
    true
}

async fn wait_for_ever(payment: u64, callbacks: Sender<u64>, connection: OwnedSemaphorePermit) {
    // The reader reads until it is gone, and then the send fails: so it was thought.
    let _ = callbacks.send(payment).await; // planted: blocked-callback
    drop(connection);
}

async fn hand_over(payment: u64, callbacks: Sender<u64>, connection: OwnedSemaphorePermit) {
    lockprof::tokio::select! {
        biased;
        () = callbacks.closed() => println!("payment {payment}: its callback is for the next reader"),
        sent = callbacks.send(payment) => {
            if sent.is_err() {
                println!("payment {payment}: its callback is for the next reader");
            }
        }
        () = time::sleep(CALLBACK_PATIENCE) => println!("payment {payment}: its callback was not taken in time"),
    }
    drop(connection);
}
