//! Each reload of the configuration starts a task that watches it, and nobody stops the task before. Fixed: a watch that is
//! dropped cancels its task, which releases its watcher.
use lockprof::tokio::{
    runtime::Builder,
    sync::watch::{self, Receiver},
    task::{JoinHandle, JoinSet},
    time,
};
use lockprof::watch::Watcher;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

const RELOADS: u64 = 40;
const RELOAD_EVERY: Duration = Duration::from_millis(20);

/// Takes the settings over as they change, until it is cancelled.
async fn follow(mut settings: Receiver<u64>, watcher: Watcher, cancelled: CancellationToken) {
    while let Some(Ok(())) = cancelled.run_until_cancelled(settings.changed()).await {
        watcher.deliver();
        std::hint::black_box(*settings.borrow_and_update());
    }
    watcher.release();
}

/// Follows the settings for ever: nobody has what could cancel it.
fn follow_for_ever(settings: Receiver<u64>) -> JoinHandle<()> {
    let watcher = Watcher::new("settings"); // planted: unreleased-watcher
    lockprof::tokio::spawn(follow(settings, watcher, CancellationToken::new())) // planted: follower-task
}

/// Follows the settings until this is dropped.
struct Watch {
    _cancels: DropGuard,
}

impl Watch {
    fn start(settings: Receiver<u64>, tasks: &mut JoinSet<()>) -> Self {
        let token = CancellationToken::new();
        tasks.spawn(follow(settings, Watcher::new("settings"), token.clone()));
        Self { _cancels: token.drop_guard() }
    }
}

pub fn play(fixed: bool) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    // Outlives the runtime: who follows for ever is never told that there is nothing more to follow.
    let settings = runtime.block_on(async {
        let settings = watch::Sender::new(0);
        let mut tasks = JoinSet::new();
        let mut watch = None;
        let mut ticks = time::interval(RELOAD_EVERY);
        for version in 1..=RELOADS {
            ticks.tick().await;
            if fixed {
                watch = Some(Watch::start(settings.subscribe(), &mut tasks));
            } else {
                follow_for_ever(settings.subscribe());
            }
            settings.send_replace(version);
            while tasks.try_join_next().is_some() {}
        }
        drop(watch);
        while tasks.join_next().await.is_some() {}
        settings
    });
    drop(runtime);
    drop(settings);
}
