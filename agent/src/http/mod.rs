//! Pages about the process, for tools that ask over HTTP: profiles in the shapes of Go's `net/http/pprof`, metrics, and
//! what is stuck.
//!
//! Everything here happens on threads of its own, on a runtime of its own: a program that is stuck still answers, and one
//! that runs does not notice. What is asked at once is limited, and so are connections and the time that each may take.
//! `answers` knows the paths, `profiles` and `goroutines` what stands behind them, `names` the names of functions.
mod answers;
mod go;
mod goroutines;
mod names;
mod profiles;

use crate::error::{Error, Kind};
use crate::platform;
use ::tokio::net::TcpListener;
use ::tokio::runtime::Builder;
use ::tokio::sync::{OwnedSemaphorePermit, Semaphore};
use ::tokio::task::{JoinError, spawn_blocking};
use ::tokio::time::{sleep, timeout};
use answers::{Answer, Asked};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use lockprof_engine::findings::Context;
use lockprof_engine::pprof::{self, About};
use lockprof_engine::profile::Sample;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// Requests that are answered at once, each on a thread while it is: beyond, the answer is 503.
const REQUESTS: usize = 8;
/// Connections that are open at once: beyond, they are closed.
const CONNECTIONS: usize = 64;
/// A client sends its request in this time.
const HEADER: Duration = Duration::from_secs(10);
/// A connection ends after this time: the longest that can be asked for, and time to send it.
const CONNECTION: Duration = Duration::from_secs(answers::MAX_SECONDS + 60);
/// Until more connections are accepted where the system has no room for one.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves pages about this process at a loopback address, as "127.0.0.1:6061", to the end of the process; returns the
/// address, whose port the system has chosen where 0 was asked for.
///
/// `/debug/pprof/` lists the profiles that `go tool pprof http://127.0.0.1:6061/debug/pprof/block` and continuous profilers
/// read, `/metrics` is for Prometheus, `/stuck` tells what is stuck as JSON. They are answered on threads of their own, at
/// most 8 at once, while a recording runs, and only to who calls this machine by its address or as localhost.
///
/// # Errors
/// The address is none, is in use, or may be reached by others: for that there is [`serve_beyond_loopback`]. There is no
/// thread to be had.
pub fn serve(address: impl ToSocketAddrs) -> Result<SocketAddr, Error> {
    let addresses = resolve(address)?;
    match addresses.iter().find(|address| !address.ip().is_loopback()) {
        Some(address) => Err(Error(Kind::NotLoopback(*address))),
        None => start(&addresses, Reach::Loopback),
    }
}

/// The same as [`serve`], at any address. Whoever reaches it learns the names of the program's functions and files, and
/// makes it work: nobody is asked who he is.
///
/// # Errors
/// As those of [`serve`], for any address.
pub fn serve_beyond_loopback(address: impl ToSocketAddrs) -> Result<SocketAddr, Error> {
    start(&resolve(address)?, Reach::Anybody)
}

fn resolve(address: impl ToSocketAddrs) -> Result<Vec<SocketAddr>, Error> {
    let addresses = address.to_socket_addrs();
    addresses.map(Iterator::collect).map_err(|error| Error(Kind::Serve("that address".into(), error)))
}

fn start(addresses: &[SocketAddr], reach: Reach) -> Result<SocketAddr, Error> {
    let failed = |error| {
        let told: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        Error(Kind::Serve(told.join(", "), error))
    };
    let listener = std::net::TcpListener::bind(addresses).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    // All of its threads inherit that they take no signals.
    let runtime = platform::without_signals(|| {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(REQUESTS)
            .thread_name("lockprof-http")
            .build()?;
        let run = move || {
            // Who cannot listen in the end serves nothing; the program goes on.
            let _: io::Result<()> = runtime.block_on(accept(listener, reach));
        };
        std::thread::Builder::new().name("lockprof-http".into()).spawn(run)
    });
    runtime.map_err(failed)?;
    Ok(address)
}

async fn accept(listener: std::net::TcpListener, reach: Reach) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    platform::note_listener(&listener);
    let (requests, connections) = (Arc::new(Semaphore::new(REQUESTS)), Arc::new(Semaphore::new(CONNECTIONS)));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let Ok(open) = connections.clone().try_acquire_owned() else { continue };
        let requests = requests.clone();
        ::tokio::spawn(async move {
            let service = service_fn(move |request| respond(request, requests.clone(), reach));
            let mut server = http1::Builder::new();
            server.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(HEADER);
            // A client that goes away, or is too slow, is nobody's trouble.
            drop(timeout(CONNECTION, server.serve_connection(TokioIo::new(stream), service)).await);
            drop(open);
        });
    }
}

/// Whom an address is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Loopback,
    Anybody,
}

/// Whether the client has called this machine by an address, or by the name that is always its own. A page of somebody else's,
/// open in a browser here, calls it by that one's name: by "DNS rebinding" it could read what is only for this machine.
fn is_by_own_name(request: &Request<Incoming>) -> bool {
    let Some(host) = request.headers().get(HOST) else { return true };
    let Ok(Ok(host)) = host.to_str().map(str::parse::<Authority>) else { return false };
    let host = host.host();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

async fn respond(
    request: Request<Incoming>,
    requests: Arc<Semaphore>,
    reach: Reach,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = match (request.method(), requests.try_acquire_owned()) {
        _ if reach == Reach::Loopback && !is_by_own_name(&request) => Answer::say(
            StatusCode::FORBIDDEN,
            "these pages are asked for by this machine's address, or as localhost",
        ),
        (&Method::GET | &Method::HEAD, Ok(permit)) => {
            let uri = request.uri();
            let accepts = request.headers().get(ACCEPT).and_then(|accepts| accepts.to_str().ok());
            let asked = Asked::new(uri.path(), uri.query().unwrap_or_default(), accepts.unwrap_or_default());
            // Whatever may be wrong in here is no reason for the program to end.
            answered(asked, permit).await.unwrap_or_else(|_| {
                Answer::say(StatusCode::INTERNAL_SERVER_ERROR, "this answer could not be made")
            })
        }
        (&Method::GET | &Method::HEAD, Err(_)) => Answer::say(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many requests at once: ask again a little later",
        ),
        _ => Answer::say(StatusCode::METHOD_NOT_ALLOWED, "these pages are only read"),
    };
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(answer.kind));
    match answer.status {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, hyper::header::HeaderValue::from_static("1"));
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        }
        _ => {}
    }
    Ok(response)
}

/// What lasts is waited for by no thread: where the client goes away meanwhile, this is dropped, and its permit is another's.
async fn answered(asked: Asked, permit: OwnedSemaphorePermit) -> Result<Answer, JoinError> {
    let begin = move || (answers::begin(&asked), asked, permit);
    let (begun, asked, permit) = spawn_blocking(begin).await?;
    let before = match begun {
        Some((before, time)) => {
            sleep(time).await;
            Some(before)
        }
        None => None,
    };
    let answer = move || {
        let answer = answers::answer(&asked, before);
        drop(permit);
        answer
    };
    spawn_blocking(answer).await
}

/// A profile's bytes.
fn encoded(context: &Context<'_>, about: About, samples: &[Sample]) -> Vec<u8> {
    let mut bytes = vec![];
    // Writing to memory does not fail.
    let _ = pprof::write(std::slice::from_ref(context), about, samples, &mut bytes);
    bytes
}
