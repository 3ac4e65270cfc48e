//! The threads of this process, as the system tells of them: what they have come to, and the cores that they may run on.
use super::Progress;

/// What a thread has come to; `None` where the system does not tell. Its state is read first: while it sleeps, all that it
/// has waited for a core is in the sum.
pub(crate) fn progress(thread: u64) -> Option<Progress> {
    let state = told(thread, "stat")?.rsplit(") ").next()?.chars().next()?;
    let [ran_ns, delayed_ns, _] = times(thread)?;
    Some(Progress { ran_ns, delayed_ns, sleeps: matches!(state, 'S' | 'D') })
}

/// How long a thread has waited for a core, in nanoseconds, until it had one last; `None` where the system does not tell.
pub(crate) fn delayed_ns(thread: u64) -> Option<u64> {
    times(thread).map(|[_, delayed_ns, _]| delayed_ns)
}

/// How often a thread has had a core; `None` where the system does not tell.
pub(crate) fn runs(thread: u64) -> Option<u64> {
    times(thread).map(|[.., runs]| runs)
}

/// How long it has run and has waited for a core, in nanoseconds, and how often it has had one.
fn times(thread: u64) -> Option<[u64; 3]> {
    let times = told(thread, "schedstat")?;
    let mut times = times.split_ascii_whitespace().map_while(|time| time.parse().ok());
    Some([times.next()?, times.next()?, times.next()?])
}

/// The name of a thread, as the system cuts it; `None` where there is no such thread.
pub(crate) fn name_of(thread: u64) -> Option<String> {
    told(thread, "comm")
}

fn told(thread: u64, file: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/self/task/{thread}/{file}")).ok()
}

/// The system's numbers of all threads; `None` where it does not tell.
pub(crate) fn threads() -> Option<Vec<u64>> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    tasks.map(|task| task.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The cores that this thread may run on.
pub(crate) fn cores() -> Vec<usize> {
    // SAFETY: a set of zeros is valid, and may be written.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if libc::sched_getaffinity(0, size_of_val(&set), &mut set) != 0 {
            return vec![];
        }
        (0..libc::CPU_SETSIZE as usize).filter(|core| libc::CPU_ISSET(*core, &set)).collect()
    }
}

/// Moves this thread to a core, for good.
pub(crate) fn pin(core: usize) {
    // SAFETY: a set of zeros is valid, and the core is below its size; where it is refused the thread stays where it is.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}
