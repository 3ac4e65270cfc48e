//! Orders: a queue to each of the workers, and the ledger into which they enter what was ordered and paid.

use crate::payment::{Busy, Payments};
use crate::sessions::User;
use lockprof::tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinSet,
};
use std::sync::Arc;

const WORKERS: u64 = 4;
/// Orders that wait for one worker.
const ROOM: usize = 64;

/// An order, and where its customer waits for the answer.
struct Order {
    cents: u64,
    answer: oneshot::Sender<Result<u64, Busy>>,
}

/// What was ordered.
#[derive(Default)]
struct Ledger {
    orders: u64,
    paid_cents: u64,
}

impl Ledger {
    /// Enters an order and gives it its number.
    fn open(&mut self) -> u64 {
        self.orders += 1;
        self.orders
    }

    fn pay(&mut self, cents: u64) {
        self.paid_cents += cents;
    }
}

/// The order queue and its workers.
pub struct Orders {
    queues: Vec<mpsc::Sender<Order>>,
    ledger: Arc<Mutex<Ledger>>,
    workers: JoinSet<()>,
}

impl Orders {
    /// Starts the workers.
    pub fn start(fixed: bool, payments: Arc<Payments>) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger::default())); // planted: ledger
        let mut workers = JoinSet::new();
        let mut queues = Vec::new();
        for _ in 0..WORKERS {
            let (queue, mut orders) = mpsc::channel::<Order>(ROOM);
            let (ledger, payments) = (ledger.clone(), payments.clone());
            workers.spawn(async move {
                while let Some(order) = orders.recv().await {
                    let done = if fixed {
                        charge_then_enter(&ledger, &payments, order.cents).await
                    } else {
                        charge_and_enter(&ledger, &payments, order.cents).await
                    };
                    // A customer who has left needs no answer.
                    let _ = order.answer.send(done);
                }
            });
            queues.push(queue);
        }
        Self { queues, ledger, workers }
    }

    /// Places an order and waits until it is paid: the order's number. The orders of one user keep their order.
    ///
    /// # Errors
    /// The payment provider was busy.
    pub async fn place(&self, user: User, cents: u64) -> Result<u64, Busy> {
        let (answer, answered) = oneshot::channel();
        let queue = &self.queues[(user % WORKERS) as usize];
        queue.send(Order { cents, answer }).await.expect("the workers run for as long as there are queues");
        answered.await.expect("each order is answered")
    }

    /// How many orders there were, and what was paid for them, in cents.
    pub async fn total(&self) -> (u64, u64) {
        let ledger = self.ledger.lock().await; // planted: waits-for-the-ledger
        (ledger.orders, ledger.paid_cents)
    }

    /// Finishes the orders that are in the queues and stops the workers.
    pub async fn stop(mut self) {
        self.queues.clear();
        while let Some(worker) = self.workers.join_next().await {
            worker.expect("no worker panics");
        }
    }
}

/// Enters an order and charges for it, with the ledger locked all the while.
async fn charge_and_enter(ledger: &Mutex<Ledger>, payments: &Payments, cents: u64) -> Result<u64, Busy> {
    let mut ledger = ledger.lock().await; // planted: lock-across-payment
    let number = ledger.open();
    payments.charge(number, cents).await?;
    ledger.pay(cents);
    Ok(number)
}

/// The same with the ledger locked only while it is written.
async fn charge_then_enter(ledger: &Mutex<Ledger>, payments: &Payments, cents: u64) -> Result<u64, Busy> {
    let number = ledger.lock().await.open();
    payments.charge(number, cents).await?;
    ledger.lock().await.pay(cents);
    Ok(number)
}
