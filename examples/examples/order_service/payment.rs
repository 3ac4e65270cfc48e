//! Payments: a remote call by one of a pool of connections, and the provider's callback that confirms it.
//!
//! A connection is free again once its payment's callback was taken. Callbacks go through a bounded channel to the
//! gateway, a task that passes them on to the books; the books may refuse one.

use crate::config;
use lockprof::parking_lot::Mutex;
use lockprof::tokio::{
    self,
    sync::{
        self, OwnedSemaphorePermit, Semaphore,
        mpsc::{self, error::SendError},
    },
    task::{JoinHandle, JoinSet},
    time,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Connections to the provider.
const POOL: usize = 8;
/// How long a payment waits for a connection.
const PATIENCE: Duration = Duration::from_millis(15);
/// How long the provider takes.
const REMOTE_CALL: Duration = Duration::from_millis(3);
/// How long the provider tries to hand over a callback, with `--fixed`.
const CALLBACK_PATIENCE: Duration = Duration::from_secs(1);

/// The provider, by the name under which its gateway is registered.
const PROVIDER: &str = "cards";

/// The provider's word that a payment was made.
#[derive(Debug)]
struct Callback {
    order: u64,
    cents: u64,
}

/// No connection was free in time.
#[derive(Debug)]
pub struct Busy;

/// The payments of the service.
pub struct Payments {
    connections: Arc<Semaphore>,
    gateway: Gateway,
    config: Arc<config::Store>,
    was_busy: AtomicBool,
}

enum Gateway {
    Forgetful(Arc<Forgetful>),
    Lasting(Arc<Lasting>),
}

impl Payments {
    /// Connects to the provider. The books refuse the callback with the number `refused`.
    pub fn start(fixed: bool, refused: usize, config: Arc<config::Store>) -> Arc<Self> {
        let connections = Arc::new(Semaphore::new(POOL));
        let books = Books { refused, entries: AtomicUsize::new(0), cents: AtomicUsize::new(0) };
        let gateway = if fixed {
            Gateway::Lasting(Lasting::start(books))
        } else {
            Gateway::Forgetful(Forgetful::start(books))
        };
        Arc::new(Self { connections, gateway, config, was_busy: AtomicBool::new(false) })
    }

    /// Pays for an order: waits for a connection, and for the remote call.
    ///
    /// # Errors
    /// No connection was free in time.
    pub async fn charge(&self, order: u64, cents: u64) -> Result<(), Busy> {
        let connection = time::timeout(PATIENCE, self.connections.clone().acquire_owned()).await;
        let connection = connection.map_err(|_| self.busy())?.expect("the pool is never closed");
        self.was_busy.store(false, Relaxed);
        time::sleep(REMOTE_CALL).await;
        let callback = Callback { order, cents: cents + self.config.fee() };
        match &self.gateway {
            Gateway::Forgetful(gateway) => gateway.confirm(callback, connection),
            Gateway::Lasting(gateway) => gateway.confirm(callback, connection),
        }
        Ok(())
    }

    /// No connection is free; the log is told once, until one is.
    fn busy(&self) -> Busy {
        if !self.was_busy.swap(true, Relaxed) {
            crate::log(format_args!("no connection to the payment provider is free"));
        }
        Busy
    }

    /// Waits for the callbacks that are under way and stops.
    pub async fn stop(&self) {
        match &self.gateway {
            // Whoever wrote it believes that the gateway is gone with its task.
            Gateway::Forgetful(_) => {}
            Gateway::Lasting(gateway) => gateway.stop().await,
        }
    }
}

/// Where confirmed payments are entered.
struct Books {
    refused: usize,
    entries: AtomicUsize,
    cents: AtomicUsize,
}

/// The books did not take a callback; another attempt may do.
struct Refused;

impl Books {
    async fn enter(&self, callback: &Callback) -> Result<(), Refused> {
        tokio::task::yield_now().await;
        if self.entries.fetch_add(1, Relaxed) == self.refused {
            return Err(Refused);
        }
        self.cents.fetch_add(callback.cents as usize, Relaxed);
        Ok(())
    }
}

/// Gateways by provider, so that a gateway that is started again finds the callbacks of the one before.
type Registry = Mutex<HashMap<&'static str, Arc<sync::Mutex<mpsc::Receiver<Callback>>>>>;

/// A gateway that gives up at the first error and leaves its channel behind, with nobody who reads it.
struct Forgetful {
    callbacks: mpsc::Sender<Callback>,
    /// Keeps the receiver, so that callbacks are not refused: they wait.
    _registry: Arc<Registry>,
}

impl Forgetful {
    fn start(books: Books) -> Arc<Self> {
        let registry = Arc::new(Registry::default());
        let (callbacks, inbox) = mpsc::channel(1); // planted: callback-channel
        registry.lock().insert(PROVIDER, Arc::new(sync::Mutex::new(inbox)));
        tokio::spawn(Self::run(registry.clone(), books));
        Arc::new(Self { callbacks, _registry: registry })
    }

    async fn run(registry: Arc<Registry>, books: Books) {
        let inbox = registry.lock().get(PROVIDER).cloned().expect("the gateway is registered");
        let mut inbox = inbox.lock().await;
        while let Some(callback) = inbox.recv().await {
            if books.enter(&callback).await.is_err() {
                crate::log(format_args!("order {}: the books refused the callback", callback.order));
                return;
            }
        }
    }

    fn confirm(self: &Arc<Self>, callback: Callback, connection: OwnedSemaphorePermit) {
        let gateway = self.clone();
        let task = async move {
            // The gateway reads until it is gone, and then the send fails: so it was thought.
            let _ = gateway.callbacks.send(callback).await; // planted: blocked-callback
            drop(connection);
        };
        tokio::spawn(task); // planted: callback-task
    }
}

/// A gateway that lasts: an error closes its channel, and what is in it goes through the next one.
struct Lasting {
    callbacks: Mutex<mpsc::Sender<Callback>>,
    under_way: Mutex<JoinSet<()>>,
    task: Mutex<Option<JoinHandle<()>>>,
    books: Books,
}

impl Lasting {
    const ROOM: usize = 64;

    fn start(books: Books) -> Arc<Self> {
        let (callbacks, inbox) = mpsc::channel(Self::ROOM);
        let gateway = Arc::new(Self {
            callbacks: Mutex::new(callbacks),
            under_way: Mutex::new(JoinSet::new()),
            task: Mutex::new(None),
            books,
        });
        *gateway.task.lock() = Some(tokio::spawn(gateway.clone().run(inbox)));
        gateway
    }

    async fn run(self: Arc<Self>, mut inbox: mpsc::Receiver<Callback>) {
        while let Some(callback) = inbox.recv().await {
            if self.books.enter(&callback).await.is_err() {
                inbox = self.reconnect(inbox, callback).await;
            }
        }
    }

    /// Closes the channel, so that no send waits for a reader that is gone, and enters what was in it.
    async fn reconnect(
        &self,
        mut old: mpsc::Receiver<Callback>,
        refused: Callback,
    ) -> mpsc::Receiver<Callback> {
        let (callbacks, inbox) = mpsc::channel(Self::ROOM);
        old.close();
        *self.callbacks.lock() = callbacks;
        let mut next = Some(refused);
        while let Some(callback) = next {
            // Entered or given up: what is refused twice is for a human.
            let _ = self.books.enter(&callback).await;
            next = old.recv().await;
        }
        inbox
    }

    fn confirm(self: &Arc<Self>, callback: Callback, connection: OwnedSemaphorePermit) {
        let gateway = self.clone();
        let task = async move {
            let order = callback.order;
            tokio::select! {
                () = gateway.hand_over(callback) => {}
                () = time::sleep(CALLBACK_PATIENCE) => {
                    crate::log(format_args!("order {order}: the callback was not taken"));
                }
            }
            drop(connection);
        };
        let mut under_way = self.under_way.lock();
        under_way.spawn(task);
        while under_way.try_join_next().is_some() {}
    }

    /// Sends the callback through the channel that is open.
    async fn hand_over(&self, mut callback: Callback) {
        loop {
            let callbacks = self.callbacks.lock().clone();
            match callbacks.send(callback).await {
                Ok(()) => return,
                // Closed: the next channel is there, or will be in a moment.
                Err(SendError(back)) => callback = back,
            }
            tokio::task::yield_now().await;
        }
    }

    async fn stop(&self) {
        let mut under_way = std::mem::take(&mut *self.under_way.lock());
        while under_way.join_next().await.is_some() {}
        // The last sender closes the channel, and the gateway ends.
        let (closed, _) = mpsc::channel(1);
        *self.callbacks.lock() = closed;
        let task = self.task.lock().take();
        if let Some(task) = task {
            task.await.expect("the gateway does not panic");
        }
    }
}
