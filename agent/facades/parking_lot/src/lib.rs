//! `parking_lot` 0.13 with lockprof's recorded types in place: what the original exports, under the same names.
pub use lockprof::parking_lot::*;

/// Detection of deadlocks, as the original has it: of locks that it knows itself.
#[cfg(feature = "deadlock_detection")]
pub use original::deadlock;
