//! The originals, taken by their own `try_…` first: the way to see a wait before it begins. What a wrapper does besides is
//! its own price; this much any wrapper pays.

/// parking_lot's locks.
pub mod parking_lot {
    use ::parking_lot as original;

    pub struct Mutex<T>(original::Mutex<T>);
    pub struct RwLock<T>(original::RwLock<T>);

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Self {
            Self(original::Mutex::new(value))
        }

        #[inline(always)]
        pub fn lock(&self) -> original::MutexGuard<'_, T> {
            self.0.try_lock().unwrap_or_else(|| self.0.lock())
        }
    }

    impl<T> RwLock<T> {
        pub const fn new(value: T) -> Self {
            Self(original::RwLock::new(value))
        }

        #[inline(always)]
        pub fn write(&self) -> original::RwLockWriteGuard<'_, T> {
            self.0.try_write().unwrap_or_else(|| self.0.write())
        }
    }
}

/// std's locks.
pub mod sync {
    use std::sync::{self as original, LockResult, TryLockError};

    pub struct Mutex<T>(original::Mutex<T>);
    pub struct RwLock<T>(original::RwLock<T>);

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Self {
            Self(original::Mutex::new(value))
        }

        #[inline(always)]
        pub fn lock(&self) -> LockResult<original::MutexGuard<'_, T>> {
            match self.0.try_lock() {
                Ok(guard) => Ok(guard),
                Err(TryLockError::Poisoned(poisoned)) => Err(poisoned),
                Err(TryLockError::WouldBlock) => self.0.lock(),
            }
        }
    }

    impl<T> RwLock<T> {
        pub const fn new(value: T) -> Self {
            Self(original::RwLock::new(value))
        }

        #[inline(always)]
        pub fn write(&self) -> LockResult<original::RwLockWriteGuard<'_, T>> {
            match self.0.try_write() {
                Ok(guard) => Ok(guard),
                Err(TryLockError::Poisoned(poisoned)) => Err(poisoned),
                Err(TryLockError::WouldBlock) => self.0.write(),
            }
        }
    }
}

/// crossbeam's channels.
pub mod crossbeam_channel {
    use ::crossbeam_channel::{self as original, RecvError, SendError, TryRecvError, TrySendError};

    pub struct Sender<T>(original::Sender<T>);
    pub struct Receiver<T>(original::Receiver<T>);

    pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = original::bounded(cap);
        (Sender(sender), Receiver(receiver))
    }

    impl<T> Sender<T> {
        #[inline(always)]
        pub fn send(&self, message: T) -> Result<(), SendError<T>> {
            match self.0.try_send(message) {
                Ok(()) => Ok(()),
                Err(TrySendError::Disconnected(message)) => Err(SendError(message)),
                Err(TrySendError::Full(message)) => self.0.send(message),
            }
        }
    }

    impl<T> Receiver<T> {
        #[inline(always)]
        pub fn recv(&self) -> Result<T, RecvError> {
            match self.0.try_recv() {
                Ok(message) => Ok(message),
                Err(TryRecvError::Disconnected) => Err(RecvError),
                Err(TryRecvError::Empty) => self.0.recv(),
            }
        }
    }
}
