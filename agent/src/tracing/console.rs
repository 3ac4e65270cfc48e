//! tokio-console beside the recording.
use crate::error::{Error, Kind};
use crate::tracing::layer;
use console_subscriber::ConsoleLayer;
use std::net::{TcpListener, ToSocketAddrs};
use std::panic::catch_unwind;
use tracing_core::{Dispatch, Level, Metadata, dispatcher};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;

/// Where the console's own variable says nothing else.
const ADDRESS: &str = "127.0.0.1:6669";

/// Sets the global subscriber of `tracing`: the layer of tokio-console, which can attach from now on, and [`layer`] beside it,
/// for spans of level info and up. A program with layers of its own puts `console_subscriber::spawn()` and
/// [`lockprof::layer()`](layer) among them instead.
///
/// The console's variables apply, as `TOKIO_CONSOLE_BIND`. For the call in `main`, before there are tasks:
///
/// ```
/// if let Err(error) = lockprof::console() {
///     eprintln!("{error}"); // the program runs on, without
/// }
/// ```
///
/// # Errors
/// Tokio was built without `--cfg tokio_unstable` ([`Error::needs_tokio_unstable`]); there is a global subscriber already; or the
/// console's address is taken, or one of its variables malformed.
pub fn console() -> Result<(), Error> {
    if cfg!(not(tokio_unstable)) {
        return Err(Error(Kind::Unstable));
    }
    if dispatcher::has_been_set() {
        return Err(Error(Kind::Subscriber));
    }
    is_free(&std::env::var("TOKIO_CONSOLE_BIND").unwrap_or(ADDRESS.into()))?;
    // It panics where a variable is malformed.
    let console = catch_unwind(|| ConsoleLayer::builder().with_default_env().spawn())
        .map_err(|_| Error(Kind::Console("a variable TOKIO_CONSOLE_… is malformed".into())))?;
    let subscriber =
        tracing_subscriber::registry().with(console).with(layer().with_filter(filter_fn(is_wanted)));
    dispatcher::set_global_default(Dispatch::new(subscriber)).map_err(|_| Error(Kind::Subscriber))
}

/// Whether a server can be bound to this address: the console's own thread would panic.
fn is_free(address: &str) -> Result<(), Error> {
    let unbound = |error| Error(Kind::Console(format!("{address}: {error}")));
    let first = address.to_socket_addrs().map_err(unbound)?.next();
    let first = first.ok_or_else(|| Error(Kind::Console(format!("{address} is no address"))))?;
    TcpListener::bind(first).map(drop).map_err(unbound)
}

fn is_wanted(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || super::is_of_runtime(metadata)
}
