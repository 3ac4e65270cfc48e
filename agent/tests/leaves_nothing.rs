//! `#[lockprof::test]`: tests side by side in one process, some of which leave something behind.
#![cfg(all(target_os = "linux", feature = "live", feature = "full"))]
use lockprof::sync::Mutex;
use lockprof::tokio::sync::{mpsc, oneshot};
use lockprof::{thread, tokio, watch::Watcher};
use std::sync::Arc;
use std::time::Duration;

#[lockprof::test]
fn who_joins_leaves_nothing() {
    let total = Arc::new(Mutex::new(0));
    let adds = total.clone();
    thread::spawn(move || *adds.lock().unwrap() += 1).join().unwrap();
    assert_eq!(*total.lock().unwrap(), 1);
}

#[lockprof::test]
async fn tasks_that_end_leave_nothing() {
    let (sender, mut receiver) = mpsc::channel(1);
    let task = tokio::spawn(async move { sender.send(7).await.unwrap() });
    assert_eq!(receiver.recv().await, Some(7));
    task.await.unwrap();
}

#[lockprof::test]
async fn a_task_goes_with_its_runtime() {
    // A timer would wake it: it is not stuck until then, however long that takes on a busy machine.
    tokio::spawn(tokio::time::sleep(Duration::from_secs(3_600)));
    tokio::task::yield_now().await;
}

#[lockprof::test]
#[should_panic(expected = "waits at agent/tests/leaves_nothing.rs:37:")]
fn a_thread_that_waits_for_ever() {
    let (sender, receiver) = lockprof::sync::mpsc::channel::<()>();
    std::mem::forget(sender);
    thread::spawn(move || receiver.recv());
}

#[lockprof::test]
#[should_panic(expected = "the exclusive guard was not given back: std::sync::Mutex created at")]
fn a_guard_that_is_forgotten() {
    std::mem::forget(Mutex::new(0).lock().unwrap());
}

#[lockprof::test]
#[should_panic(expected = "a watcher was not released, registered at agent/tests/leaves_nothing.rs")]
fn a_watcher_that_is_forgotten() {
    std::mem::forget(Watcher::new("config"));
}

#[lockprof::test]
#[should_panic(expected = "lives on, spawned at agent/tests/leaves_nothing.rs")]
fn what_a_child_has_spawned_counts() {
    thread::spawn(|| drop(thread::spawn(std::thread::park))).join().unwrap();
}

#[lockprof::test]
#[should_panic(expected = "its own words")]
fn a_test_that_fails_says_why() {
    std::mem::forget(Watcher::new("config"));
    panic!("its own words");
}

#[test]
fn by_hand() {
    let scope = lockprof::test::Scope::begin();
    let (done, is_done) = oneshot::channel();
    let worker = thread::spawn(move || is_done.blocking_recv());
    done.send(1).unwrap();
    assert_eq!(worker.join().unwrap(), Ok(1));
    scope.assert_clean();
}
