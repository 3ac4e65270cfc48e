//! CPU samples where the system has no timers on a thread's own time: there are none, and who asks is told.
use std::io;

/// Never made here.
pub(crate) enum Sampler {}

impl Sampler {
    /// Fails.
    pub(crate) fn new(_: u32) -> io::Result<Self> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "on Linux alone there are timers on a thread's own time",
        ))
    }

    pub(crate) fn by(self, _: u64) -> Self {
        self
    }

    pub(crate) fn look(&mut self) {
        match *self {}
    }

    pub(crate) fn tell(&self) {
        match *self {}
    }
}
