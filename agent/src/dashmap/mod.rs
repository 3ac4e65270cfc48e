//! dashmap 6, recorded: the same map over the same shards, whose locks are dashmap's own with a word of ours beside each.
//!
//! dashmap's types cannot be wrapped from outside: an operation would have to take its shard's lock twice to know whether
//! it waits, and an entry or an iterator takes it where nobody can look. So the map itself is written down here once more,
//! operation by operation as in dashmap (MIT, see the file `LICENSE` beside this one), over a lock that records; results of
//! a try, and what a shard is made of, are dashmap's own types.
//!
//! # What is recorded
//! Each shard is an object of its own, since a shard is what one waits for; all of a map's are of one class, known by the
//! line that made the map. So a hot shard stands out among its siblings. An operation tries first: only one that has to
//! wait opens a wait, and tells for which key that was, by a salted hash: so a hot key stands out too. A
//! [`Ref`](mapref::one::Ref), an entry or an iterator that stands in a shard holds it. Reads and writes are counted as the shard's lock is taken, inserts and removes key by key; what is changed through a
//! reference is not seen.
//!
//! # Differences from `dashmap` 6
//! - What dashmap hides behind its feature `raw-api` is always there.
//! - A shard's lock is a word larger. Shards are padded to cache lines, so that a map is as large as the original.
mod lock;
mod map;
mod operations;
mod read_only;
mod set;
#[cfg(feature = "typesize")]
mod sizes;
mod traits;

pub mod iter;
pub mod iter_set;
pub mod mapref;
#[cfg(feature = "serde")]
mod serde;
pub mod setref;
/// Parallel iterators.
#[cfg(feature = "rayon")]
pub mod rayon {
    pub mod map;
    pub mod read_only;
    pub mod set;
}

use ::dashmap as original;

pub use self::lock::{RawRwLock, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use self::map::DashMap;
pub use self::mapref::entry::{Entry, OccupiedEntry, VacantEntry};
pub use self::operations::Map;
pub use self::read_only::ReadOnlyView;
pub use self::set::DashSet;
pub use ::dashmap::{SharedValue, TryReserveError, try_result};

/// What is in a shard.
type Table<K, V> = hashbrown::raw::RawTable<(K, SharedValue<V>)>;
/// A shard: its lock and what is in it, alone on its cache lines.
type Shard<K, V> = crossbeam_utils::CachePadded<RwLock<Table<K, V>>>;
