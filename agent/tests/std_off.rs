//! Without the feature `record`, what is recorded otherwise is the original type itself.
#![cfg(not(feature = "record"))]
use std::any::TypeId;

#[test]
fn each_name_is_the_original() {
    fn same<A: 'static, B: 'static>() {
        assert_eq!(TypeId::of::<A>(), TypeId::of::<B>(), "{}", std::any::type_name::<A>());
    }
    same::<lockprof::sync::Mutex<u8>, std::sync::Mutex<u8>>();
    same::<lockprof::sync::MutexGuard<'static, u8>, std::sync::MutexGuard<'static, u8>>();
    same::<lockprof::sync::RwLock<u8>, std::sync::RwLock<u8>>();
    same::<lockprof::sync::Condvar, std::sync::Condvar>();
    same::<lockprof::sync::Barrier, std::sync::Barrier>();
    same::<lockprof::sync::Once, std::sync::Once>();
    same::<lockprof::sync::OnceLock<u8>, std::sync::OnceLock<u8>>();
    same::<lockprof::sync::LazyLock<u8>, std::sync::LazyLock<u8>>();
    same::<lockprof::sync::mpsc::Sender<u8>, std::sync::mpsc::Sender<u8>>();
    same::<lockprof::sync::mpsc::SyncSender<u8>, std::sync::mpsc::SyncSender<u8>>();
    same::<lockprof::sync::mpsc::Receiver<u8>, std::sync::mpsc::Receiver<u8>>();
    same::<lockprof::thread::JoinHandle<u8>, std::thread::JoinHandle<u8>>();
    same::<lockprof::thread::Builder, std::thread::Builder>();
    same::<lockprof::thread::Scope<'static, 'static>, std::thread::Scope<'static, 'static>>();
}
