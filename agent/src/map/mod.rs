//! Maps for many threads, reads and writes told apart.
//!
//! [`SafeMap`] for any map under one lock; [`SnapshotMap`] for what is read much and written seldom; [`StateMap`] for
//! states that follow each other. [`Versions`] stands beside a cache, and tells a read of it that is stale, or torn.
//!
//! A plain map is none of these: that several threads write it at once, which ends a Go program at run time, Rust refuses.
//!
//! ```compile_fail,E0596
//! use std::{collections::HashMap, sync::Arc, thread};
//!
//! let orders = Arc::new(HashMap::new());
//! let write = |order: u64| {
//!     let orders = orders.clone();
//!     thread::spawn(move || orders.insert(order, 1)) // error[E0596]: cannot borrow data in an `Arc` as mutable
//! };
//! [write(1), write(2)].map(|writer| writer.join().unwrap());
//! ```
//!
//! One word makes it right, and leaves the question that the rest of this crate answers: who waits for whom?
//!
//! ```
//! use lockprof::map::SafeMap;
//! use std::{sync::Arc, thread};
//!
//! let orders = Arc::new(SafeMap::new());
//! let write = |order: u64| {
//!     let orders = orders.clone();
//!     thread::spawn(move || orders.insert(order, 1))
//! };
//! [write(1), write(2)].map(|writer| writer.join().unwrap());
//! ```
mod change;
mod guard;
mod locked;
mod meter;
mod safe_map;
mod snapshot_map;
mod state_map;
mod traits;
mod versions;
mod written;

pub use guard::{ReadGuard, WriteGuard};
pub use safe_map::SafeMap;
pub use snapshot_map::{Snapshot, SnapshotMap};
pub use state_map::{Refused, StateMap};
pub use versions::{VersionedRead, VersionedWrite, Versions};
