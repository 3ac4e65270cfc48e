//! `tokio::sync`, recorded: who waits at which line, for whom.
mod channel;
mod guards;
mod held;
pub mod mpsc;
mod mutex;
mod rwlock;
mod semaphore;

pub use ::tokio::sync::*;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use rwlock::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard};
pub use rwlock::{RwLock, RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
