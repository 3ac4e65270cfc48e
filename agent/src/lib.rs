//! Drop-in locks, maps, channels and tasks that record who waits for whom.
//!
//! A service that is slow or stuck while its CPU profile shows nothing is waiting. This crate wraps what programs wait
//! on; `lockprof analyze trace.bin`, of the package `lockprof-cli`, tells which line makes everyone wait, and which task,
//! lock, channel or watcher will never come back.
//!
//! # In a program
//! Change the import, nothing else in the file:
//!
//! ```
//! use lockprof::sync::Mutex; // was: std::sync::Mutex
//!
//! static ORDERS: Mutex<Vec<u32>> = Mutex::new(vec![]);
//! ORDERS.lock().unwrap().push(7);
//! ```
//!
//! and start a recording, by the environment (`LOCKPROF=profile,path=trace.bin`, or `lockprof run -- PROGRAM`), or by
//! one line in `main`:
//!
//! ```
//! let path = std::env::temp_dir().join(format!("lockprof-doc-{}.bin", std::process::id()));
//! let _recording = lockprof::builder().path(&path).start()?;
//! # drop(_recording);
//! # std::fs::remove_file(&path).unwrap();
//! # Ok::<(), lockprof::Error>(())
//! ```
//!
//! # In a library
//! Use the wrappers and start nothing: until the program records, an operation costs one predictable branch more than the
//! original's. With `default-features = false` every wrapper *is* the original type.
//!
//! # What is recorded
//! - Every wait, exactly: who, on what, for which operation, from which line and stack, and for how long. A wait stands in
//!   shared memory from the moment before it begins, so that what never ends is known even of a killed process.
//! - Every acquisition, send and receive is counted, by each thread for itself: nothing shared is written on a read path.
//! - Holds: each that is longer than a tick of the coarse clock (4 ms), and a sample of the others.
//! - Births and ends of threads, tasks and watchers; who holds which lock now, who used which end of a channel last.
//!
//! No keys, values or messages are recorded. The trace and the shared memory are readable by the user alone.
//!
//! # Features
//! | feature | brings |
//! | --- | --- |
//! | `record` (default) | the recording; without it every wrapper is the original type |
//! | `live` | `stuck()`, `metrics()`, the watchdog, and `#[lockprof::test]`: the engine of `lockprof analyze` in the process |
//! | `http` | `serve()`: pages for `go tool pprof`, continuous profilers and Prometheus, on the loopback |
//! | `parking_lot` | module `parking_lot`: version 0.13 |
//! | `parking_lot_0_12` | module `parking_lot_0_12`: version 0.12 |
//! | `once_cell` | module `once_cell` |
//! | `dashmap` | module `dashmap` |
//! | `crossbeam-channel` | module `crossbeam_channel` |
//! | `tokio` | module `tokio`: tasks, `sync`, the rest re-exported |
//! | `cpu` | [`Builder`]`::cpu` and `cpu=99`: samples of where threads run, in the same trace |
//! | `tracing` | `layer()` for `tracing_subscriber`: waits, holds and spawned tasks bear the span they happen in |
//! | `console` | `console()`: tokio-console attaches while the trace is written |
//! | `rayon`, `arbitrary`, `typesize` | what dashmap has with these crates |
//! | `serde` | `Serialize` and `Deserialize` for the locks of parking_lot and the maps of dashmap |
//! | `full` | all families, and `serde` |
//!
//! [`sync`], [`thread`], [`map`], [`wait_group`] and [`watch`] are always there.
//!
//! # What it does to its host
//! It never panics, never waits for its own background thread, allocates nothing on a hot path, and is bounded in memory
//! ([`Builder::memory_bytes`]) and disk ([`Builder::limit_bytes`]); what does not fit is counted and told. The child of a
//! fork is not recorded.

#[cfg(all(feature = "record", any(feature = "parking_lot", feature = "parking_lot_0_12")))]
#[macro_use]
mod lock_types;

#[cfg(feature = "record")]
mod channel;
#[cfg(feature = "record")]
mod clock;
mod config;
mod error;
#[cfg(feature = "record")]
mod key;
#[cfg(feature = "record")]
mod lock;
#[cfg(feature = "record")]
mod platform;
#[cfg(feature = "record")]
mod recorder;
#[cfg_attr(not(feature = "record"), path = "off.rs")]
mod session;

#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http")]
pub use http::{serve, serve_beyond_loopback};

#[cfg(feature = "live")]
pub mod live;
#[cfg(feature = "live")]
mod metrics;
#[cfg(feature = "live")]
pub mod test;
#[cfg(feature = "live")]
pub use live::stuck;
#[cfg(feature = "live")]
pub use lockprof_macros::test;
#[cfg(feature = "live")]
pub use metrics::metrics;

pub mod map;
pub mod wait_group;
pub mod watch;

#[cfg(feature = "record")]
pub mod sync;
#[cfg(not(feature = "record"))]
pub use std::sync;

#[cfg(feature = "record")]
pub mod thread;
#[cfg(not(feature = "record"))]
pub use std::thread;

#[cfg(all(feature = "record", feature = "parking_lot"))]
pub mod parking_lot;
#[cfg(all(not(feature = "record"), feature = "parking_lot"))]
pub use ::parking_lot;

#[cfg(all(feature = "record", feature = "parking_lot_0_12"))]
pub mod parking_lot_0_12;
#[cfg(all(not(feature = "record"), feature = "parking_lot_0_12"))]
pub use ::parking_lot_0_12;

#[cfg(all(feature = "record", feature = "once_cell"))]
pub mod once_cell;
#[cfg(all(not(feature = "record"), feature = "once_cell"))]
pub use ::once_cell;

#[cfg(all(feature = "record", feature = "dashmap"))]
pub mod dashmap;
#[cfg(all(not(feature = "record"), feature = "dashmap"))]
pub use ::dashmap;

#[cfg(all(feature = "record", feature = "crossbeam-channel"))]
pub mod crossbeam_channel;
#[cfg(all(not(feature = "record"), feature = "crossbeam-channel"))]
pub use ::crossbeam_channel;

#[cfg(all(feature = "record", feature = "tokio"))]
pub mod tokio;
#[cfg(all(not(feature = "record"), feature = "tokio"))]
pub use ::tokio;

#[cfg(feature = "tracing")]
pub mod tracing;
#[cfg(feature = "console")]
pub use tracing::console;
#[cfg(feature = "tracing")]
pub use tracing::layer;

pub use config::{Builder, VARIABLE, defaults};
pub use error::Error;
pub use session::{Recording, Status, status};

/// What is recorded, and where to: set, then [start](Builder::start).
pub fn builder() -> Builder {
    Builder::default()
}
