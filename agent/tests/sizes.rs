//! How large each wrapper is beside its original. `--nocapture` shows the table.
#![cfg(feature = "record")]
use std::fmt::Write;

/// Words of 64 bits that a wrapper may have more: where it was created or its id, who holds, and how it waits.
const WORDS: usize = 4;

/// A row for each type of a module, and a list of those that are too large.
macro_rules! rows {
    ($table:ident, $original:ident, $ours:ident: $($($name:ident)::+ $(<$($argument:tt),+>)?,)*) => {$({
        let name = stringify!($ours::$($name)::+);
        let original = size_of::<$original::$($name)::+$(<$($argument),+>)?>();
        let ours = size_of::<lockprof::$ours::$($name)::+$(<$($argument),+>)?>();
        writeln!($table, "{name:44} {original:6} {ours:6}").unwrap();
        assert!(ours <= original + WORDS * size_of::<u64>(), "{name}: {ours} bytes for {original}");
    })*};
}

#[test]
fn wrappers_are_small() {
    let mut table = format!("{:44} {:>6} {:>6}\n", "bytes", "raw", "ours");
    {
        use std::{sync, thread};
        rows!(table, sync, sync:
            Mutex<u64>, MutexGuard<'static, u64>, RwLock<u64>, RwLockReadGuard<'static, u64>, Condvar, Barrier, Once,
            OnceLock<u64>, LazyLock<u64>, mpsc::Sender<u64>, mpsc::SyncSender<u64>, mpsc::Receiver<u64>,
        );
        rows!(table, thread, thread: JoinHandle<u64>, Builder,);
    }
    #[cfg(feature = "full")]
    families(&mut table);
    #[cfg(all(feature = "full", target_endian = "little", target_pointer_width = "64"))]
    {
        assert_eq!(size_of::<lockprof::parking_lot::Mutex<u64>>(), size_of::<parking_lot::Mutex<u64>>());
        assert_eq!(
            size_of::<lockprof::parking_lot_0_12::FairMutex<u64>>(),
            size_of::<parking_lot::FairMutex<u64>>()
        );
    }
    #[allow(clippy::print_stdout, reason = "a table to look at")]
    {
        println!("{table}");
    }
}

#[cfg(feature = "full")]
fn families(table: &mut String) {
    rows!(table, parking_lot, parking_lot:
        Mutex<u8>, Mutex<u64>, MutexGuard<'static, u64>, FairMutex<u64>, ReentrantMutex<u64>, RwLock<u64>,
        RwLockReadGuard<'static, u64>, Condvar, Once,
    );
    rows!(table, parking_lot_0_12, parking_lot_0_12:
        Mutex<u8>, Mutex<u64>, MutexGuard<'static, u64>, FairMutex<u64>, ReentrantMutex<u64>, RwLock<u64>,
        RwLockReadGuard<'static, u64>, Condvar, Once,
    );
    rows!(table, once_cell, once_cell: sync::OnceCell<u64>, sync::Lazy<u64>,);
    rows!(table, dashmap, dashmap:
        DashMap<u64, u64>, RwLock<u64>, mapref::one::Ref<'static, u64, u64>, mapref::multiple::RefMulti<'static, u64, u64>,
        OccupiedEntry<'static, u64, u64>, iter::Iter<'static, u64, u64>,
    );
    rows!(table, crossbeam_channel, crossbeam_channel: Sender<u64>, Receiver<u64>,);
    rows!(table, tokio, tokio:
        sync::Mutex<u64>, sync::MutexGuard<'static, u64>, sync::RwLock<u64>, sync::RwLockReadGuard<'static, u64>,
        sync::Semaphore, sync::SemaphorePermit<'static>, sync::Notify, sync::Barrier, sync::OnceCell<u64>,
        sync::mpsc::Sender<u64>, sync::mpsc::Receiver<u64>, sync::oneshot::Sender<u64>, sync::oneshot::Receiver<u64>,
        sync::broadcast::Sender<u64>, sync::broadcast::Receiver<u64>, sync::watch::Sender<u64>,
        sync::watch::Receiver<u64>, task::JoinHandle<u64>, task::JoinSet<u64>, runtime::Runtime, runtime::Handle,
    );
}
