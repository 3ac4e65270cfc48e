//! Watchers: subscriptions that a program registers, delivers to, and has to release.
//!
//! A service that subscribes on each reload and forgets to unsubscribe leaks slowly and silently. A [`Watcher`] kept beside
//! the subscription makes that a finding: how many of a line live, since when, and what is still delivered to them.
#[cfg(feature = "record")]
use crate::recorder;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A registered subscription. It is released by [`release`](Self::release), or by its drop.
///
/// ```
/// use lockprof::watch::Watcher;
///
/// let watcher = Watcher::new("config");
/// watcher.deliver();
/// assert_eq!(watcher.delivered(), 1);
/// watcher.release();
/// ```
#[must_use = "a watcher that is dropped is released"]
pub struct Watcher {
    #[cfg(feature = "record")]
    recorded: Option<recorder::Watcher>,
    name: &'static str,
    delivered: AtomicU64,
}

impl Watcher {
    /// Registers a subscription to what `name` says. Reports name the caller's line.
    #[track_caller]
    pub fn new(name: &'static str) -> Self {
        Self {
            #[cfg(feature = "record")]
            recorded: recorder::Watcher::register(name, std::panic::Location::caller()),
            name,
            delivered: AtomicU64::new(0),
        }
    }

    /// A value is delivered to it.
    #[inline]
    pub fn deliver(&self) {
        let _delivered = self.delivered.fetch_add(1, Relaxed) + 1;
        #[cfg(feature = "record")]
        if let Some(recorded) = &self.recorded {
            recorded.deliver(_delivered);
        }
    }

    /// How many values were delivered to it.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Relaxed)
    }

    /// What it is subscribed to.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Releases it, as its drop does.
    pub fn release(self) {}
}

impl Drop for Watcher {
    fn drop(&mut self) {
        #[cfg(feature = "record")]
        if let Some(recorded) = self.recorded.take() {
            recorded.release(self.delivered());
        }
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("name", &self.name).field("delivered", &self.delivered()).finish()
    }
}
