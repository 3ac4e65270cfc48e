//! The configuration: reloaded while the service runs, and followed by who depends on it.

use lockprof::tokio::{
    self,
    sync::{oneshot, watch},
    task::JoinHandle,
    time,
};
use lockprof::watch::Watcher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How often the configuration is loaded anew.
const RELOAD_EVERY: Duration = Duration::from_millis(100);

/// What can be configured.
struct Settings {
    /// The payment provider's fee, in cents.
    fee: u64,
}

/// The settings, where all can find them.
pub struct Store {
    settings: watch::Sender<Settings>,
    fee: AtomicU64,
}

impl Store {
    /// The fee that applies now, in cents.
    pub fn fee(&self) -> u64 {
        self.fee.load(Relaxed)
    }

    fn apply(&self, changed: &mut watch::Receiver<Settings>) {
        self.fee.store(changed.borrow_and_update().fee, Relaxed);
    }
}

/// The configuration of the running service.
pub struct Config {
    store: Arc<Store>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Config {
    /// Loads the configuration and starts to reload it.
    pub fn start(fixed: bool) -> Self {
        let settings = watch::Sender::new(Settings { fee: 30 });
        let store = Arc::new(Store { settings, fee: AtomicU64::new(30) });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(reload(fixed, store.clone(), stopped));
        Self { store, stop, task }
    }

    /// Where the settings are.
    pub fn store(&self) -> Arc<Store> {
        self.store.clone()
    }

    /// Stops the reloads and waits until they have stopped.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.expect("the reload does not panic");
    }
}

/// Reloads until stopped. What depends on the settings is built anew with each, and follows them from then on.
async fn reload(fixed: bool, store: Arc<Store>, mut stopped: oneshot::Receiver<()>) {
    let mut ticks = time::interval(RELOAD_EVERY);
    let mut follower: Option<Follower> = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = &mut stopped => break,
        }
        if fixed {
            if let Some(old) = follower.take() {
                old.stop().await;
            }
            follower = Some(Follower::start(store.clone()));
        } else {
            follow(store.clone());
        }
        store.settings.send_modify(|settings| settings.fee = 30 + (settings.fee + 1) % 5);
    }
    if let Some(last) = follower {
        last.stop().await;
    }
}

/// Follows the settings for as long as anybody can change them: for ever, as this task itself keeps the store.
fn follow(store: Arc<Store>) {
    let mut changes = store.settings.subscribe();
    let watcher = Watcher::new("config"); // planted: unreleased-watcher
    let task = async move {
        while changes.changed().await.is_ok() {
            watcher.deliver();
            store.apply(&mut changes);
        }
    };
    tokio::spawn(task); // planted: follower-task
}

/// Follows the settings until it is stopped.
struct Follower {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Follower {
    fn start(store: Arc<Store>) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let mut changes = store.settings.subscribe();
        let watcher = Watcher::new("config");
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() { break },
                    _ = &mut stopped => break,
                }
                watcher.deliver();
                store.apply(&mut changes);
            }
            watcher.release();
        });
        Self { stop, task }
    }

    async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.expect("a follower does not panic");
    }
}
