//! A task that computes and a task that waits: one flame graph shows both.
//!
//! The summer works out checksums with the ledger locked, and the writer waits for the ledger.
use lockprof::sync::Mutex;
use lockprof::tokio;
use std::hint::black_box;
use std::sync::Arc;
use tokio::sync::oneshot;

/// How often the summer goes over the ledger: long enough for samples of its time.
const ROUNDS: usize = 20_000;

#[inline(never)]
fn checksum(ledger: &[u64]) -> u64 {
    let mut sum = 0xCBF2_9CE4_8422_2325;
    for _ in 0..ROUNDS {
        for entry in ledger {
            sum = black_box((sum ^ entry).wrapping_mul(0x100_0000_01B3));
        }
    }
    sum
}

async fn sum_up(ledger: Arc<Mutex<Vec<u64>>>, begin: oneshot::Sender<()>) -> u64 {
    let ledger = ledger.lock().expect("nobody panics");
    begin.send(()).expect("main waits for it");
    checksum(&ledger)
}

async fn write(ledger: Arc<Mutex<Vec<u64>>>) {
    ledger.lock().expect("nobody panics").push(8); // planted: waits
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let ledger = Arc::new(Mutex::new(vec![7; 4096]));
        let (begin, began) = oneshot::channel();
        let summer = tokio::spawn(sum_up(ledger.clone(), begin)); // planted: summer
        // Only then, and from here: a task that the summer woke itself could stand behind it on its worker and never wait.
        began.await.expect("the summer begins");
        let writer = tokio::spawn(write(ledger));
        summer.await.expect("the summer ends");
        writer.await.expect("the writer ends");
    });
}
