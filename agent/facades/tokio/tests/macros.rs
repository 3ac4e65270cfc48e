//! Macros that name their own crate, as a user of the facade writes them: what they make is recorded.
use std::any::TypeId;
use tokio::sync::{Mutex, oneshot};

tokio::task_local! {
    static REQUEST: u32;
}

#[tokio::main(flavor = "current_thread")]
async fn main_of_a_program() -> u32 {
    tokio::spawn(REQUEST.scope(7, async { REQUEST.get() })).await.unwrap()
}

#[test]
fn a_main_runs() {
    assert_eq!(main_of_a_program(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn macros_work_with_recorded_types() {
    let (sender, receiver) = oneshot::channel();
    let lock = Mutex::new(1);
    let held = lock.lock().await;
    let waiting = lock.lock();
    tokio::pin!(waiting);
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("it is held"),
        () = async { sender.send(2).unwrap() } => {}
    }
    drop(held);
    let (guard, received) = tokio::join!(waiting, receiver);
    assert_eq!((*guard, received), (1, Ok(2)));
    let both = tokio::try_join!(async { Ok::<_, ()>(1) }, async { Err::<(), _>(()) });
    assert_eq!(both, Err(()));
}

#[test]
fn types_are_lockprofs() {
    assert_eq!(TypeId::of::<Mutex<u8>>(), TypeId::of::<lockprof::tokio::sync::Mutex<u8>>());
    assert_ne!(TypeId::of::<Mutex<u8>>(), TypeId::of::<original::sync::Mutex<u8>>());
    assert_eq!(TypeId::of::<tokio::time::Instant>(), TypeId::of::<original::time::Instant>());
}
