//! [`std::sync`], recorded: the same names, bounds, poisoning and panics. What nobody waits for is re-exported.
//!
//! Each lock is the original beside a word that identifies it; each guard is the original's beside its id. An operation
//! that need not wait tries first, and then costs a few plain stores.
mod barrier;
mod condvar;
mod held;
mod lazy_lock;
pub mod mpsc;
mod mutex;
mod once;
mod once_lock;
mod rwlock;

pub use barrier::Barrier;
pub use condvar::Condvar;
pub(crate) use held::Held;
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
#[cfg(any(feature = "once_cell", feature = "parking_lot", feature = "parking_lot_0_12"))]
pub(crate) use once::Init;
#[allow(deprecated)]
pub use once::{ONCE_INIT, Once};
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::*;
