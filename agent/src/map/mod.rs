//! Maps for many threads, reads and writes told apart.
//!
//! [`SafeMap`] for any map under one lock; [`SnapshotMap`] for what is read much and written seldom; [`StateMap`] for
//! states that follow each other. [`Versions`] stands beside a cache, and tells a read of it that is stale.
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
