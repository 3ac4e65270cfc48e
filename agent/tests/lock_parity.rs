//! The locks of parking_lot, either version, against the originals: the same tests on both.
#![cfg(feature = "full")]

/// The same tests of each module, with what all versions have.
macro_rules! locks {
    ($($name:ident = $($module:ident)::+;)*) => {$(
        mod $name {
            use $($module)::+ as module;
            use module::{
                Condvar, FairMutex, MappedMutexGuard, Mutex, MutexGuard, Once, OnceState, ReentrantMutex, RwLock,
                RwLockUpgradableReadGuard, RwLockWriteGuard,
            };
            use std::cell::Cell;
            use std::fmt::Debug;
            use std::panic::{AssertUnwindSafe, catch_unwind};
            use std::sync::Arc;
            use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
            use std::thread;
            use std::time::{Duration, Instant};

            const SHORT: Duration = Duration::from_millis(5);

            #[test]
            fn statics_and_constants() {
                static LOCK: Mutex<u32> = Mutex::new(1);
                static RW: RwLock<Vec<u32>> = RwLock::new(vec![]);
                static FAIR: FairMutex<()> = FairMutex::new(());
                static AGAIN: ReentrantMutex<Cell<u8>> = ReentrantMutex::new(Cell::new(1));
                static CONDVAR: Condvar = Condvar::new();
                static ONCE: Once = Once::new();
                #[allow(clippy::declare_interior_mutable_const, reason = "each use is a copy, on purpose")]
                const LOCKS: [Mutex<u8>; 2] = [const { Mutex::new(7) }; 2];
                *LOCK.lock() += 1;
                RW.write().push(1);
                drop(FAIR.lock());
                AGAIN.lock().set(2);
                ONCE.call_once(|| ());
                assert_eq!((*LOCK.lock(), RW.read().len(), AGAIN.lock().get()), (2, 1, 2));
                assert_eq!((ONCE.state(), CONDVAR.notify_one(), CONDVAR.notify_all()), (OnceState::Done, false, 0));
                let locks = LOCKS;
                assert_eq!(locks.map(Mutex::into_inner), [7, 7]);
            }

            #[test]
            fn contents_of_any_sort() {
                let unsized_lock: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
                unsized_lock.lock()[1] = 7;
                assert_eq!(*unsized_lock.lock(), [1, 7, 3]);
                let unsized_lock: Box<RwLock<dyn Debug>> = Box::new(RwLock::new("x"));
                assert_eq!(format!("{:?}", &*unsized_lock.read()), r#""x""#);
                let empty = Mutex::new(());
                assert_eq!(format!("{empty:?}"), "Mutex { data: () }");
                let held = empty.lock();
                assert_eq!(format!("{empty:?}"), "Mutex { data: <locked> }");
                drop(held);
                assert_eq!((Mutex::<u8>::default().into_inner(), RwLock::from(3).into_inner()), (0, 3));
            }

            #[test]
            fn contents_are_dropped_once_and_after_the_lock_is_unused() {
                let drops = AtomicU32::new(0);
                struct Counted<'a>(&'a AtomicU32);
                impl Drop for Counted<'_> {
                    fn drop(&mut self) {
                        self.0.fetch_add(1, SeqCst);
                    }
                }
                let lock = Mutex::new(Some(Counted(&drops)));
                assert!(catch_unwind(AssertUnwindSafe(|| {
                    let _held = lock.lock();
                    panic!("a lock is not poisoned");
                }))
                .is_err());
                drop(lock.lock().take());
                assert_eq!(drops.load(SeqCst), 1);
                *lock.lock() = Some(Counted(&drops));
                drop(lock);
                assert_eq!(drops.load(SeqCst), 2);
            }

            #[test]
            fn what_is_locked_is_not_to_be_had() {
                let lock = Arc::new(Mutex::new(1));
                let held = lock.lock();
                assert!(lock.is_locked() && lock.try_lock().is_none());
                let begin = Instant::now();
                assert!(lock.try_lock_for(SHORT).is_none() && lock.try_lock_until(begin).is_none());
                assert!(begin.elapsed() >= SHORT);
                drop(held);
                let held = lock.lock_arc();
                assert!(lock.try_lock().is_none());
                drop(held);
                assert!(lock.try_lock_for(SHORT).is_some() && !lock.is_locked());
            }

            #[test]
            fn readers_and_writers() {
                let lock = RwLock::new(1);
                let (one, two) = (lock.read(), lock.read());
                assert!(lock.try_write().is_none() && lock.try_write_for(SHORT).is_none());
                drop((one, two));
                let mut writer = lock.write();
                *writer += 1;
                assert!(lock.try_read().is_none() && lock.is_locked_exclusive());
                let reader = RwLockWriteGuard::downgrade(writer);
                assert_eq!((*reader, lock.try_read().is_some(), lock.try_write().is_none()), (2, true, true));
                drop(reader);
                let upgradable = lock.upgradable_read();
                assert!(lock.try_read().is_some() && lock.try_upgradable_read().is_none());
                let mut writer = RwLockUpgradableReadGuard::upgrade(upgradable);
                *writer += 1;
                let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writer);
                let reader = lock.read();
                let Err(upgradable) = RwLockUpgradableReadGuard::try_upgrade(upgradable) else { panic!() };
                drop(reader);
                assert_eq!(*RwLockUpgradableReadGuard::downgrade(upgradable), 3);
                assert!(!lock.is_locked());
            }

            #[test]
            fn parts_and_bumps() {
                let lock = Mutex::new((1, 2));
                let mut part: MappedMutexGuard<'_, u8> = MutexGuard::map(lock.lock(), |both| &mut both.1);
                *part += 1;
                assert!(MappedMutexGuard::try_map(part, |_| None::<&mut u8>).is_err());
                let mut whole = lock.lock();
                MutexGuard::bump(&mut whole);
                MutexGuard::unlocked(&mut whole, || assert!(!lock.is_locked()));
                assert_eq!((*whole, lock.is_locked()), ((1, 3), true));
                MutexGuard::unlock_fair(whole);
                let leaked = MutexGuard::leak(lock.lock());
                leaked.0 = 9;
                assert!(lock.is_locked() && lock.try_lock().is_none());
                assert_eq!(lock.into_inner(), (9, 3));
            }

            #[test]
            fn one_thread_may_come_again() {
                let lock = ReentrantMutex::new(Cell::new(1));
                let (outer, inner) = (lock.lock(), lock.lock());
                outer.set(inner.get() + 1);
                assert!(lock.is_owned_by_current_thread() && lock.try_lock().is_some());
                thread::scope(|scope| {
                    scope.spawn(|| assert!(lock.try_lock().is_none() && !lock.is_owned_by_current_thread()));
                });
                drop((outer, inner));
                assert_eq!((lock.is_locked(), lock.into_inner().get()), (false, 2));
            }

            #[test]
            fn a_condvar_wakes_whom_it_says() {
                let (lock, condvar) = (Mutex::new(0), Condvar::new());
                assert!(condvar.wait_for(&mut lock.lock(), SHORT).timed_out());
                assert!(condvar.wait_until(&mut lock.lock(), Instant::now()).timed_out());
                thread::scope(|scope| {
                    for _ in 0..3 {
                        scope.spawn(|| {
                            let mut count = lock.lock();
                            *count += 1;
                            condvar.wait_while(&mut count, |count| *count < 10);
                        });
                    }
                    while *lock.lock() < 3 {
                        thread::yield_now();
                    }
                    *lock.lock() = 10;
                    assert_eq!(condvar.notify_all(), 3);
                });
            }

            #[test]
            fn a_fair_lock_is_handed_over() {
                let lock = FairMutex::new(vec![]);
                let held = lock.lock();
                thread::scope(|scope| {
                    let other = scope.spawn(|| lock.lock().push("other"));
                    drop(held);
                    other.join().unwrap();
                });
                lock.lock().push("this");
                assert_eq!(lock.into_inner(), ["other", "this"]);
            }

            #[test]
            fn once_and_its_poison() {
                let once = Once::new();
                assert_eq!((once.state(), format!("{once:?}")), (OnceState::New, "Once { state: New }".into()));
                let poison = AssertUnwindSafe(|| once.call_once(|| panic!("it fails")));
                assert!(catch_unwind(poison).is_err() && once.state() == OnceState::Poisoned);
                let again = catch_unwind(AssertUnwindSafe(|| once.call_once(|| ()))).unwrap_err();
                assert_eq!(*again.downcast_ref::<&str>().unwrap(), "Once instance has previously been poisoned");
                once.call_once_force(|state| assert_eq!(state, OnceState::Poisoned));
                once.call_once(|| unreachable!());
                assert_eq!(once.state(), OnceState::Done);
            }
        }
    )*};
}

locks! {
    original = parking_lot;
    recorded = lockprof::parking_lot;
    original_0_12 = parking_lot_0_12;
    recorded_0_12 = lockprof::parking_lot_0_12;
}
