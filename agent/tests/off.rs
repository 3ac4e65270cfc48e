//! Without the feature `record`, what is recorded otherwise is the original type itself.
#![cfg(not(feature = "record"))]
use std::any::TypeId;

/// Each type is the same in the original's module and in ours.
macro_rules! same {
    ($original:ident, $ours:ident: $($($name:ident)::+ $(<$($argument:tt),+>)?,)*) => {$(
        assert_eq!(
            TypeId::of::<$original::$($name)::+$(<$($argument),+>)?>(),
            TypeId::of::<lockprof::$ours::$($name)::+$(<$($argument),+>)?>(),
            "{}", stringify!($ours::$($name)::+)
        );
    )*};
}

#[test]
fn each_name_of_std_is_the_original() {
    use std::{sync, thread};
    same!(sync, sync:
        Mutex<u8>, MutexGuard<'static, u8>, RwLock<u8>, Condvar, Barrier, Once, OnceLock<u8>, LazyLock<u8>,
        mpsc::Sender<u8>, mpsc::SyncSender<u8>, mpsc::Receiver<u8>,
    );
    same!(thread, thread: JoinHandle<u8>, Builder, Scope<'static, 'static>,);
}

#[cfg(feature = "full")]
#[test]
fn each_name_of_the_families_is_the_original() {
    same!(parking_lot, parking_lot:
        Mutex<u8>, FairMutex<u8>, ReentrantMutex<u8>, RwLock<u8>, Condvar, Once, RawMutex,
    );
    same!(parking_lot_0_12, parking_lot_0_12:
        Mutex<u8>, FairMutex<u8>, ReentrantMutex<u8>, RwLock<u8>, Condvar, Once, RawMutex,
    );
    same!(once_cell, once_cell: sync::OnceCell<u8>, sync::Lazy<u8>, unsync::OnceCell<u8>,);
    same!(dashmap, dashmap: DashMap<u8, u8>, DashSet<u8>, mapref::one::Ref<'static, u8, u8>, RawRwLock,);
    same!(crossbeam_channel, crossbeam_channel: Sender<u8>, Receiver<u8>, Select<'static>,);
    same!(tokio, tokio:
        sync::Mutex<u8>, sync::RwLock<u8>, sync::Semaphore, sync::Notify, sync::Barrier, sync::OnceCell<u8>,
        sync::mpsc::Sender<u8>, sync::oneshot::Sender<u8>, sync::broadcast::Sender<u8>, sync::watch::Sender<u8>,
        task::JoinHandle<u8>, task::JoinSet<u8>, task::LocalSet, runtime::Runtime, runtime::Handle,
    );
}
