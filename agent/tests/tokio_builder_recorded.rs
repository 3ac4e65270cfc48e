//! Tasks that are spawned by a builder. Run it with `RUSTFLAGS="--cfg tokio_unstable"`.
#![cfg(all(target_os = "linux", tokio_unstable, feature = "record", feature = "tokio"))]
mod recording;

use lockprof::tokio;
use lockprof_trace::{Event, Kind, Outcome, Party};
use recording::{Trace, line, record};
use std::future::pending;
use tokio::task::{Builder, JoinSet, LocalSet};

/// How the one task spawned at this line ended.
fn ended(trace: &Trace, kind: Kind, line: u32) -> Outcome {
    let wanted = trace.class(kind, line);
    let born = |event: &Event<'_>| match event {
        Event::Task { task, class, .. } if *class == wanted => Some(*task),
        _ => None,
    };
    // Told again where its runtime is first known by its first poll.
    let mut tasks: Vec<Party> = trace.events().iter().filter_map(born).collect();
    tasks.dedup();
    let [task] = tasks[..] else { panic!("spawned at line {line}: {tasks:?}") };
    let end = |event: &Event<'_>| match event {
        Event::TaskEnd { task: ended, outcome, .. } if *ended == task => Some(*outcome),
        _ => None,
    };
    trace.events().iter().find_map(end).unwrap()
}

#[test]
fn built_tasks_are_recorded() {
    let [mut tasks, mut jobs, mut aborted] = [vec![], vec![], vec![]];
    let trace = record(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let local = LocalSet::new();
        let there = runtime.handle();
        let new = || Builder::new().name("named");
        runtime.block_on(local.run_until(async {
            let (task, at) = (new().spawn(async {}).unwrap(), line());
            task.await.unwrap();
            tasks.push(at);
            let (task, at) = (new().spawn_on(async {}, there).unwrap(), line());
            task.await.unwrap();
            tasks.push(at);
            let (task, at) = (new().spawn_local(async {}).unwrap(), line());
            task.await.unwrap();
            tasks.push(at);
            let (task, at) = (new().spawn_local_on(async {}, &local).unwrap(), line());
            task.await.unwrap();
            tasks.push(at);
            let (job, at) = (new().spawn_blocking(|| 1).unwrap(), line());
            assert_eq!(job.await.unwrap(), 1);
            jobs.push(at);
            let (job, at) = (new().spawn_blocking_on(|| 2, there).unwrap(), line());
            assert_eq!(job.await.unwrap(), 2);
            jobs.push(at);

            let mut set = JoinSet::new();
            let (_, at) = (set.build_task().name("of a set").spawn(async {}).unwrap(), line());
            tasks.push(at);
            let (_, at) = (set.build_task().spawn_on(async {}, there).unwrap(), line());
            tasks.push(at);
            let (_, at) = (set.build_task().spawn_local(async {}).unwrap(), line());
            tasks.push(at);
            let (_, at) = (set.build_task().spawn_local_on(async {}, &local).unwrap(), line());
            tasks.push(at);
            let (_, at) = (set.build_task().spawn_blocking(|| ()).unwrap(), line());
            jobs.push(at);
            let (_, at) = (set.build_task().spawn_blocking_on(|| (), there).unwrap(), line());
            jobs.push(at);
            while let Some(joined) = set.join_next().await {
                joined.unwrap();
            }
            let (_, at) = (set.build_task().spawn(pending()).unwrap(), line());
            aborted.push(at);
            tokio::task::yield_now().await;
            drop(set);
            tokio::task::yield_now().await;
        }));
    });
    let all = |kind, lines: Vec<u32>, outcome| {
        for line in lines {
            assert_eq!(ended(&trace, kind, line), outcome, "line {line}");
        }
    };
    all(Kind::Task, tasks, Outcome::Finished);
    all(Kind::BlockingTask, jobs, Outcome::Finished);
    all(Kind::Task, aborted, Outcome::Aborted);
}
