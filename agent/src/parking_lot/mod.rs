//! parking_lot 0.13, recorded.
mod raw_mutex;
pub use raw_mutex::RawMutex;
/// Mutex.
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
/// x
#[track_caller]
pub const fn mutex<T>(value: T) -> Mutex<T> { lock_api::Mutex::from_raw(RawMutex::new(), value) }
