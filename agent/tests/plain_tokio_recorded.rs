//! Code that uses tokio plainly: with `RUSTFLAGS="--cfg tokio_unstable"` and the feature `tracing` its tasks and
//! their waits are recorded, and what the wrappers record is not recorded twice.
#![cfg(all(target_os = "linux", tokio_unstable, feature = "tracing", feature = "tokio"))]
mod recording;

use lockprof_trace::{Event, Kind, Operation, Party, WaitEnd};
use recording::{Trace, line, record};
use std::sync::Arc;
use tracing::{Instrument, info_span};
use tracing_subscriber::layer::SubscriberExt;

/// The tasks spawned at this line.
fn tasks(trace: &Trace, line: u32) -> Vec<Party> {
    let wanted = trace.class(Kind::Task, line);
    let born = |event: &Event<'_>| match event {
        Event::Task { task, class, .. } if *class == wanted => Some(*task),
        _ => None,
    };
    trace.events().iter().filter_map(born).collect()
}

fn has_ended(trace: &Trace, wanted: Party) -> bool {
    trace.events().iter().any(|event| matches!(event, Event::TaskEnd { task, .. } if *task == wanted))
}

#[test]
fn tasks_and_waits_of_plain_tokio_are_told() {
    let subscriber = tracing_subscriber::registry().with(lockprof::layer());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut lines = [0; 6];

    let trace = record(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (plain, at) = (Arc::new(tokio::sync::Mutex::new(())), line());
            lines[0] = at;
            let guard = plain.clone().lock_owned().await;
            let waiter = plain.clone();
            let waits =
                async move { drop(waiter.lock().await) }.instrument(info_span!("request", trace_id = "r-1"));
            let (task, at) = (tokio::spawn(waits), line());
            lines[1] = at;
            tokio::task::yield_now().await;
            drop(guard);
            task.await.unwrap();

            // A wait that never ends, of a task that lives on.
            let ((end, other), at) = (tokio::sync::oneshot::channel::<()>(), line());
            lines[2] = at;
            let (task, at) = (tokio::spawn(async { drop(other.await) }), line());
            lines[3] = at;
            tokio::task::yield_now().await;
            std::mem::forget((end, task));

            // The wrapper's own is recorded by the wrapper alone.
            let (ours, at) = (Arc::new(lockprof::tokio::sync::Mutex::new(())), line());
            lines[4] = at;
            let guard = ours.clone().lock_owned().await;
            let waiter = ours.clone();
            let (task, at) = (lockprof::tokio::spawn(async move { drop(waiter.lock().await) }), line());
            lines[5] = at;
            tokio::task::yield_now().await;
            drop(guard);
            task.await.unwrap();
        });
        std::mem::forget(runtime);
    });

    let [plain, spawned, channel, lives, ours, wrapped] = lines;
    let [task] = tasks(&trace, spawned)[..] else { panic!("one task from line {spawned}") };
    assert!(has_ended(&trace, task));
    let [stuck] = tasks(&trace, lives)[..] else { panic!("one task from line {lives}") };
    assert!(!has_ended(&trace, stuck));
    assert_eq!(tasks(&trace, wrapped).len(), 1, "a task is recorded once");

    let (lock, own) = (trace.object(Kind::TokioResource, plain), trace.object(Kind::TokioMutex, ours));
    let waits = trace.waits(Operation::Lock);
    let told: Vec<_> = waits.iter().map(|wait| (wait.object, wait.end)).collect();
    assert_eq!(told, [(lock, Some(WaitEnd::Done)), (own, Some(WaitEnd::Done))]);
    assert_eq!(waits[0].party, task);
    assert!(trace.objects(Kind::TokioResource, ours).is_empty());
    let open = trace.waits(Operation::Recv);
    let open: Vec<_> = open.iter().map(|wait| (wait.party, wait.object, wait.end)).collect();
    assert_eq!(open, [(stuck, trace.object(Kind::TokioResource, channel), None)]);

    // The wait is the request's.
    let within = trace.events().windows(2).find_map(|pair| match pair {
        [Event::Within { span }, Event::Wait { object, .. }] if *object == lock => Some(*span),
        _ => None,
    });
    let request = trace.events().iter().any(|event| {
        matches!(event, Event::Span { span, trace_id, .. } if Some(*span) == within && trace_id == "r-1")
    });
    assert!(request, "{within:?}");
}
