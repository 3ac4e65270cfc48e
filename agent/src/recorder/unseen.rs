//! Threads that live and whose doings nobody sees: neither the process's first, nor spawned through lockprof, nor a runtime's,
//! nor lockprof's own. What was given to one of them is nowhere in the record: whoever proves anything has to know of them.
use crate::clock::ticks;
use crate::platform;
use lockprof_trace::Event;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, TryLockError};

/// The system's numbers of the threads that are seen.
static SEEN: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
/// What the names of lockprof's own threads begin with.
const OWN: &str = "lockprof";
/// Of so many threads it is asked whether they have run; of more it is taken to be so.
const ASKED: usize = 32;
/// How often a thread that begins or ends tries to say so.
const TRIES: usize = 1_000;

/// The numbers, unless others have them all the time: in the child of a fork somebody may for ever. A thread that is taken for
/// unseen does no harm.
fn seen() -> Option<MutexGuard<'static, BTreeSet<u64>>> {
    (0..TRIES).find_map(|_| match SEEN.try_lock() {
        Ok(seen) => Some(seen),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => {
            std::thread::yield_now();
            None
        }
    })
}

/// What this thread does is seen from now on.
pub(crate) fn enter() {
    if let Some(mut seen) = seen() {
        seen.insert(platform::thread_id());
    }
}

/// This thread ends.
pub(crate) fn leave() {
    if let Some(mut seen) = seen() {
        seen.remove(&platform::thread_id());
    }
}

/// Looks for the others, now and then. For the background thread.
#[derive(Default)]
pub(super) struct Unseen {
    /// How often each had had a core, where the system tells.
    runs: BTreeMap<u64, Option<u64>>,
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
            if !runs.iter().all(idle) {
                self.ran = ticks();
            }
            self.runs = runs;
            self.tell(tell);
        }
    }

    /// The state at the end. A thread that was there before is not asked again: what it does now may be to end the program.
    pub(super) fn end(&mut self, tell: impl FnMut(&Event<'_>)) {
        if let Some(others) = others() {
            if others.iter().any(|thread| !self.runs.contains_key(thread)) {
                self.ran = ticks();
            }
            self.runs = others.into_iter().map(|thread| (thread, None)).collect();
            self.told = None;
            self.tell(tell);
        }
    }

    fn tell(&mut self, mut tell: impl FnMut(&Event<'_>)) {
        let (threads, ran) = (self.runs.len() as u64, self.ran);
        if self.told != Some((threads, ran)) {
            self.told = Some((threads, ran));
            tell(&Event::Unseen { at: ticks(), threads, ran });
        }
    }
}

/// The threads that are not seen.
fn others() -> Option<Vec<u64>> {
    let threads = platform::threads()?;
    let mut others: Vec<u64> = {
        let seen = seen()?;
        threads.into_iter().filter(|thread| !seen.contains(thread)).collect()
    };
    others.retain(|thread| {
        let first = *thread == u64::from(std::process::id());
        // One that has no name any more has ended.
        !first && platform::name_of(*thread).is_some_and(|name| !name.starts_with(OWN))
    });
    Some(others)
}
