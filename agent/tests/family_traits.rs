//! Each recorded type has the traits of its original, for contents of every sort.
#![cfg(feature = "full")]
#[macro_use]
mod parity;

use std::hash::RandomState;

/// What either version of parking_lot has.
macro_rules! locks {
    ([$original:ident] [$($ours:ident)::+]) => {
        same_traits! { [$original] [$($ours)::+]
            Mutex<T>;
            FairMutex<T>;
            ReentrantMutex<T>;
            RwLock<T>;
            MutexGuard<'static, T>;
            FairMutexGuard<'static, T>;
            ReentrantMutexGuard<'static, T>;
            MappedMutexGuard<'static, T>;
            RwLockReadGuard<'static, T>;
            RwLockWriteGuard<'static, T>;
            RwLockUpgradableReadGuard<'static, T>;
            MappedRwLockReadGuard<'static, T>;
            MappedRwLockWriteGuard<'static, T>;
            Condvar;
            Once;
            RawMutex;
            RawFairMutex;
            RawRwLock;
        }
    };
}

#[test]
fn locks_of_parking_lot() {
    locks!([parking_lot][lockprof::parking_lot]);
    same_traits! { [parking_lot] [lockprof::parking_lot]
        RecursiveRwLock<T>;
        RecursiveRwLockReadGuard<'static, T>;
    }
}

#[test]
fn locks_of_parking_lot_0_12() {
    locks!([parking_lot_0_12][lockprof::parking_lot_0_12]);
}

#[test]
fn cells_and_channels() {
    same_traits! { [once_cell] [lockprof::once_cell]
        sync::OnceCell<T>;
        sync::Lazy<T>;
        unsync::OnceCell<T>;
    }
    same_traits! { [crossbeam_channel] [lockprof::crossbeam_channel]
        Sender<T>;
        Receiver<T>;
        Iter<'static, T>;
        TryIter<'static, T>;
        IntoIter<T>;
        SendError<T>;
        Select<'static>;
    }
}

#[test]
fn maps() {
    same_traits! { [dashmap] [lockprof::dashmap]
        DashMap<T, T>;
        DashMap<u8, T>;
        DashMap<u8, u8, T>;
        DashSet<T>;
        ReadOnlyView<u8, T>;
        Entry<'static, u8, T>;
        OccupiedEntry<'static, u8, T>;
        VacantEntry<'static, u8, T>;
        mapref::one::Ref<'static, u8, T>;
        mapref::one::RefMut<'static, u8, T>;
        mapref::one::MappedRef<'static, u8, u8, T>;
        mapref::one::MappedRefMut<'static, u8, u8, T>;
        mapref::multiple::RefMulti<'static, u8, T>;
        mapref::multiple::RefMutMulti<'static, u8, T>;
        setref::one::Ref<'static, T>;
        setref::multiple::RefMulti<'static, T>;
        iter::Iter<'static, u8, T>;
        iter::IterMut<'static, u8, T>;
        iter::OwningIter<u8, T>;
        iter_set::OwningIter<T, RandomState>;
        RawRwLock;
        RwLock<T>;
        SharedValue<T>;
        TryReserveError;
        try_result::TryResult<T>;
    }
}

#[test]
fn tasks_locks_and_channels_of_tokio() {
    same_traits! { [tokio] [lockprof::tokio]
        sync::Mutex<T>;
        sync::MutexGuard<'static, T>;
        sync::OwnedMutexGuard<T>;
        sync::MappedMutexGuard<'static, T>;
        sync::RwLock<T>;
        sync::RwLockReadGuard<'static, T>;
        sync::RwLockWriteGuard<'static, T>;
        sync::OwnedRwLockReadGuard<T>;
        sync::OwnedRwLockWriteGuard<T>;
        sync::Semaphore;
        sync::SemaphorePermit<'static>;
        sync::OwnedSemaphorePermit;
        sync::Notify;
        sync::futures::Notified<'static>;
        sync::Barrier;
        sync::OnceCell<T>;
        sync::mpsc::Sender<T>;
        sync::mpsc::WeakSender<T>;
        sync::mpsc::Permit<'static, T>;
        sync::mpsc::OwnedPermit<T>;
        sync::mpsc::Receiver<T>;
        sync::mpsc::UnboundedSender<T>;
        sync::mpsc::UnboundedReceiver<T>;
        sync::oneshot::Sender<T>;
        sync::oneshot::Receiver<T>;
        sync::broadcast::Sender<T>;
        sync::broadcast::Receiver<T>;
        sync::watch::Sender<T>;
        sync::watch::Receiver<T>;
        sync::watch::Ref<'static, T>;
        task::JoinHandle<T>;
        task::AbortHandle;
        task::JoinSet<T>;
        task::LocalSet;
        runtime::Runtime;
        runtime::Handle;
        runtime::Builder;
    }
}
