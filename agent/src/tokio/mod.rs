//! tokio, with tasks, locks and channels that record who waits for whom.
//!
//! `use lockprof::tokio;` stands in for the crate: what needs no recording, macros included, is re-exported as it is.
//!
//! Like tokio's, each operation is a future. It tries first, out of the same budget, and makes tokio's own future only
//! where it has to wait: that is what a wait is counted from, till the future is ready or dropped.
//!
//! With `--cfg tokio_unstable` it brings tokio's feature `tracing`, and with that `task::Builder` and `JoinSet::build_task`.
pub use ::tokio::*;

pub mod runtime;
pub mod sync;
pub mod task;
mod wait;

pub use task::spawn;
