//! Maps for many threads, reads and writes told apart.
mod guard;
mod meter;
mod safe_map;
mod traits;

pub use guard::{ReadGuard, WriteGuard};
pub use safe_map::SafeMap;
