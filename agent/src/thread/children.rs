//! The wait at the end of a scope: for whichever of its threads still run.
//!
//! The scope ends only when all have ended, so any one of them that runs is rightly told as who is waited for.
use crate::recorder::{NewThread, Site, Wait};
use lockprof_trace::{Operation, Party, WaitEnd};
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Weak};

/// Threads of a scope, each with a sign of its life.
type Children = Vec<(Party, Weak<NewThread>)>;

thread_local! {
    /// What this thread has spawned in the innermost scope.
    static CHILDREN: RefCell<Children> = const { RefCell::new(Vec::new()) };
}

/// This thread spawns `child` in a scope.
pub(super) fn add(child: &Option<Arc<NewThread>>) {
    let Some(child) = child else { return };
    // Too late in a thread's life, the child is not known, as with one that another thread has spawned.
    let _ = CHILDREN.try_with(|children| {
        let mut children = children.borrow_mut();
        if children.len() == children.capacity() {
            children.retain(|(_, alive)| alive.strong_count() > 0);
        }
        children.push((child.party(), Arc::downgrade(child)));
    });
}

fn swap(with: Children) -> Children {
    CHILDREN.try_with(|children| children.replace(with)).unwrap_or_default()
}

/// The end of a scope. Dropped when the scope is left.
pub(super) struct End {
    site: Site,
    outer: Children,
    wait: Cell<Option<Wait>>,
}

impl End {
    /// A scope begins.
    pub(super) fn new(site: Site) -> Self {
        Self { site, outer: swap(Vec::new()), wait: Cell::new(None) }
    }

    /// The wait begins when the result is dropped: with the scope's function, whether it returns or panics.
    pub(super) fn leaving(&self) -> Leaving<'_> {
        Leaving(self)
    }
}

pub(super) struct Leaving<'a>(&'a End);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let children = swap(Vec::new());
        let running = children.iter().find(|(_, alive)| alive.strong_count() > 0);
        let target = running.map_or(Party::UNKNOWN, |(party, _)| *party);
        self.0.wait.set(Wait::begin_for(0, Operation::Join, self.0.site, target));
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(wait) = self.wait.take() {
            wait.end(WaitEnd::Done);
        }
        swap(std::mem::take(&mut self.outer));
    }
}
