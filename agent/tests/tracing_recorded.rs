//! Tracing spans: what happens in them says so, each is told once, and of their fields the trace id alone is recorded.
#![cfg(all(target_os = "linux", feature = "tracing", feature = "tokio"))]
mod recording;

use lockprof::sync::Mutex;
use lockprof::{thread, tokio};
use lockprof_trace::Event;
use recording::{Sleeper, Trace, record};
use std::collections::HashMap;
use tracing::{Instrument, info_span};
use tracing_subscriber::layer::SubscriberExt;

static STOCK: Mutex<u32> = Mutex::new(0);

/// Waits for the lock once, in the span that the thread is in when `block` takes it.
fn waits(block: impl FnOnce() + Send) {
    let sleeper = Sleeper::new();
    let guard = STOCK.lock().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            sleeper.blocks();
            block();
        });
        sleeper.wait();
        drop(guard);
    });
}

fn lock() {
    *STOCK.lock().unwrap() += 1;
}

/// The spans of a trace by number: name, trace id, parent.
fn spans(trace: &Trace) -> HashMap<u64, (&str, &str, u64)> {
    let span = |event| match event {
        &Event::Span { span, parent, ref name, ref trace_id, .. } => {
            Some((span, (&**name, &**trace_id, parent)))
        }
        _ => None,
    };
    trace.events().iter().filter_map(span).collect()
}

/// The spans of all events of one sort, each as the names and the trace ids from the innermost out.
fn within(trace: &Trace, of: impl Fn(&Event<'_>) -> bool) -> Vec<String> {
    let spans = spans(trace);
    let name = |mut span: u64| {
        let mut path = vec![];
        while let Some((name, id, parent)) = spans.get(&span) {
            path.push(format!("{name}[{id}]"));
            span = *parent;
        }
        path.join(" ")
    };
    let pairs = trace.events().windows(2).filter(|pair| of(&pair[1]));
    let mut found: Vec<String> = pairs
        .map(|pair| match pair[0] {
            Event::Within { span } => name(span),
            _ => "-".into(),
        })
        .collect();
    found.sort();
    found
}

#[test]
fn waits_and_tasks_are_told_with_their_spans() {
    let subscriber = tracing_subscriber::registry().with(lockprof::layer().trace_id_field("request"));
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let held = std::sync::Arc::new(Mutex::new(()));
    let sleeper: &'static Sleeper = Box::leak(Box::new(Sleeper::new()));

    let trace = record(|| {
        waits(lock);
        // A span of the same place and trace id is one, however often it is made.
        for _ in 0..2 {
            waits(|| {
                let request = info_span!("request", request = "r-1", user = "secret-user").entered();
                let load = info_span!("load", query = "secret-query").entered();
                lock();
                drop((load, request));
            });
        }
        // The id may come later, and be any value.
        waits(|| {
            let request = info_span!("late", request = tracing::field::Empty);
            request.record("request", 77);
            let _entered = request.enter();
            info_span!("uncontended", request = "never-told").in_scope(|| ());
            lock();
        });
        // Left in another order than entered: the thread is in what it has not left.
        waits(|| {
            let (outer, inner) = (info_span!("outer"), info_span!("inner"));
            let (outer, inner) = (outer.entered(), inner.entered());
            drop(outer);
            lock();
            drop(inner);
            lock();
        });

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let spawn = async {
                tokio::spawn(async {}).await.unwrap();
            };
            spawn.instrument(info_span!("spawner", request = "r-2")).await;
            tokio::spawn(async {}).await.unwrap();
        });

        // What never ends has its span as well.
        let guard = Box::leak(Box::new(held.clone()));
        let guard = guard.lock().unwrap();
        let stuck = held.clone();
        thread::spawn(move || {
            let _span = info_span!("for ever", request = "r-3").entered();
            sleeper.blocks();
            drop(stuck.lock());
        });
        sleeper.wait();
        std::mem::forget(guard);
    });

    let wait =
        |event: &Event<'_>| matches!(event, Event::Wait { operation: lockprof_trace::Operation::Lock, .. });
    assert_eq!(
        within(&trace, wait),
        ["-", "inner[]", "late[77]", "load[] request[r-1]", "load[] request[r-1]"]
    );
    assert_eq!(within(&trace, |event| matches!(event, Event::Task { .. })), ["-", "spawner[r-2]"]);
    assert_eq!(within(&trace, |event| matches!(event, Event::OpenWait { .. })), ["for ever[r-3]"]);
    let mut names: Vec<&str> = spans(&trace).values().map(|(name, ..)| *name).collect();
    names.sort_unstable();
    assert_eq!(names, ["for ever", "inner", "late", "load", "request", "spawner"]);
    let all = format!("{:?}", trace.events());
    assert!(!all.contains("secret") && !all.contains("never-told"), "no other value is recorded");
}
