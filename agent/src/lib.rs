//! Drop-in locks, maps, channels and tasks that record who waits for whom.
#[cfg(all(feature = "record", any(feature = "parking_lot", feature = "parking_lot_0_12")))]
#[macro_use]
mod lock_types;
#[cfg(feature = "record")]
mod clock;
#[cfg(feature = "record")]
mod config;
#[cfg(feature = "record")]
mod error;
#[cfg(all(feature = "record", any(feature = "parking_lot", feature = "parking_lot_0_12")))]
mod lock;
#[cfg(feature = "record")]
mod platform;
#[cfg(feature = "record")]
mod recorder;
#[cfg(feature = "record")]
mod session;

#[cfg(feature = "record")]
pub use config::{Builder, VARIABLE, defaults};
#[cfg(feature = "record")]
pub use error::Error;
#[cfg(feature = "record")]
pub use session::{Recording, Status, status};

/// Makes a recording: `let _recording = lockprof::builder().start();`.
#[cfg(feature = "record")]
pub fn builder() -> Builder {
    Builder::default()
}

#[cfg(all(feature = "record", feature = "parking_lot"))]
pub mod parking_lot;

#[cfg(all(feature = "record", feature = "parking_lot_0_12"))]
pub mod parking_lot_0_12;

#[cfg(feature = "record")]
pub mod sync;
#[cfg(not(feature = "record"))]
pub use std::sync;
#[cfg(feature = "record")]
pub mod thread;
#[cfg(not(feature = "record"))]
pub use std::thread;

#[cfg(all(feature = "record", feature = "tokio"))]
pub mod tokio;
#[cfg(all(not(feature = "record"), feature = "tokio"))]
pub use ::tokio;

pub mod map;
pub mod watch;
