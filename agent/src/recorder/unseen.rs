//! Threads and tasks that live and whose doings nobody sees. Threads: neither the process's first, nor spawned through lockprof,
//! nor a runtime's, nor lockprof's own. Tasks: spawned through tokio itself on a runtime that lockprof knows, as by a library.
//! What was given to one of them is nowhere in the record: whoever proves anything has to know of them.
use super::memory::RECORDING;
use super::object;
use crate::clock::ticks;
use crate::platform;
use lockprof_trace::{Event, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, TryLockError};

/// The system's numbers of the threads that are seen.
static SEEN: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
/// What the names of lockprof's own threads begin with.
const OWN: &str = "lockprof";
/// Of so many threads it is asked whether they have run; of more it is taken to be so.
const ASKED: usize = 32;
/// How often tasks are counted, at most, to find none that is not recorded.
const LOOKS: usize = 8;
/// How often a thread that begins or ends tries to say so.
const TRIES: usize = 1_000;

/// What is locked, unless others have it all the time: in the child of a fork somebody may for ever. A thread that is taken for
/// unseen does no harm.
fn locked<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    (0..TRIES).find_map(|_| match mutex.try_lock() {
        Ok(locked) => Some(locked),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => {
            std::thread::yield_now();
            None
        }
    })
}

/// What this thread does is seen from now on.
pub(crate) fn enter() {
    if let Some(mut seen) = locked(&SEEN) {
        seen.insert(platform::thread_id());
    }
}

/// This thread ends. While a recording looks for threads it is seen until it is gone; the next look forgets it.
pub(crate) fn leave() {
    if RECORDING.load(Relaxed) {
        return;
    }
    if let Some(mut seen) = locked(&SEEN) {
        seen.remove(&platform::thread_id());
    }
}

/// Asks a runtime how many tasks live on it.
type Alive = Box<dyn Fn() -> usize + Send>;

/// The runtimes that are known, each with its number.
static RUNTIMES: Mutex<(u32, BTreeMap<u32, Alive>)> = Mutex::new((0, BTreeMap::new()));

/// As long as it lives, the tasks of a runtime are counted.
#[derive(Debug)]
pub(crate) struct Counted(u32);

impl Counted {
    /// Those of a runtime that says by `alive` how many there are.
    pub(crate) fn new(alive: impl Fn() -> usize + Send + 'static) -> Self {
        let number = locked(&RUNTIMES).map(|mut runtimes| {
            let (last, known) = &mut *runtimes;
            *last = last.wrapping_add(1);
            known.insert(*last, Box::new(alive));
            *last
        });
        Self(number.unwrap_or(0))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let gone = locked(&RUNTIMES).and_then(|mut runtimes| runtimes.1.remove(&self.0));
        drop(gone);
    }
}

/// How many tasks live on the known runtimes that are not recorded. A task is counted here and there at slightly different
/// moments, so that the least of some looks counts. Those of a set of local tasks are recorded, and no runtime counts them: so
/// many others may be missed.
fn other_tasks() -> u64 {
    let Some(runtimes) = locked(&RUNTIMES) else { return 0 };
    let look = || {
        let alive: usize = runtimes.1.values().map(|alive| alive()).sum();
        (alive as u64).saturating_sub(object::alive(Kind::Task))
    };
    let mut least = u64::MAX;
    for _ in 0..LOOKS {
        least = look().min(least);
        if least == 0 {
            break;
        }
        std::thread::yield_now();
    }
    least
}

/// Looks for the others, now and then. For the background thread.
#[derive(Default)]
pub(super) struct Unseen {
    /// How often each thread had had a core, where the system tells.
    runs: BTreeMap<u64, Option<u64>>,
    /// How many tasks there were.
    tasks: u64,
    /// When one of them may have run last.
    ran: u64,
    told: Option<(u64, u64)>,
}

impl Unseen {
    /// Tells of them where something has changed; nothing where the system does not tell.
    pub(super) fn look(&mut self, tell: impl FnMut(&Event<'_>)) {
        if let Some(others) = others() {
            let asked = others.len() <= ASKED;
            let runs = |thread| if asked { platform::runs(thread) } else { None };
            let runs: BTreeMap<_, _> = others.into_iter().map(|thread| (thread, runs(thread))).collect();
            let idle =
                |(thread, runs): (&u64, &Option<u64>)| runs.is_some() && self.runs.get(thread) == Some(runs);
            self.tasks = other_tasks();
            // Of a task it is not known when it was polled.
            if self.tasks > 0 || !runs.iter().all(idle) {
                self.ran = ticks();
            }
            self.runs = runs;
            self.tell(tell);
        }
    }

    /// The state at the end. A thread that was there before is not asked again: what it does now may be to end the program.
    pub(super) fn end(&mut self, tell: impl FnMut(&Event<'_>)) {
        if let Some(others) = others() {
            let tasks = other_tasks();
            if tasks > self.tasks || others.iter().any(|thread| !self.runs.contains_key(thread)) {
                self.ran = ticks();
            }
            // Those that were there a moment ago count: their runtime may be gone since the program ends.
            self.tasks = self.tasks.max(tasks);
            self.runs = others.into_iter().map(|thread| (thread, None)).collect();
            self.told = None;
            self.tell(tell);
        }
    }

    fn tell(&mut self, mut tell: impl FnMut(&Event<'_>)) {
        let (others, ran) = (self.runs.len() as u64 + self.tasks, self.ran);
        if self.told != Some((others, ran)) {
            self.told = Some((others, ran));
            tell(&Event::Unseen { at: ticks(), others, ran });
        }
    }
}

/// The threads that are not seen.
fn others() -> Option<Vec<u64>> {
    let threads = platform::threads()?;
    let mut others: Vec<u64> = {
        let mut seen = locked(&SEEN)?;
        let living: BTreeSet<u64> = threads.iter().copied().collect();
        seen.retain(|thread| living.contains(thread));
        threads.into_iter().filter(|thread| !seen.contains(thread)).collect()
    };
    others.retain(|thread| {
        let first = *thread == u64::from(std::process::id());
        // One that has no name any more has ended.
        !first && platform::name_of(*thread).is_some_and(|name| !name.starts_with(OWN))
    });
    Some(others)
}
