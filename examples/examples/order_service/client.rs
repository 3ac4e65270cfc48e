//! The service's own customers: connections that are kept open, each with one request after the other.

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use lockprof::tokio::{self, net::TcpStream, task::JoinSet};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Of ten requests, how many place an order.
const ORDERS_OF_TEN: usize = 3;

/// How much is to be asked.
#[derive(Clone, Copy)]
pub struct Load {
    requests: usize,
    end: Option<Instant>,
}

impl Load {
    /// So many requests.
    pub fn of(requests: usize) -> Self {
        Self { requests, end: None }
    }

    /// As many requests as it takes until then.
    pub fn until(end: Instant) -> Self {
        Self { requests: usize::MAX, end: Some(end) }
    }

    /// How many orders will be among the requests; a guess where only the time is known.
    pub fn orders(self) -> usize {
        if self.end.is_some() { 400 } else { self.requests * ORDERS_OF_TEN / 10 }
    }
}

/// What came of it.
#[derive(Default)]
pub struct Served {
    failed: usize,
    latencies: Vec<Duration>,
    elapsed: Duration,
}

impl Served {
    /// The latency that this share of the requests did not exceed.
    fn percentile(&self, share: f64) -> Duration {
        let rank = (self.latencies.len() as f64 * share).ceil() as usize;
        self.latencies.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = self.latencies.len();
        let rate = requests as f64 / self.elapsed.as_secs_f64();
        let ms = |latency: Duration| latency.as_secs_f64() * 1e3;
        write!(f, "{requests} requests, {} failed, ", self.failed)?;
        write!(f, "p50 {:.1} ms, p99 {:.1} ms, ", ms(self.percentile(0.50)), ms(self.percentile(0.99)))?;
        write!(f, "{rate:.0} requests/s, {:.1} s", self.elapsed.as_secs_f64())
    }
}

/// Asks the service for what the load says, with so many connections.
pub async fn drive(address: SocketAddr, load: Load, connections: usize) -> Served {
    let begin = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let mut customers = JoinSet::new();
    for user in 0..connections {
        customers.spawn(customer(address, user, load, next.clone()));
    }
    let mut served = Served::default();
    while let Some(customer) = customers.join_next().await {
        let (failed, latencies) =
            customer.expect("no customer panics").expect("the service is on this machine");
        served.failed += failed;
        served.latencies.extend(latencies);
    }
    served.elapsed = begin.elapsed();
    served.latencies.sort_unstable();
    served
}

/// One customer: logs in, and then asks until enough was asked by all. How many requests failed, and all latencies.
async fn customer(
    address: SocketAddr,
    user: usize,
    load: Load,
    next: Arc<AtomicUsize>,
) -> io::Result<(usize, Vec<Duration>)> {
    let (mut requests, connection) =
        http1::handshake(TokioIo::new(TcpStream::connect(address).await?)).await.map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let mut failed = 0;
    let mut latencies = Vec::new();
    let mut session = String::new();
    loop {
        let number = next.fetch_add(1, Relaxed);
        if number >= load.requests || load.end.is_some_and(|end| Instant::now() >= end) {
            break;
        }
        let login = session.is_empty();
        let (method, path) = match number % 10 {
            _ if login => (Method::POST, format!("/users/{user}/sessions")),
            0..ORDERS_OF_TEN => (Method::POST, format!("/sessions/{session}/orders/{}", 100 + number % 900)),
            3 => (Method::GET, "/orders".to_owned()),
            _ => (Method::GET, format!("/sessions/{session}")),
        };
        let begin = Instant::now();
        let (status, body) = ask(&mut requests, method, path).await.map_err(io::Error::other)?;
        latencies.push(begin.elapsed());
        if !status.is_success() {
            failed += 1;
        } else if login {
            session = body;
        }
    }
    // The connection ends with the last who could ask through it.
    drop(requests);
    connection.await.map_err(io::Error::other)?.map_err(io::Error::other)?;
    Ok((failed, latencies))
}

async fn ask(
    requests: &mut SendRequest<Empty<Bytes>>,
    method: Method,
    path: String,
) -> hyper::Result<(StatusCode, String)> {
    requests.ready().await?;
    let request = Request::builder().method(method).uri(path).header("host", "localhost").body(Empty::new());
    let answer = requests.send_request(request.expect("the path is a path")).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
