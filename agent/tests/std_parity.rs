//! `lockprof::sync` and `lockprof::thread` against the originals: the same tests on both, and the same traits on each type.
#[macro_use]
mod parity;

#[test]
fn each_type_has_the_traits_of_the_original() {
    same_traits! { [std] [lockprof]
        sync::Mutex<T>;
        sync::MutexGuard<'static, T>;
        sync::RwLock<T>;
        sync::RwLockReadGuard<'static, T>;
        sync::RwLockWriteGuard<'static, T>;
        sync::Condvar;
        sync::Barrier;
        sync::Once;
        sync::OnceLock<T>;
        sync::LazyLock<T>;
        sync::mpsc::Sender<T>;
        sync::mpsc::SyncSender<T>;
        sync::mpsc::Receiver<T>;
        sync::mpsc::Iter<'static, T>;
        sync::mpsc::TryIter<'static, T>;
        sync::mpsc::IntoIter<T>;
        thread::Builder;
        thread::JoinHandle<T>;
        thread::Scope<'static, 'static>;
        thread::ScopedJoinHandle<'static, T>;
    }
}

/// The same tests, of the original and of what is recorded.
macro_rules! both {
    ($($item:item)*) => {
        mod original {
            use std::{sync, thread};
            $($item)*
        }
        mod recorded {
            use lockprof::{sync, thread};
            $($item)*
        }
    };
}

