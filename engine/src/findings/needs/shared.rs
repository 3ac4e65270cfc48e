//! What is the same for many waits, found out once: the nodes that stand behind the parties, and what each stands for.
use super::ends::Side;
use super::locks::Guards;
use crate::findings::kin::any;
use crate::graph::Need;
use lockprof_trace::{Operation, Party, Role};
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

/// What was found out, by what it is about.
pub(super) type Memo<K, V> = RefCell<HashMap<K, Rc<V>>>;

/// See the module.
pub(super) struct Shared<'a> {
    /// How many parties there are.
    parties: usize,
    /// Their needs.
    nodes: RefCell<Vec<Vec<Need>>>,
    /// Who holds all of an object.
    pub(super) sole: Memo<u64, Holders>,
    /// By object, by what is done, and by whether the waiting one holds all of it.
    pub(super) guards: Memo<(u64, Operation, bool), Guards>,
    /// Those that wait to write: since when, and the node of this one and all before.
    pub(super) writers: Memo<u64, Vec<(u64, usize)>>,
    /// The ends of one side of a channel.
    pub(super) sides: Memo<(u64, Role), Side<'a>>,
    /// Who waits for an object: by who has spawned them, as places among its children.
    pub(super) likewise: Memo<u64, HashMap<Party, Vec<usize>>>,
    /// By who sends, and by which channel not.
    pub(super) told: Memo<(Party, u64), Told>,
}

/// Who holds an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holders {
    Nobody,
    One(Party),
    Several,
}

/// Who receives what a party has sent, and the node of them, where there are any.
pub(super) struct Told {
    pub(super) places: Vec<usize>,
    pub(super) node: Option<usize>,
}

impl Shared<'_> {
    /// With these nodes behind so many parties.
    pub(super) fn new(parties: usize, nodes: Vec<Vec<Need>>) -> Self {
        Self {
            parties,
            nodes: RefCell::new(nodes),
            sole: Memo::default(),
            guards: Memo::default(),
            writers: Memo::default(),
            sides: Memo::default(),
            likewise: Memo::default(),
            told: Memo::default(),
        }
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
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(node);
        self.parties + nodes.len() - 1
    }

    /// All nodes.
    pub(super) fn into_nodes(self) -> Vec<Vec<Need>> {
        self.nodes.into_inner()
    }
}

/// What is known of this, found out if it is not.
pub(super) fn once<K: Eq + Hash, V>(memo: &Memo<K, V>, key: K, find: impl FnOnce() -> V) -> Rc<V> {
    let known = memo.borrow().get(&key).cloned();
    known.unwrap_or_else(|| {
        let found = Rc::new(find());
        memo.borrow_mut().insert(key, Rc::clone(&found));
        found
    })
}
