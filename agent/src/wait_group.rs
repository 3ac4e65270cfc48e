//! Wait groups: wait until all that was begun has ended.
//!
//! Who is added by itself, after it was spawned, may come too late: the wait sees nobody and returns. A recording tells that:
//! an add after a wait has returned, by a party that was there before.
#[cfg(feature = "record")]
use crate::recorder::{self, Tag};
#[cfg(feature = "record")]
use lockprof_trace::{Event, Kind, Operation, Party};
use std::fmt;
#[cfg(feature = "record")]
use std::panic::Location;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Counts who is at work, and waits until nobody is.
///
/// Add before you spawn. For tasks a `JoinSet` is better, and for threads a scope: neither can be used wrongly.
///
/// ```
/// use lockprof::{thread, wait_group::WaitGroup};
///
/// let (group, sent) = (WaitGroup::new(), std::sync::Mutex::new(0));
/// thread::scope(|scope| {
///     for _mail in 0..3 {
///         group.add(1);
///         scope.spawn(|| {
///             *sent.lock().unwrap() += 1;
///             group.done();
///         });
///     }
///     group.wait();
///     assert_eq!(*sent.lock().unwrap(), 3);
/// });
/// ```
pub struct WaitGroup {
    #[cfg(feature = "record")]
    tag: Tag,
    state: Mutex<State>,
    nobody: Condvar,
}

#[derive(Default)]
struct State {
    working: usize,
    #[cfg(feature = "record")]
    past: Past,
}

/// Who used the group last, and how.
#[cfg(feature = "record")]
#[derive(Clone, Copy, Default)]
struct Past {
    /// Who added last.
    adder: Party,
    /// The last wait that returned: who waited, where, when it returned.
    returned: Option<(Party, recorder::Site, u64)>,
}

impl WaitGroup {
    /// Nobody is at work. Reports name the caller's line.
    #[must_use]
    #[track_caller]
    pub const fn new() -> Self {
        Self {
            #[cfg(feature = "record")]
            tag: Tag::new(Location::caller()),
            state: Mutex::new(State {
                working: 0,
                #[cfg(feature = "record")]
                past: Past { adder: Party::UNKNOWN, returned: None },
            }),
            nobody: Condvar::new(),
        }
    }

    /// So many more are at work.
    #[track_caller]
    pub fn add(&self, more: usize) {
        let mut state = self.state();
        state.working = state.working.saturating_add(more);
        #[cfg(feature = "record")]
        self.added(state, Location::caller());
    }

    /// One has ended. Where nobody is at work it does nothing.
    pub fn done(&self) {
        let mut state = self.state();
        state.working = state.working.saturating_sub(1);
        if state.working == 0 {
            self.nobody.notify_all();
        }
    }

    /// Waits until nobody is at work: blocks the thread.
    #[track_caller]
    pub fn wait(&self) {
        #[cfg(feature = "record")]
        self.wait_recorded(self.state(), Location::caller());
        #[cfg(not(feature = "record"))]
        drop(self.until_nobody(self.state()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until_nobody<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.nobody.wait_while(state, |state| state.working > 0).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "record")]
impl WaitGroup {
    fn wait_recorded(&self, state: MutexGuard<'_, State>, site: recorder::Site) {
        let id = self.tag.id(Kind::WaitGroup);
        if id == 0 {
            drop(self.until_nobody(state));
            return;
        }
        recorder::count(id);
        let mut state = if state.working == 0 {
            state
        } else {
            crate::lock::waited(id, Operation::CondvarWait, site, || self.until_nobody(state))
        };
        state.past.returned = Some((recorder::party(), site, crate::clock::ticks()));
    }

    /// Tells of an add by another than who added before, or waited: all of them should have been there.
    fn added(&self, mut state: MutexGuard<'_, State>, site: recorder::Site) {
        let id = self.tag.id(Kind::WaitGroup);
        if id == 0 {
            return;
        }
        let party = recorder::party();
        let Past { adder, returned } = state.past;
        state.past.adder = party;
        drop(state);
        let Some((waiter, waiter_site, returned)) = returned else { return };
        if party != adder && party != waiter {
            recorder::emit(&Event::LateAdd {
                at: crate::clock::ticks(),
                object: id.into(),
                party,
                site: recorder::site_of(site),
                waiter,
                waiter_site: recorder::site_of(waiter_site),
                returned,
            });
        }
    }
}

impl Default for WaitGroup {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroup").field("working", &self.state().working).finish()
    }
}
