//! Two runtimes of one worker each: a task of either waits, as threads do, for a task that it spawned on the other.
use crate::stage::{fixed, meet, party};
use lockprof::sync::mpsc;
use lockprof::tokio::runtime::{Builder, Handle};

fn ask(other: &Handle) {
    let (answer, answered) = mpsc::channel(); //~ new answers
    other.spawn(async move { answer.send(7) }); //~ spawn answer
    answered.recv().unwrap(); //~ wait askers
}

pub fn play() {
    let runtime = || Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (one, other) = (runtime(), runtime());
    let asks = |runtime: &Handle, other: &Handle| {
        let (blocking, other) = (runtime.clone(), other.clone());
        runtime.spawn(async move {
            meet(2);
            if fixed() {
                blocking.spawn_blocking(move || ask(&other)).await.unwrap();
            } else {
                ask(&other);
            }
        })
    };
    let both = [asks(one.handle(), other.handle()), asks(other.handle(), one.handle())];
    party(move || {
        let waits = Builder::new_current_thread().build().unwrap();
        waits.block_on(async {
            for asked in both {
                asked.await.unwrap(); //~ behind main
            }
        });
        drop((one, other));
    });
}