both! {
    use std::fmt::Debug;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;
    use sync::mpsc::{RecvTimeoutError, TryRecvError, TrySendError};
    use sync::{
        Arc, Barrier, Condvar, LazyLock, Mutex, MutexGuard, Once, OnceLock, PoisonError, RwLock, RwLockReadGuard,
        RwLockWriteGuard, TryLockError,
    };

    static LOCK: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    static LAZY: LazyLock<String> = LazyLock::new(|| "made".into());
    static ONCE: Once = Once::new();
    #[allow(clippy::declare_interior_mutable_const)] // That they are made anew each time is what is tested.
    const EACH: Mutex<u8> = Mutex::new(3);

    fn panics<R>(f: impl FnOnce() -> R) -> String {
        let payload = catch_unwind(AssertUnwindSafe(|| drop(f()))).unwrap_err();
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).into())).unwrap_or_default()
    }

    #[test]
    fn statics_and_constants() {
        LOCK.lock().unwrap().push(1);
        assert_eq!(LOCK.lock().unwrap().len(), 1);
        assert_eq!(LAZY.len(), 4);
        ONCE.call_once(|| ());
        assert!(ONCE.is_completed());
        let array = [EACH; 3];
        *array[0].lock().unwrap() = 4;
        assert_eq!(array.map(|lock| lock.into_inner().unwrap()), [4, 3, 3]);
    }

    #[test]
    fn poison() {
        let lock = Mutex::new(1);
        panics(|| {
            let _guard = lock.lock().unwrap();
            panic!("poisons");
        });
        assert!(lock.is_poisoned());
        assert_eq!(*lock.lock().unwrap_err().into_inner(), 1);
        assert!(matches!(lock.try_lock(), Err(TryLockError::Poisoned(_))));
        let text = panics(|| lock.lock().unwrap().to_string());
        assert_eq!(text, "called `Result::unwrap()` on an `Err` value: PoisonError { .. }");
        assert_eq!(format!("{lock:?}"), "Mutex { data: 1, poisoned: true, .. }");
        lock.clear_poison();
        drop(lock.lock().unwrap());
        let condvar = Condvar::new();
        panics(|| {
            let _guard = condvar.wait_while(lock.lock().unwrap(), |_| panic!("with the lock held"));
        });
        assert!(lock.is_poisoned());
        let (guard, result) = condvar.wait_timeout(lock.lock().unwrap_or_else(PoisonError::into_inner), Duration::ZERO)
            .unwrap_err().into_inner();
        assert!(result.timed_out());
        drop(guard);
        assert!(lock.into_inner().is_err());

        let lock = RwLock::new(1);
        panics(|| {
            let _guard = lock.read().unwrap();
            panic!("does not poison");
        });
        assert!(!lock.is_poisoned());
        panics(|| {
            let _guard = lock.write().unwrap();
            panic!("poisons");
        });
        assert!(lock.is_poisoned() && lock.read().is_err() && lock.write().is_err());
        assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
        assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
    }

    #[test]
    fn a_guard_taken_while_panicking_does_not_poison() {
        struct Locks<'a>(&'a Mutex<u8>);
        impl Drop for Locks<'_> {
            fn drop(&mut self) {
                *self.0.lock().unwrap() += 1;
            }
        }
        let lock = Mutex::new(0);
        panics(|| {
            let _locks = Locks(&lock);
            panic!("on the way");
        });
        assert_eq!(*lock.lock().unwrap(), 1);
    }

    #[test]
    fn what_is_locked() {
        let lock = Mutex::new(5);
        let guard = lock.lock().unwrap();
        assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        assert_eq!(format!("{lock:?} {guard:?} {guard}"), "Mutex { data: \"<locked>\", poisoned: false, .. } 5 5");
        drop(guard);
        let lock = RwLock::new(5);
        let guard = lock.write().unwrap();
        assert!(lock.try_read().is_err() && lock.try_write().is_err());
        assert_eq!(format!("{guard:?} {guard}"), "5 5");
        let guard = RwLockWriteGuard::downgrade(guard);
        assert_eq!(format!("{guard:?} {guard}"), "5 5");
        assert!(lock.try_read().is_ok() && lock.try_write().is_err());
    }

    #[test]
    fn unsized_and_empty_contents() {
        let lock: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2, 3]));
        lock.lock().unwrap()[1] = 5;
        assert_eq!(*lock.lock().unwrap(), [1, 5, 3]);
        let lock: Arc<RwLock<dyn Debug + Send + Sync>> = Arc::new(RwLock::new(7));
        assert_eq!(format!("{:?}", lock.read().unwrap()), "7");
        let lock = Mutex::new(());
        let _guard: MutexGuard<'_, ()> = lock.lock().unwrap();
    }

    /// A read guard is covariant, so that what lives longer can be lent for less.
    fn _shorter<'a, 'b: 'a>(guard: RwLockReadGuard<'a, &'b str>) -> RwLockReadGuard<'a, &'a str> {
        guard
    }

    #[test]
    fn a_lock_may_be_dropped_after_what_it_borrows_is_unused() {
        let (lock, text);
        text = String::from("dropped first");
        lock = Mutex::new(&*text);
        assert_eq!(lock.lock().unwrap().len(), 13);
        let cell = OnceLock::new();
        let text = String::from("dropped first");
        cell.set(&text).unwrap();
    }

    #[test]
    fn contents_are_dropped_once() {
        let count = Arc::new(());
        drop(Mutex::new(count.clone()));
        drop(RwLock::new(count.clone()));
        drop(OnceLock::from(count.clone()));
        let lazy = LazyLock::new({ let count = count.clone(); move || count });
        LazyLock::force(&lazy);
        drop((lazy, LazyLock::new({ let count = count.clone(); move || count })));
        let (sender, receiver) = sync::mpsc::channel();
        sender.send(count.clone()).unwrap();
        drop((sender, receiver));
        assert_eq!(Arc::strong_count(&count), 1);
    }

    #[test]
    fn condvar_timeouts() {
        let (lock, condvar) = (Mutex::new(0), Condvar::new());
        let short = Duration::from_millis(1);
        let (guard, result) = condvar.wait_timeout_while(lock.lock().unwrap(), short, |_| true).unwrap();
        assert!(result.timed_out());
        let (guard, result) = condvar.wait_timeout_while(guard, short, |_| false).unwrap();
        assert!(!result.timed_out());
        #[allow(deprecated)]
        let (guard, notified) = condvar.wait_timeout_ms(guard, 1).unwrap();
        assert!(!notified);
        let mut asked = 0;
        drop(condvar.wait_while(guard, |value| { asked += 1; *value += asked; false }).unwrap());
        assert_eq!(lock.into_inner().unwrap(), 1);
    }

    #[test]
    fn condvar_hands_over() {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let child = thread::spawn({
            let pair = pair.clone();
            move || {
                *pair.0.lock().unwrap() = true;
                pair.1.notify_one();
            }
        });
        let mut guard = pair.0.lock().unwrap();
        while !*guard {
            guard = pair.1.wait(guard).unwrap();
        }
        drop(guard);
        child.join().unwrap();
        assert_eq!(format!("{:?}", pair.1), "Condvar { .. }");
    }

    #[test]
    fn barriers_have_one_leader_a_round() {
        for size in [0, 1, 3] {
            let barrier = Barrier::new(size);
            for _ in 0..3 {
                let wait = |_| barrier.wait().is_leader();
                let leaders = thread::scope(|scope| {
                    let threads: Vec<_> = (0..size.max(1)).map(|i| scope.spawn(move || wait(i))).collect();
                    threads.into_iter().filter(|_| true).map(|thread| thread.join().unwrap()).filter(|leads| *leads).count()
                });
                assert_eq!(leaders, 1);
            }
        }
    }

    #[test]
    fn once_and_its_poison() {
        let once = Once::new();
        panics(|| once.call_once(|| panic!("poisons")));
        assert_eq!(panics(|| once.call_once(|| ())), "Once instance has previously been poisoned");
        once.call_once_force(|state| assert!(state.is_poisoned()));
        once.call_once(|| unreachable!());
        once.wait();
        assert_eq!(format!("{once:?}"), "Once { .. }");
    }

    #[test]
    fn once_lock() {
        let cell = OnceLock::new();
        assert_eq!(format!("{cell:?}"), "OnceLock(<uninit>)");
        panics(|| *cell.get_or_init(|| panic!("does not poison")));
        assert_eq!((cell.get(), cell.set(1), cell.set(2)), (None, Ok(()), Err(2)));
        assert_eq!((*cell.get_or_init(|| unreachable!()), *cell.wait()), (1, 1));
        let mut copy = cell.clone();
        assert_eq!(copy, cell);
        *copy.get_mut().unwrap() = 3;
        assert_eq!((copy.take(), copy.take(), cell.into_inner()), (Some(3), None, Some(1)));
    }

    #[test]
    fn lazy_lock_and_its_poison() {
        let mut lazy = LazyLock::new(|| 1);
        assert_eq!((LazyLock::get(&lazy), format!("{lazy:?}")), (None, "LazyLock(<uninit>)".into()));
        *lazy += 1;
        *LazyLock::force_mut(&mut lazy) += 1;
        assert_eq!((*lazy, LazyLock::get_mut(&mut lazy), LazyLock::get(&LazyLock::<u8>::default())), (3, Some(&mut 3), None));
        let lazy: LazyLock<u8> = LazyLock::new(|| panic!("poisons"));
        assert_eq!(panics(|| *lazy), "poisons");
        assert_eq!(panics(|| *lazy), "LazyLock instance has previously been poisoned");
    }

    #[test]
    fn channels() {
        let (sender, receiver) = sync::mpsc::channel();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        let second = sender.clone();
        sender.send(1).unwrap();
        second.send(2).unwrap();
        second.send(3).unwrap();
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(format!("{sender:?} {:?}", receiver.iter()), "Sender { .. } Iter { rx: Receiver { .. } }");
        second.send(4).unwrap();
        drop((sender, second));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [4]);
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Disconnected));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert!(receiver.recv().is_err());

        let (sender, receiver) = sync::mpsc::sync_channel(1);
        sender.send(1).unwrap();
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        drop(receiver);
        assert_eq!(sender.send(3).unwrap_err().0, 3);
        assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)));

        // A rendezvous.
        let (sender, receiver) = sync::mpsc::sync_channel(0);
        let child = thread::spawn(move || (0..100).try_for_each(|i| sender.send(i)));
        assert!(receiver.into_iter().eq(0..100));
        child.join().unwrap().unwrap();
    }

    #[test]
    fn threads() {
        let builder = thread::Builder::new().name("named".into()).stack_size(1 << 16);
        assert!(format!("{builder:?}").starts_with("Builder { name: Some(\"named\"), stack_size: Some(65536)"));
        let child = builder.spawn(|| thread::current().name().map(String::from)).unwrap();
        assert_eq!((child.thread().name(), format!("{child:?}")), (Some("named"), "JoinHandle { .. }".into()));
        assert_eq!(child.join().unwrap().as_deref(), Some("named"));
        let payload = thread::spawn(|| panic!("told to who joins")).join().unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"told to who joins"));
        let mut local = 1;
        thread::scope(|scope| {
            assert_eq!(format!("{scope:?}").split(' ').next(), Some("Scope"));
            scope.spawn(|| local += 1);
        });
        assert_eq!(local, 2);
        let text = panics(|| thread::scope(|scope| drop(scope.spawn(|| panic!("in a scope")))));
        assert_eq!(text, "a scoped thread panicked");
        // SAFETY: it is joined at once.
        let child = unsafe { thread::Builder::new().spawn_unchecked(|| local) };
        assert_eq!(child.unwrap().join().unwrap(), 2);
    }
}
