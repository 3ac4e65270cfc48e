//! Two schedulers send orders out, each at most once in thirty seconds: they look whether it was sent, ask the stock, and
//! write that it is. Between the look and the write comes the other. Fixed: who sends is who wrote it first.
use lockprof::map::{Refused, StateMap};
use lockprof::tokio::{runtime::Builder, task};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const ORDERS: u64 = 200;
/// An order may be sent again after so long.
const WINDOW: Duration = Duration::from_secs(30);

/// What is known of an order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Sent(Instant),
}

impl Order {
    fn is_recent(self) -> bool {
        let Order::Sent(at) = self;
        at.elapsed() < WINDOW
    }
}

struct Shop {
    orders: StateMap<u64, Order>,
    sent: AtomicU64,
}

impl Shop {
    /// Sends what nobody has sent, as it thinks.
    async fn check_then_send(&self, order: u64) {
        if self.orders.get(&order).is_some_and(Order::is_recent) {
            return;
        }
        ask_the_stock().await;
        self.orders.set(order, Order::Sent(Instant::now())); // planted: sent-twice
        self.sent.fetch_add(1, Relaxed);
    }

    /// Writes first, and sends what it was the one to write.
    async fn claim_then_send(&self, order: u64) {
        ask_the_stock().await;
        let claim = Order::Sent(Instant::now());
        let won = match self.orders.insert(order, claim) {
            Err(Refused::Other(sent)) if !sent.is_recent() => {
                self.orders.compare_and_set(&order, &sent, claim)
            }
            other => other,
        };
        if won.is_ok() {
            self.sent.fetch_add(1, Relaxed);
        }
    }
}

/// A remote call: others run meanwhile.
async fn ask_the_stock() {
    task::yield_now().await;
}

pub fn play(fixed: bool) {
    let orders = StateMap::new(); // planted: orders
    let shop = Arc::new(Shop { orders, sent: AtomicU64::new(0) });
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let schedulers = [(); 2].map(|()| {
            let shop = shop.clone();
            lockprof::tokio::spawn(async move {
                for order in 0..ORDERS {
                    if fixed {
                        shop.claim_then_send(order).await;
                    } else {
                        shop.check_then_send(order).await;
                    }
                }
            })
        });
        for scheduler in schedulers {
            scheduler.await.expect("no scheduler panics");
        }
    });
    println!("order_scheduler: {} of {ORDERS} orders were sent", shop.sent.load(Relaxed));
}
