//! `tokio::sync`, recorded: who waits at which line, for whom.
//!
//! `SetOnce` is re-exported as it is: nothing is recorded of it.
mod barrier;
pub mod broadcast;
mod channel;
mod guards;
mod held;
pub mod mpsc;
mod mutex;
mod notify;
mod once_cell;
pub mod oneshot;
mod rwlock;
mod semaphore;
pub mod watch;

pub use ::tokio::sync::*;
pub use barrier::Barrier;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::Notify;
pub use once_cell::OnceCell;
pub use rwlock::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard};
pub use rwlock::{RwLock, RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Named future types.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}
