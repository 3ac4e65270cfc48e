//! Interrupts of threads that run, on Linux: a timer for each thread, on the clock of its own time on a core.
//!
//! A timer of the process would be simpler, but the system gives its signals to whichever thread it likes, and the interval
//! timer that profilers usually take lives on in a program that this process replaces itself with, and kills it there.
use std::collections::HashMap;
use std::ffi::c_void;
use std::io;
use std::mem::{MaybeUninit, zeroed};

/// What is called when a thread has run for another period; see `sigaction`.
pub(crate) type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut c_void);

/// Where a thread was interrupted.
pub(crate) struct Registers {
    pub(crate) instruction: usize,
    pub(crate) frame: usize,
    pub(crate) stack: usize,
}

/// Timers of this process's threads. Dropped, there are none any more; the handler stays, since a signal may be under way.
pub(crate) struct Timers {
    period_ns: i64,
    timers: HashMap<i32, Timer>,
}

struct Timer(libc::timer_t);

// SAFETY: the name of a timer of the process is no memory of any thread.
unsafe impl Send for Timer {}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: a timer that was made and not deleted.
        unsafe { libc::timer_delete(self.0) };
    }
}

impl Timers {
    /// Installs the handler; no thread has a timer before [`Timers::look`].
    ///
    /// # Errors
    /// The program handles the signal itself, as another profiler does.
    pub(crate) fn new(handler: Handler, per_second: u32) -> io::Result<Self> {
        // SAFETY: structures of zeros that the system fills, and a handler that lives for ever.
        unsafe {
            let mut action: libc::sigaction = zeroed();
            if libc::sigaction(libc::SIGPROF, std::ptr::null(), &mut action) != 0 {
                return Err(io::Error::last_os_error());
            }
            let free = [libc::SIG_DFL, libc::SIG_IGN, handler as usize].contains(&action.sa_sigaction);
            if !free {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "the program handles SIGPROF itself"));
            }
            action.sa_sigaction = handler as usize;
            // Calls of the system that the signal interrupts go on by themselves.
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
            libc::sigemptyset(&mut action.sa_mask);
            if libc::sigaction(libc::SIGPROF, &action, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        let period_ns = 1_000_000_000 / i64::from(per_second.clamp(1, 10_000));
        Ok(Self { period_ns, timers: HashMap::new() })
    }

    /// How long a thread runs between two firings of its timer, in nanoseconds.
    pub(crate) fn period_ns(&self) -> u64 {
        self.period_ns as u64
    }

    /// Gives a timer to each thread that has none yet, but not to the caller's; and forgets those that are gone.
    pub(crate) fn look(&mut self) {
        let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return };
        let number = |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
        let threads: Vec<i32> = threads.filter_map(number).collect();
        self.timers.retain(|thread, _| threads.contains(thread));
        let own = super::thread_id() as i32;
        for thread in threads.into_iter().filter(|thread| *thread != own) {
            if !self.timers.contains_key(&thread)
                && let Some(timer) = self.timer(thread)
            {
                self.timers.insert(thread, timer);
            }
        }
    }

    fn timer(&self, thread: i32) -> Option<Timer> {
        // As `pthread_getcpuclockid` has it: of a thread, what the scheduler counts.
        let clock = !thread << 3 | 4 | 2;
        // SAFETY: structures of zeros are valid, and the system writes the timer's name.
        unsafe {
            let mut event: libc::sigevent = zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = libc::SIGPROF;
            event.sigev_notify_thread_id = thread;
            event.sigev_value.sival_ptr = std::ptr::without_provenance_mut(thread as usize);
            let mut timer = MaybeUninit::uninit();
            if libc::timer_create(clock, &mut event, timer.as_mut_ptr()) != 0 {
                return None;
            }
            let timer = Timer(timer.assume_init());
            let period = libc::timespec {
                tv_sec: (self.period_ns / 1_000_000_000) as libc::time_t,
                tv_nsec: (self.period_ns % 1_000_000_000) as libc::c_long,
            };
            let every = libc::itimerspec { it_interval: period, it_value: period };
            (libc::timer_settime(timer.0, 0, &every, std::ptr::null_mut()) == 0).then_some(timer)
        }
    }
}

/// The thread that a signal of a timer is for, and how many periods it has run: a timer fires no faster than the system
/// looks at it, and then counts for several.
///
/// # Safety
/// `info` is what a handler was given.
pub(crate) unsafe fn fired(info: *const libc::siginfo_t) -> (u64, u64) {
    // SAFETY: as promised by the caller; the value is what `timer` has set. Of a timer's signal, how often it fired besides
    // stands where other signals have their sender's user.
    unsafe { ((*info).si_value().sival_ptr.addr() as u64, 1 + u64::from((*info).si_uid())) }
}

/// Where the thread was when the signal came.
///
/// # Safety
/// `context` is what a handler was given.
pub(crate) unsafe fn registers(context: *const c_void) -> Registers {
    // SAFETY: as promised by the caller.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    {
        let at = |register: libc::c_int| machine.gregs[register as usize] as usize;
        Registers { instruction: at(libc::REG_RIP), frame: at(libc::REG_RBP), stack: at(libc::REG_RSP) }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let (instruction, stack) = (machine.pc as usize, machine.sp as usize);
        Registers { instruction, frame: machine.regs[29] as usize, stack }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let _ = machine;
        Registers { instruction: 0, frame: 0, stack: 0 }
    }
}

/// Two words of this process's memory, by way of the system: `None` where there is none. For a handler.
pub(crate) fn peek(address: usize) -> Option<[usize; 2]> {
    let mut words = [0; 2];
    let local = libc::iovec { iov_base: words.as_mut_ptr().cast(), iov_len: size_of_val(&words) };
    let remote =
        libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: size_of_val(&words) };
    // SAFETY: the system writes as much as there is room for, or fails; what the caller's `errno` is stays.
    unsafe {
        let errno = *libc::__errno_location();
        let read = libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0);
        *libc::__errno_location() = errno;
        (read == size_of_val(&words) as isize).then_some(words)
    }
}
