//! Maps, cells and channels against the originals: the same tests on both.
#![cfg(feature = "full")]

/// The same tests of the original and of what is recorded.
macro_rules! both {
    ($($item:item)*) => {
        mod original {
            #[allow(unused_imports)]
            use {crossbeam_channel as channel, dashmap, once_cell};
            $($item)*
        }
        mod recorded {
            #[allow(unused_imports)]
            use lockprof::{crossbeam_channel as channel, dashmap, once_cell};
            $($item)*
        }
    };
}

both! {
    use channel::{RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError, bounded, select, unbounded};
    use dashmap::mapref::entry::Entry;
    use dashmap::{DashMap, DashSet};
    use once_cell::sync::{Lazy, OnceCell};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Arc, Barrier};
    use std::thread;
    use std::time::{Duration, Instant};

    const SHORT: Duration = Duration::from_millis(5);

    fn panics<R>(act: impl FnOnce() -> R) -> String {
        let panic = catch_unwind(AssertUnwindSafe(|| drop(act()))).unwrap_err();
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap().to_string())
    }

    #[test]
    fn what_is_in_a_map() {
        let map: DashMap<String, u32> = (0..100).map(|key| (key.to_string(), key)).collect();
        assert_eq!((map.len(), map.is_empty(), map.contains_key("7"), map.contains_key("x")), (100, false, true, false));
        assert_eq!((map.insert("7".into(), 70), map.insert("x".into(), 1)), (Some(7), None));
        *map.get_mut("7").unwrap() += 1;
        assert_eq!((*map.get("7").unwrap(), map.get("y").is_none()), (71, true));
        assert_eq!(map.view("7", |key, value| (key.len(), *value)), Some((1, 71)));
        map.alter("7", |_, value| value + 1);
        map.alter_all(|_, value| value * 2);
        assert_eq!((map.remove("7"), map.remove("7")), (Some(("7".into(), 144)), None));
        assert_eq!(map.remove_if("x", |_, value| *value == 1), None);
        let changed = map.remove_if_mut("x", |_, value| {
            *value += 1;
            false
        });
        assert_eq!((changed, *map.get("x").unwrap()), (None, 3));
        map.retain(|key, _| key == "x");
        map.shrink_to_fit();
        assert_eq!(format!("{map:?}"), r#"{"x": 3}"#);
        assert_eq!((&map << ("z".into(), 1), *(&map >> "z"), &map & "z"), (None, 1, true));
        *(&map | "z") += 1;
        assert_eq!(&map - "z", Some(("z".into(), 2)));
        let copy = map.clone();
        map.clear();
        assert_eq!((map.len(), copy.into_iter().collect::<Vec<_>>()), (0, vec![("x".into(), 3)]));
    }

    #[test]
    fn an_entry_holds_its_shard() {
        let map = DashMap::new();
        *map.entry("a").or_insert(1) += 1;
        map.entry("a").and_modify(|value| *value += 1).or_default();
        assert_eq!(map.entry("b").or_insert_with(|| 7).key(), &"b");
        assert_eq!(map.entry("c").or_try_insert_with(|| Err::<u8, _>("no")).err(), Some("no"));
        let Entry::Occupied(entry) = map.entry("a") else { panic!() };
        assert!(map.try_entry("a").is_none() && map.try_get("a").is_locked() && map.try_get_mut("a").is_locked());
        assert_eq!((entry.key(), *entry.get()), (&"a", 3));
        assert_eq!(entry.replace_entry(9), ("a", 3));
        let Entry::Vacant(entry) = map.entry("d") else { panic!() };
        assert_eq!((*entry.key(), entry.into_key()), ("d", "d"));
        let entry = map.entry("d").insert_entry(4);
        assert_eq!((*entry.get(), entry.remove_entry()), (4, ("d", 4)));
        let reference = map.get_mut("a").unwrap().downgrade();
        assert!(map.try_get("a").is_present() && map.try_get_mut("a").is_locked());
        let part = reference.map(|value| value);
        assert_eq!((*part, part.key()), (9, &"a"));
        drop(part);
        assert!(map.try_get("c").is_absent());
    }

    #[test]
    fn iterators_and_views() {
        let map: DashMap<u32, u32> = (0..50).map(|key| (key, key)).collect();
        map.iter_mut().for_each(|mut entry| *entry += 1);
        let sum = map.iter().map(|entry| entry.key() + entry.value()).sum::<u32>();
        assert_eq!((sum, (&map).into_iter().count()), (49 * 50 + 50, 50));
        let first = map.iter().next().unwrap();
        assert!(map.try_get_mut(first.key()).is_locked());
        drop(first);
        assert_eq!(map.shards().iter().map(|shard| shard.read().len()).sum::<usize>(), 50);
        assert_eq!(map.determine_map(&7), map.determine_shard(map.hash_usize(&7)));
        let view = map.into_read_only();
        assert_eq!((view.len(), view.get(&3), view.get_key_value(&50)), (50, Some(&4), None));
        assert_eq!((view.keys().count(), view.values().sum::<u32>()), (50, 49 * 25 + 50));
        assert_eq!(view.into_inner().into_shards().len(), DashSet::<u8>::new().shards().len());
        let set: DashSet<_> = (0..10).collect();
        assert_eq!((set.insert(1), set.insert(10), set.remove(&0), set.remove_if(&1, |_| false)), (false, true, Some(0), None));
        set.retain(|key| *key < 2);
        assert_eq!((set.get(&1).as_deref(), set.iter().count()), (Some(&1), 1));
        assert!(set.into_iter().eq([1]));
    }

    #[test]
    fn limits_of_a_map() {
        assert_eq!(panics(|| DashMap::<u8, u8>::with_shard_amount(1)), "assertion failed: shard_amount > 1");
        let three = || DashMap::<u8, u8>::with_capacity_and_shard_amount(5, 3);
        assert_eq!(panics(three), "assertion failed: shard_amount.is_power_of_two()");
        let mut map = DashMap::<u8, u64>::with_capacity_and_shard_amount(64, 4);
        assert!(map.capacity() >= 64 && map.try_reserve(1000).is_ok() && map.capacity() >= 4000);
        let error = map.try_reserve(usize::MAX).unwrap_err();
        assert_eq!(format!("{error:?}"), "TryReserveError");
    }

    #[test]
    fn a_reference_may_be_dropped_by_another_thread() {
        let map: DashMap<_, _> = [(1, 2)].into_iter().collect();
        let reference = map.get(&1).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| drop(reference));
        });
        assert_eq!(map.insert(1, 3), Some(2));
        assert!(catch_unwind(AssertUnwindSafe(|| {
            let _held = map.get_mut(&1);
            panic!("a shard is not poisoned");
        }))
        .is_err());
        assert_eq!(map.insert(1, 4), Some(3));
    }

    #[test]
    fn cells() {
        static CELL: OnceCell<u32> = OnceCell::new();
        static LAZY: Lazy<Vec<u32>> = Lazy::new(|| vec![1, 2]);
        assert_eq!((CELL.get(), CELL.set(1), CELL.set(2), CELL.try_insert(3)), (None, Ok(()), Err(2), Err((&1, 3))));
        assert_eq!((LAZY.len(), Lazy::get(&LAZY).is_some(), CELL.wait()), (2, true, &1));
        let mut cell = OnceCell::with_value(5);
        *cell.get_mut().unwrap() += 1;
        assert_eq!((cell.clone(), format!("{cell:?}"), cell.take(), cell.get()), (6.into(), "OnceCell(6)".into(), Some(6), None));
        assert_eq!((cell.get_or_try_init(|| Err("no")), cell.get_or_init(|| 7)), (Err("no"), &7));
        assert_eq!(cell.into_inner(), Some(7));
        let poisoned = Lazy::<u8, _>::new(|| panic!("it fails"));
        assert_eq!(panics(|| *poisoned), "it fails");
        assert_eq!(panics(|| *poisoned), "Lazy instance has previously been poisoned");
        let (cell, barrier) = (OnceCell::new(), Barrier::new(4));
        thread::scope(|scope| {
            let runs = [(); 4].map(|()| scope.spawn(|| {
                barrier.wait();
                let mut ran = 0;
                cell.get_or_init(|| ran += 1);
                ran
            }));
            assert_eq!(runs.into_iter().map(|run| run.join().unwrap()).sum::<u32>(), 1);
        });
    }

    #[test]
    fn channels() {
        let (sender, receiver) = bounded(1);
        assert_eq!((sender.send(1), sender.try_send(2), sender.capacity()), (Ok(()), Err(TrySendError::Full(2)), Some(1)));
        let begin = Instant::now();
        assert_eq!(sender.send_timeout(2, SHORT), Err(SendTimeoutError::Timeout(2)));
        assert!(begin.elapsed() >= SHORT && sender.is_full() && receiver.len() == 1);
        assert_eq!((receiver.recv(), receiver.try_recv()), (Ok(1), Err(TryRecvError::Empty)));
        assert_eq!(receiver.recv_deadline(Instant::now()), Err(RecvTimeoutError::Timeout));
        let (other, nothing) = unbounded::<u8>();
        sender.send(3).unwrap();
        select! {
            recv(receiver) -> message => assert_eq!(message, Ok(3)),
            recv(nothing) -> message => panic!("{message:?}"),
        }
        assert!(sender.same_channel(&sender.clone()));
        drop(other);
        assert_eq!((nothing.recv().unwrap_err().to_string(), nothing.iter().count()), ("receiving on an empty and disconnected channel".into(), 0));
        drop(receiver);
        assert_eq!(sender.send(4).unwrap_err().to_string(), "sending on a disconnected channel");
        let (sender, receiver) = bounded(0);
        let sender = Arc::new(sender);
        thread::scope(|scope| {
            scope.spawn(|| (0..3).for_each(|i| sender.send(i).unwrap()));
            assert_eq!(receiver.iter().take(3).collect::<Vec<_>>(), [0, 1, 2]);
        });
    }
}
