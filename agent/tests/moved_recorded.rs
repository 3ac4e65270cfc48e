//! Whose an end of a channel or a guard is that goes along with a spawn.
#![cfg(all(target_os = "linux", feature = "record", feature = "full"))]
mod recording;

use lockprof::{thread, tokio};
use lockprof_trace::{Kind, Party, Role};
use recording::{line, record};

/// Captured beside ends, so that these lie somewhere inside.
type Ballast = [u8; 301];

#[test]
fn what_goes_along_is_owned_by_who_was_spawned() {
    let mut lines = [0; 2];
    let trace = record(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let ballast: Ballast = [7; 301];
        let begun = std::sync::Arc::new(std::sync::Barrier::new(3));
        runtime.block_on(async {
            // One end in a job, the other in a thread with a guard; and one end that stays.
            let (sender, receiver) = tokio::sync::mpsc::channel::<u8>(1);
            lines[0] = line() - 1;
            let meet = begun.clone();
            tokio::task::spawn_blocking(move || {
                let _kept = (sender, ballast);
                meet.wait();
                std::thread::park();
            });
            let guard = std::sync::Arc::new(tokio::sync::Mutex::new(0)).lock_owned().await;
            let meet = begun.clone();
            thread::spawn(move || {
                let _kept = (guard, receiver, ballast);
                meet.wait();
                std::thread::park();
            });
            let (stays, ended) = tokio::sync::oneshot::channel::<u8>();
            lines[1] = line() - 1;
            std::mem::forget(stays);
            drop(ended);
            begun.wait();
        });
        std::mem::forget(runtime);
    });
    let channel = trace.object(Kind::TokioChannel, lines[0]);
    let stayed = trace.object(Kind::TokioOneshot, lines[1]);
    let handles = trace.handles();
    let spawner = handles.iter().find(|handle| handle.1 == stayed).expect("it went nowhere").2;
    let ours = handles.iter().filter(|(role, object, ..)| *object == channel || *role == Role::Exclusive);
    let mut handles: Vec<(Role, Party)> = ours.map(|(role, _, party, _)| (*role, *party)).collect();
    handles.sort();
    let [(Role::Exclusive, holder), (Role::Sender, sender), (Role::Receiver, receiver)] = handles[..] else {
        panic!("{handles:?}");
    };
    assert!(sender.is_task() && spawner.is_thread());
    assert!(receiver.is_thread() && receiver != spawner && receiver == holder);
}
