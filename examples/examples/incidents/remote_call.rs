//! A ledger stays locked while the bank is asked over HTTP: all others wait as long as the network takes. Fixed: the bank is
//! asked first, and the ledger is locked while a line is written.
use axum::{Router, routing::get};
use lockprof::parking_lot::Mutex;
use lockprof::thread;
use lockprof::tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::oneshot,
    task::{self, LocalSet},
    time,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Workers, each with a runtime of its own and one request at a time.
const WORKERS: usize = 4;
const REQUESTS: u64 = 10;
/// How long the bank takes.
const BANK: Duration = Duration::from_millis(10);

pub fn play(fixed: bool) {
    let (told, address) = std::sync::mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let bank = std::thread::spawn(move || bank(&told, stopped));
    let address = address.recv().expect("the bank listens");
    let ledger = Arc::new(Mutex::new(vec![])); // planted: ledger
    let workers = [(); WORKERS].map(|()| {
        let ledger = ledger.clone();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            let pay_all =
                async { task::spawn_local(pay(fixed, ledger, address)).await.expect("it does not panic") };
            LocalSet::new().block_on(&runtime, pay_all);
        })
    });
    for worker in workers {
        worker.join().expect("no worker panics");
    }
    drop(stop);
    bank.join().expect("the bank does not panic");
    println!("remote_call: {} lines in the ledger", ledger.lock().len());
}

#[allow(clippy::await_holding_lock)] // That is the fault.
async fn pay(fixed: bool, ledger: Arc<Mutex<Vec<u64>>>, address: SocketAddr) {
    for order in 0..REQUESTS {
        if fixed {
            let cents = ask(address, order).await;
            ledger.lock().push(cents);
        } else {
            let mut ledger = ledger.lock(); // planted: lock-across-call
            let cents = ask(address, order).await;
            ledger.push(cents);
        }
    }
}

/// What the bank says to an order.
async fn ask(address: SocketAddr, order: u64) -> u64 {
    let mut stream = TcpStream::connect(address).await.expect("the bank answers");
    let request = format!("GET /{order} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it can be asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer.lines().last().and_then(|cents| cents.parse().ok()).expect("with a number")
}

/// The bank: in another place.
fn bank(told: &std::sync::mpsc::Sender<SocketAddr>, stopped: oneshot::Receiver<()>) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        told.send(listener.local_addr().expect("it has one")).expect("somebody waits for it");
        let answer = async || {
            time::sleep(BANK).await;
            "1995"
        };
        let bank = axum::serve(listener, Router::new().route("/{order}", get(answer)));
        let _ = bank.with_graceful_shutdown(async { drop(stopped.await) }).await;
    });
}
