//! What tokio tells of code that uses it plainly, beside what the wrappers record: which of both it is.
#[cfg(all(tokio_unstable, feature = "tracing"))]
use super::local::LOCAL;

/// While this lives, a future of tokio's is polled whose wait the wrapper around it records.
pub(crate) struct Own(());

impl Own {
    /// From now on.
    #[inline(always)]
    pub(crate) fn poll() -> Self {
        #[cfg(all(tokio_unstable, feature = "tracing"))]
        LOCAL.with(|local| local.polls.set(true));
        Self(())
    }
}

#[cfg(all(tokio_unstable, feature = "tracing"))]
impl Drop for Own {
    fn drop(&mut self) {
        LOCAL.with(|local| local.polls.set(false));
    }
}

/// A wrapper spawns a task that is recorded.
#[inline(always)]
pub(super) fn spawns() {
    #[cfg(all(tokio_unstable, feature = "tracing"))]
    LOCAL.with(|local| local.spawns.set(true));
}

/// Whether a wait that tokio tells of is recorded by a wrapper.
#[cfg(all(tokio_unstable, feature = "tracing"))]
pub(crate) fn is_own_poll() -> bool {
    LOCAL.with(|local| local.polls.get())
}

/// Whether a spawn that tokio tells of was recorded by a wrapper just before.
#[cfg(all(tokio_unstable, feature = "tracing"))]
pub(crate) fn is_own_spawn() -> bool {
    LOCAL.with(|local| local.spawns.replace(false))
}

/// The wrapper's spawn is over, whether tokio told of it or not.
#[inline(always)]
pub(crate) fn spawned() {
    #[cfg(all(tokio_unstable, feature = "tracing"))]
    LOCAL.with(|local| local.spawns.set(false));
}
