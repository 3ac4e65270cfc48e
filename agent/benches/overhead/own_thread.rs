//! The row of the recorder's own thread: what it takes of a core in a program that does nothing, beside a thread that does
//! nothing but sleep as long as it does. On a virtual machine waking up is most of it.
use crate::cpu_time;
use crate::threads::Pair;
use std::fs;
use std::time::Duration;

/// As long as the recorder's thread sleeps at a time, and how often in a round.
const STEP: Duration = Duration::from_millis(4);
const STEPS: u32 = 6;

/// ns of CPU time for each time that it wakes.
pub fn row(mode: &str) -> Pair {
    Pair { name: format!("{mode}/own-thread"), raw: || (spent().0, 0.0), wrapped: || (spent().1, 0.0) }
}

/// By a thread that sleeps, and by the recorder's, at the same time: how deep a core sleeps tells in what it takes to wake.
fn spent() -> (f64, f64) {
    let recorder = own_thread().expect("a recording runs");
    let before = cpu_time::of(recorder);
    let sleeper = std::thread::spawn(|| {
        let before = cpu_time::of_this_thread();
        (0..STEPS).for_each(|_| std::thread::sleep(STEP));
        cpu_time::of_this_thread() - before
    });
    let slept = sleeper.join().expect("who sleeps does not panic");
    (slept / f64::from(STEPS), (cpu_time::of(recorder) - before) / f64::from(STEPS))
}

/// The system's number of the recorder's thread.
fn own_thread() -> Option<libc::pid_t> {
    let threads = fs::read_dir("/proc/self/task").ok()?.flatten();
    let named = |thread: &fs::DirEntry| fs::read_to_string(thread.path().join("comm")).ok();
    let mut own = threads.filter(|thread| named(thread).is_some_and(|name| name.trim() == "lockprof"));
    own.next()?.file_name().to_str()?.parse().ok()
}
