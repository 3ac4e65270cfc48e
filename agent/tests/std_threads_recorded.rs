//! Threads: what a recording says of their lives, and of who waits for their ends.
#![cfg(all(target_os = "linux", feature = "record"))]
mod recording;

use lockprof::thread::{self, Builder};
use lockprof_trace::{Event, Kind, Operation, Outcome, Party, WaitEnd};
use recording::{Sleeper, line, record};
use std::sync::{Arc, mpsc};

#[test]
fn threads_are_recorded() {
    let long = "a name that is longer than the system allows";
    let (mut spawned, mut joined, mut scoped, mut within) = (0, 0, 0, 0);
    let trace = record(|| {
        let builder = Builder::new().name(long.into());
        spawned = line() + 1;
        let child = builder.spawn(|| {
            let grandchild = Builder::new().name("grandchild".into()).spawn(|| 3).unwrap();
            grandchild.join().unwrap()
        });
        let child = child.unwrap();
        joined = line() + 1;
        assert_eq!(child.join().unwrap(), 3);

        let child = Builder::new().name("panics".into()).spawn(|| std::panic::resume_unwind(Box::new(())));
        child.unwrap().join().unwrap_err();

        // A scope that waits at its end, for the one thread of two that still runs.
        let (sender, receiver) = mpsc::channel::<()>();
        let main = Arc::new(Sleeper::new());
        main.blocks();
        scoped = line() + 1;
        thread::scope(|scope| {
            scope.spawn(|| ()).join().unwrap();
            // The end of a scope within does not wait for what is spawned in the one around it.
            within = line() + 1;
            thread::scope(|_| {
                let left = Builder::new().name("left to the end".into());
                left.spawn_scoped(scope, move || receiver.recv().unwrap_err()).unwrap();
            });
            let main = main.clone();
            std::thread::spawn(move || {
                main.wait();
                drop(sender);
            });
        });
    });

    let (child, _, class) = trace.thread(long);
    assert_eq!(class, trace.class(Kind::Thread, spawned));
    let (grandchild, parent, _) = trace.thread("grandchild");
    assert_eq!(parent, child);
    assert_ne!(grandchild, child);
    let (panics, ..) = trace.thread("panics");
    assert_eq!(trace.outcome(child), Some(Outcome::Finished));
    assert_eq!(trace.outcome(panics), Some(Outcome::Panicked));

    let joins = trace.waits(Operation::Join);
    let join = joins.iter().find(|wait| wait.line == joined).unwrap();
    assert_eq!((join.holder, join.end), (child, Some(WaitEnd::Done)));
    let join = joins.iter().find(|wait| wait.line == scoped).unwrap();
    assert_eq!(join.holder, trace.thread("left to the end").0);
    let join = joins.iter().find(|wait| wait.line == within).unwrap();
    assert_eq!(join.holder, Party::UNKNOWN);

    // Told now and then, and at the end: nobody is left.
    let last = trace.events().iter().rev().find_map(|event| match event {
        Event::Population { class: of, live, .. } if *of == class => Some(*live),
        _ => None,
    });
    assert!(last.is_none_or(|live| live == 0), "{last:?}");
}
