//! Maps for many threads, reads and writes told apart.
mod change;
mod guard;
mod locked;
mod meter;
mod safe_map;
mod state_map;
mod traits;

pub use guard::{ReadGuard, WriteGuard};
pub use safe_map::SafeMap;
pub use state_map::{Refused, StateMap};
