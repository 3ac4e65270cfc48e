//! Maps as maps: the same with and without recording.
use lockprof::map::{Refused, SafeMap, SnapshotMap, StateMap, Versions};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

type Hasher = BuildHasherDefault<DefaultHasher>;
static GLOBAL: SafeMap<&str, u32, Hasher> = SafeMap::with_hasher(Hasher::new());

#[test]
fn everyday_methods() {
    let map = SafeMap::with_capacity(10);
    assert!(map.is_empty() && map.capacity() >= 10);
    assert_eq!((map.insert("a".to_string(), 1), map.insert("a".to_string(), 2)), (None, Some(1)));
    assert_eq!((map.get("a"), map.get("b"), map.with("a", |value| value * 2)), (Some(2), None, Some(4)));
    assert!(map.contains_key("a") && !map.contains_key("b"));
    assert_eq!(map.get_or_insert_with("b".into(), || 3), 3);
    assert_eq!(map.get_or_insert_with("b".into(), || unreachable!()), 3);
    assert_eq!((map.update("b", |value| *value += 1), map.update("c", |_| ())), (Some(()), None));
    assert_eq!(map.update_or_insert_with("c".into(), || 10, |value| *value + 1), 11);
    map.alter("c".into(), |value| value.map(|value| value + 1));
    map.alter("d".into(), |value| value.or(Some(0)));
    map.alter("e".into(), |value| value);
    map.alter("d".into(), |_| None);
    assert_eq!(map.snapshot(), HashMap::from([("a".into(), 2), ("b".into(), 4), ("c".into(), 11)]));
    let (mut keys, mut values) = (map.keys(), map.values());
    keys.sort();
    values.sort();
    assert_eq!((keys, values), (vec!["a".into(), "b".into(), "c".into()], vec![2, 4, 11]));
    assert_eq!((map.remove_if("a", |value| *value == 3), map.remove_if("a", |_| true)), (None, Some(2)));
    assert_eq!((map.remove("a"), map.remove_entry("b")), (None, Some(("b".into(), 4))));
    map.for_each_mut(|_, value| *value += 1);
    map.for_each(|key, value| assert_eq!((key.as_str(), *value), ("c", 12)));
    map.insert_all([("f".into(), 1), ("g".into(), 2)]);
    map.retain(|_, value| *value == 2);
    assert_eq!((map.len(), format!("{map:?}")), (1, r#"{"g": 2}"#.into()));
    map.reserve(100);
    assert!(map.capacity() > 100);
    assert_eq!(map.take().len(), 1);
    map.shrink_to_fit();
    assert_eq!((map.len(), map.capacity()), (0, 0));
}

#[test]
fn guards_are_the_map() {
    let map: SafeMap<_, _> = (0..5).map(|key| (key, key * key)).collect();
    assert_eq!(map.read().values().sum::<i32>(), 30);
    let mut guard = map.write();
    *guard.entry(7).or_insert(0) += 1;
    assert_eq!((guard.insert(8, 1), guard.remove(&0), guard.remove_entry(&0)), (None, Some(0), None));
    guard.extend([(9, 1)]);
    guard.retain(|key, _| *key > 3);
    drop(guard);
    let mut keys = map.keys();
    keys.sort();
    assert_eq!(keys, [4, 7, 8, 9]);
    map.write().clear();
    assert!(map.into_inner().is_empty());
}

#[test]
fn made_of_other_things() {
    let mut map = SafeMap::from([(1, 'a')]);
    (&map).extend([(2, 'b')]);
    map.extend([(3, 'c')]);
    map.get_mut().insert(4, 'd');
    let copy = map.clone();
    map.clear();
    assert_eq!((map.len(), copy.len()), (0, 4));
    let back: HashMap<_, _> = copy.into_iter().collect();
    assert_eq!(SafeMap::from(back.clone()).into_inner(), back);
    assert!(SafeMap::<u8, u8>::default().is_empty());
}

#[test]
fn a_panic_under_the_lock_does_not_poison() {
    let map = SafeMap::from([(1, 1)]);
    let failed = catch_unwind(AssertUnwindSafe(|| {
        map.update(&1, |value| {
            *value = 2;
            panic!("under the lock");
        })
    }));
    assert!(failed.is_err());
    assert_eq!(map.get(&1), Some(2));
    map.insert(1, 3);
    assert_eq!(map.into_inner()[&1], 3);
}

#[test]
fn no_update_is_lost() {
    let map = Arc::new(SafeMap::new());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let map = map.clone();
            thread::spawn(move || {
                for key in (0..1000).map(|i| i % 10) {
                    map.update_or_insert_with(key, || 0, |value| *value += 1);
                    GLOBAL.update_or_insert_with("all", || 0, |value| *value += 1);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(map.values().iter().all(|value| *value == 400));
    assert_eq!(GLOBAL.get("all"), Some(4000));
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Job {
    Pending,
    Running,
    Done,
}
use Job::{Done, Pending, Running};

#[test]
fn a_state_is_changed_by_who_knows_it() {
    let jobs = StateMap::with_transitions([(Pending, Running), (Running, Done)]);
    assert_eq!((jobs.insert("a", Pending), jobs.insert("a", Done)), (Ok(()), Err(Refused::Other(Pending))));
    assert_eq!(jobs.compare_and_set("a", &Pending, Done), Err(Refused::Illegal));
    assert_eq!(jobs.compare_and_set("a", &Pending, Running), Ok(()));
    assert_eq!(jobs.compare_and_set("a", &Pending, Running), Err(Refused::Other(Running)));
    assert_eq!(jobs.compare_and_set("b", &Pending, Running), Err(Refused::Absent));
    assert_eq!(
        (jobs.set("a", Done), jobs.set("a", Running), jobs.set("b", Done)),
        (Some(Running), Some(Done), None)
    );
    assert_eq!((jobs.get("a"), jobs.get("c"), jobs.len()), (Some(Running), None, 2));
    assert_eq!((jobs.remove("b"), jobs.remove("b"), jobs.contains_key("b")), (Some(Done), None, false));
    jobs.for_each(|key, state| assert_eq!((*key, *state), ("a", Running)));
    assert_eq!((format!("{jobs:?}"), jobs.is_empty()), (r#"{"a": Running}"#.into(), false));
    assert_eq!(Refused::Other(Done).to_string(), "another state is there: Done");

    static ANY: StateMap<u8, &str, Hasher> = StateMap::with_hasher(Hasher::new());
    assert_eq!((ANY.insert(1, "x"), ANY.compare_and_set(&1, &"x", "x")), (Ok(()), Ok(())));
    let growing = StateMap::with_rule(|from: &u32, to| from < to);
    assert_eq!(growing.insert((), 1), Ok(()));
    assert_eq!(growing.compare_and_set(&(), &1, 0), Err(Refused::Illegal));
    assert_eq!(growing.compare_and_set(&(), &1, 2), Ok(()));
}

#[test]
fn of_many_who_start_a_job_one_does() {
    let jobs = Arc::new(StateMap::with_transitions([(Pending, Running)]));
    (0..100).for_each(|job| assert_eq!(jobs.insert(job, Pending), Ok(())));
    let starters: Vec<_> = (0..4)
        .map(|_| {
            let jobs = jobs.clone();
            thread::spawn(move || {
                (0..100).filter(|job| jobs.compare_and_set(job, &Pending, Running).is_ok()).count()
            })
        })
        .collect();
    assert_eq!(starters.into_iter().map(|starter| starter.join().unwrap()).sum::<usize>(), 100);
}

#[test]
fn a_snapshot_is_of_one_version() {
    let map: SnapshotMap<_, _> = (0..10).map(|key| (key, 0)).collect();
    assert_eq!((map.len(), map.is_empty(), map.version()), (10, false, 0));
    thread::scope(|scope| {
        scope.spawn(|| {
            (1..200).for_each(|version| map.update(|map| map.values_mut().for_each(|value| *value = version)))
        });
        let mut last = 0;
        while last < 199 {
            let snapshot = map.load();
            assert!(
                snapshot.values().all(|value| *value == snapshot.version()) && snapshot.version() >= last
            );
            last = snapshot.version();
        }
    });
    let before = map.load();
    assert_eq!((map.insert(10, 7), map.remove(&0), map.remove(&0)), (None, Some(199), None));
    assert_eq!(
        (map.get(&10), map.with(&10, |value| value + 1), map.contains_key(&0)),
        (Some(7), Some(8), false)
    );
    assert_eq!((map.version(), before.clone().len(), before.contains_key(&0)), (201, 10, true));
    assert!(
        catch_unwind(AssertUnwindSafe(|| map.update(|map| {
            map.clear();
            panic!("nothing of this is published")
        })))
        .is_err()
    );
    assert_eq!(map.replace(HashMap::from([(1, 2)])).len(), 10);
    assert_eq!((format!("{map:?} {:?}", map.load()), map.version()), ("{1: 2} {1: 2}".into(), 202));
    assert_eq!((map.into_inner(), SnapshotMap::<u8, u8>::new().is_empty()), (HashMap::from([(1, 2)]), true));
}

/// A value whose drop comes back to the map.
#[derive(Clone)]
struct Returns(Arc<SnapshotMap<u8, Option<Returns>>>);

impl Drop for Returns {
    fn drop(&mut self) {
        drop(self.0.remove(&1));
    }
}

#[test]
fn what_a_snapshot_drops_may_write_again() {
    let map = Arc::new(SnapshotMap::new());
    map.insert(1, None);
    map.insert(2, Some(Returns(map.clone())));
    map.replace(HashMap::from([(1, None)]));
    assert!(map.is_empty());
}

#[test]
fn a_read_is_stale_that_could_have_seen_a_later_write() {
    let versions = Versions::<u8>::new();
    let write = || versions.write(&1);
    let first = write();
    assert!(!versions.read(&1).is_stale(0), "nothing is complete");
    let second = write();
    assert_eq!((first.version(), second.version()), (1, 2));
    second.complete();
    let read = versions.read(&1);
    assert!(read.is_stale(0) && !read.is_stale(1) && !read.is_stale(2), "the writes overlap");
    first.complete();
    let during = versions.read(&1);
    drop(write());
    assert!(!versions.read(&1).is_stale(2), "it failed");
    write().complete();
    assert!(versions.read(&1).is_stale(2) && !versions.read(&1).is_stale(4));
    assert!(!during.is_stale(2), "it began before");
    versions.forget(&1);
    assert!(!versions.read(&1).is_stale(0) && !versions.read(&2).is_stale(0));
}
