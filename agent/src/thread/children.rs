//! The wait at the end of a scope: for whichever of its threads still run.
//!
//! The scope ends only when all have ended, so any one of them that runs is rightly told as who is waited for.
use crate::recorder::{NewThread, Site, Wait};
use lockprof_trace::{Operation, Party, WaitEnd};
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Weak};

/// A thread of a scope.
struct Child {
    /// The scope's address: while its threads live, no other scope has that.
    scope: usize,
    party: Party,
    /// A sign of its life.
    alive: Weak<NewThread>,
}

thread_local! {
    /// What this thread has spawned in scopes.
    static CHILDREN: RefCell<Vec<Child>> = const { RefCell::new(Vec::new()) };
}

/// This thread spawns `child` in the scope at this address.
pub(super) fn add(scope: usize, child: &Option<Arc<NewThread>>) {
    let Some(child) = child else { return };
    // Too late in a thread's life, the child is not known, as with one that another thread has spawned.
    let _ = CHILDREN.try_with(|children| {
        let mut children = children.borrow_mut();
        if children.len() == children.capacity() {
            children.retain(|child| child.alive.strong_count() > 0);
        }
        children.push(Child { scope, party: child.party(), alive: Arc::downgrade(child) });
    });
}

/// Who of a scope that is left still runs, where it is known.
fn running(scope: usize) -> Party {
    let found = CHILDREN.try_with(|children| {
        let mut children = children.borrow_mut();
        let mut runs = children.iter().filter(|child| child.scope == scope && child.alive.strong_count() > 0);
        let party = runs.next().map_or(Party::UNKNOWN, |child| child.party);
        children.retain(|child| child.scope != scope);
        party
    });
    found.unwrap_or(Party::UNKNOWN)
}

/// The end of a scope. Dropped when the scope is left.
pub(super) struct End {
    site: Site,
    wait: Cell<Option<Wait>>,
}

impl End {
    /// A scope is about to begin.
    pub(super) fn new(site: Site) -> Self {
        Self { site, wait: Cell::new(None) }
    }

    /// The wait begins when the result is dropped: with the scope's function, whether that returns or panics.
    pub(super) fn leaving(&self, scope: usize) -> Leaving<'_> {
        Leaving { end: self, scope }
    }
}

pub(super) struct Leaving<'a> {
    end: &'a End,
    scope: usize,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let wait = Wait::begin_for(0, Operation::Join, self.end.site, running(self.scope));
        self.end.wait.set(wait);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(wait) = self.wait.take() {
            wait.end(WaitEnd::Done);
        }
    }
}
