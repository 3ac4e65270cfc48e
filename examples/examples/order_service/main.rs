//! An order service with everything that such a service has: sessions, an order queue with workers, payments, and a
//! configuration that is reloaded while it runs. It serves its own client's requests and then shuts down.
//!
//! With `--faulty`, the default, it has four faults of the kind that a review does not see; the lines are marked with
//! `planted:`. With `--fixed` it has none of them. Nothing in the program speaks of recording: the imports say
//! `lockprof::` where they said `parking_lot`, `std` or `tokio`, and `lockprof run` does the rest.

mod client;
mod config;
mod http;
mod orders;
mod payment;
mod sessions;

use clap::Parser;
use lockprof::tokio::{self, net::TcpListener, sync::oneshot};
use lockprof_examples::Variant;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An order service that serves its own requests and then shuts down
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    variant: Variant,

    /// Requests to serve
    #[arg(long, default_value_t = 2_000)]
    requests: usize,

    /// Client connections that are open at once
    #[arg(long, default_value_t = 32)]
    concurrency: usize,

    /// Serve for this long instead of counting requests, in seconds
    #[arg(long, value_name = "S", conflicts_with = "requests")]
    duration: Option<f64>,
}

/// The parts of the service, as its request handlers see them.
struct Service {
    sessions: Arc<dyn sessions::Sessions>,
    orders: orders::Orders,
}

/// Writes a line into the service's log, which is standard error. A log that cannot be written stops no order.
fn log(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "order_service: {line}");
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    let sessions = sessions::open(options.variant.is_fixed());
    let sweeper = sessions::Sweeper::start(sessions.clone())?;
    let served = runtime.block_on(run(&options, sessions));
    drop(runtime);
    sweeper.stop();
    writeln!(io::stdout(), "order_service: {}", served?)
}

/// Starts the service, drives it, and stops it again, part by part, in the order in which they depend on each other.
async fn run(options: &Options, sessions: Arc<dyn sessions::Sessions>) -> io::Result<client::Served> {
    let fixed = options.variant.is_fixed();
    let load = match options.duration {
        Some(seconds) => client::Load::until(Instant::now() + Duration::from_secs_f64(seconds)),
        None => client::Load::of(options.requests),
    };

    let config = config::Config::start(fixed);
    let payments = payment::Payments::start(fixed, load.orders() * 3 / 5, config.store());
    let orders = orders::Orders::start(fixed, payments.clone());
    let service = Arc::new(Service { sessions, orders });

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    writeln!(io::stdout(), "order_service: listening on {address}, pid {}", std::process::id())?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn({
        let routes = http::routes(service.clone());
        async move {
            axum::serve(listener, routes)
                .with_graceful_shutdown(async move {
                    let _ = stopped.await;
                })
                .await
        }
    });

    let served = client::drive(address, load, options.concurrency).await;

    // A receiver that is gone has stopped already.
    let _ = stop.send(());
    server.await.expect("the server does not panic")?;
    config.stop().await;
    let service = Arc::into_inner(service).expect("the server and its handlers are gone");
    service.orders.stop().await;
    payments.stop().await;
    Ok(served)
}
