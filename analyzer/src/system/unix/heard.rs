//! Signals while a program runs, each with who sent it, where the system tells.
//!
//! What a terminal sends goes to its whole foreground group, and so to the program too; what a process sends goes to us
//! alone. Only the second is to be passed on. On Linux a `signalfd` tells them apart.
use signal_hook::consts::SIGCHLD;
use signal_hook::iterator::Signals;
use std::io;

/// A signal, and whether a process sent it; `None` where that is not known.
pub type Heard = (i32, Option<bool>);

/// Hears signals, and that a child has ended.
pub struct Ears {
    signals: Signals,
    #[cfg(target_os = "linux")]
    senders: senders::Senders,
}

impl Ears {
    /// For these signals, which do nothing else from now on.
    ///
    /// # Errors
    /// The system allows no more.
    pub fn of(passed: &[i32]) -> io::Result<Self> {
        let all: Vec<i32> = passed.iter().copied().chain([SIGCHLD]).collect();
        Ok(Self {
            signals: Signals::new(&all)?,
            #[cfg(target_os = "linux")]
            senders: senders::Senders::of(&all)?,
        })
    }

    /// To be called when the program has been started: before, it would inherit what is done here.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn listen(&mut self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        self.senders.listen()?;
        Ok(())
    }

    /// Waits for signals; the end of a child is among them.
    ///
    /// # Errors
    /// They cannot be read.
    #[cfg(target_os = "linux")]
    pub fn hear(&mut self) -> io::Result<Vec<Heard>> {
        // Those that came before we listened, in the program's first moment: better passed on twice than never.
        let early: Vec<Heard> = self.signals.pending().map(|signal| (signal, Some(true))).collect();
        if early.is_empty() { Ok(vec![self.senders.hear()?]) } else { Ok(early) }
    }

    /// Waits for signals; the end of a child is among them.
    ///
    /// # Errors
    /// None.
    #[cfg(not(target_os = "linux"))]
    pub fn hear(&mut self) -> io::Result<Vec<Heard>> {
        Ok(self.signals.wait().map(|signal| (signal, None)).collect())
    }
}

#[cfg(target_os = "linux")]
mod senders {
    use super::Heard;
    use nix::errno::Errno;
    use nix::sys::signal::{SigSet, SigmaskHow, Signal};
    use nix::sys::signalfd::{SfdFlags, SignalFd};
    use std::io;

    /// Signals that no handler gets any more, but who reads them.
    pub struct Senders {
        signals: SigSet,
        read: SignalFd,
        /// What was blocked before.
        before: Option<SigSet>,
    }

    impl Senders {
        pub fn of(signals: &[i32]) -> io::Result<Self> {
            let signals =
                signals.iter().map(|signal| Signal::try_from(*signal)).collect::<Result<SigSet, _>>()?;
            let read = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC)?;
            Ok(Self { signals, read, before: None })
        }

        /// This is the only thread as yet: what it does not take stays to be read.
        pub fn listen(&mut self) -> io::Result<()> {
            self.before = Some(self.signals.thread_swap_mask(SigmaskHow::SIG_BLOCK)?);
            Ok(())
        }

        pub fn hear(&self) -> io::Result<Heard> {
            loop {
                match self.read.read_signal() {
                    // What the kernel sends by itself, as for a terminal, has a code above 0; what processes send has none.
                    Ok(Some(told)) => return Ok((told.ssi_signo as i32, Some(told.ssi_code <= 0))),
                    Ok(None) | Err(Errno::EINTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }

    impl Drop for Senders {
        fn drop(&mut self) {
            // It has worked the other way round.
            let _ = self.before.map(|before| before.thread_set_mask());
        }
    }
}
