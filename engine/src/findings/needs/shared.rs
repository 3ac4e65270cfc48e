//! What is the same for many waits is found out once, and one node stands for what many need.
use crate::findings::kin::any;
use crate::graph::Need;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

/// What was found out, by what it is about.
pub(super) type Memo<K, V> = RefCell<HashMap<K, Rc<V>>>;

/// What is known of this, found out if it is not.
pub(super) fn once<K: Eq + Hash, V>(memo: &Memo<K, V>, key: K, find: impl FnOnce() -> V) -> Rc<V> {
    let known = memo.borrow().get(&key).cloned();
    known.unwrap_or_else(|| {
        let found = Rc::new(find());
        memo.borrow_mut().insert(key, Rc::clone(&found));
        found
    })
}

/// The nodes that stand behind the parties.
pub(super) struct Nodes {
    /// How many parties there are.
    parties: usize,
    /// Their needs.
    needs: RefCell<Vec<Vec<Need>>>,
}

impl Nodes {
    /// With these nodes behind so many parties.
    pub(super) fn new(parties: usize, needs: Vec<Vec<Need>>) -> Self {
        Self { parties, needs: RefCell::new(needs) }
    }

    /// A further node.
    pub(super) fn node(&self, need: Need) -> usize {
        self.add(vec![need])
    }

    /// A further node for any of these, where there are any.
    pub(super) fn any(&self, by: Vec<usize>) -> Option<usize> {
        (!by.is_empty()).then(|| self.add(any(by)))
    }

    fn add(&self, node: Vec<Need>) -> usize {
        let mut needs = self.needs.borrow_mut();
        needs.push(node);
        self.parties + needs.len() - 1
    }

    /// The needs of all.
    pub(super) fn into_needs(self) -> Vec<Vec<Need>> {
        self.needs.into_inner()
    }
}
