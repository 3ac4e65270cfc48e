//! Requests of a shop, each with a trace id: the report names the request that made the others wait, and those that waited.
//!
//! A stocktaking renders its page with the prices locked, and every checkout meanwhile waits for them. With `--fixed` it
//! copies them first.
use lockprof::tokio;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tracing::{Instrument, info_span};
use tracing_subscriber::layer::SubscriberExt;

type Prices = Arc<Mutex<Vec<u32>>>;

/// Customers that come while the stock is taken.
const CUSTOMERS: usize = 5;

async fn stocktaking(prices: Prices, began: Sender<()>, fixed: bool) {
    let mut locked = Some(prices.lock().await); // planted: holds
    let copy: Vec<u32> = locked.iter().flat_map(|prices| prices.iter().copied()).collect();
    if fixed {
        locked = None;
    }
    began.send(()).await.expect("the shop is open");
    render(&copy).await;
    drop(locked);
}

async fn render(prices: &[u32]) {
    tokio::time::sleep(Duration::from_millis(20 * prices.len() as u64)).await;
}

async fn checkout(prices: Prices) {
    let price = async { prices.lock().await[0] }; // planted: waits
    price.instrument(info_span!("price")).await;
}

async fn shop(mut began: Receiver<()>, prices: Prices) {
    began.recv().await.expect("the stock is taken");
    let customers: Vec<_> = (1..=CUSTOMERS)
        .map(|number| {
            let request = info_span!("checkout", trace_id = %format_args!("order-{number}"));
            tokio::spawn(checkout(prices.clone()).instrument(request))
        })
        .collect();
    for customer in customers {
        customer.await.expect("a checkout does not panic");
    }
}

fn main() {
    let fixed = std::env::args().any(|argument| argument == "--fixed");
    let subscriber = tracing_subscriber::registry().with(lockprof::layer());
    tracing::subscriber::set_global_default(subscriber).expect("nobody else has set one");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let prices = Prices::new(Mutex::new(vec![199, 299])); // planted: prices
        let (begin, began) = channel(1);
        let taking = stocktaking(prices.clone(), begin, fixed);
        let taking = tokio::spawn(taking.instrument(info_span!("stocktaking", trace_id = "night-shift")));
        shop(began, prices).await;
        taking.await.expect("stocktaking does not panic");
    });
}
