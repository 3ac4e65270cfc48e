//! Whose an end of a channel is that a spawned future has captured.
#![cfg(all(target_os = "linux", feature = "record", feature = "full"))]
mod recording;

use lockprof::tokio;
use lockprof_trace::{Kind, Role};
use recording::{line, record};

#[test]
fn what_a_future_has_captured_is_most_likely_its_tasks() {
    let mut made = 0;
    let trace = record(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (sender, receiver) = tokio::sync::mpsc::channel::<u8>(1);
            made = line() - 1;
            tokio::spawn(async move {
                let _kept = sender;
                std::future::pending::<()>().await;
            });
            std::mem::forget(receiver);
        });
        std::mem::forget(runtime);
    });
    let channel = trace.object(Kind::TokioChannel, made);
    let handles = trace.handles();
    let owner =
        |role| handles.iter().find(|handle| (handle.0, handle.1) == (role, channel)).expect("it lives").2;
    assert!(owner(Role::Sender).is_task() && owner(Role::Receiver).is_thread());
}
