//! CPU time of threads, in ns: what other programs take does not count.

/// Of the calling thread.
pub fn of_this_thread() -> f64 {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Of a thread of this process by the system's number, which Linux makes a clock of (`man clock_getcpuclockid`).
pub fn of(thread: libc::pid_t) -> f64 {
    read(!thread << 3 | 6)
}

fn read(clock: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` may be written.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
