//! Three take a mutex and two read-write locks, each the next one after its own.
use crate::stage::{fixed, meet, party};
use lockprof::sync::{Mutex, RwLock};
use std::sync::Arc;

struct Node {
    peers: Mutex<u32>,
    blocks: RwLock<u32>,
    votes: RwLock<u32>,
}

impl Node {
    fn connect(&self) {
        let peers = self.peers.lock().unwrap(); //~ hold connect
        meet(3);
        *self.blocks.write().unwrap() += *peers; //~ wait connect
    }

    fn import(&self) {
        let blocks = self.blocks.read().unwrap(); //~ hold import
        meet(3);
        *self.votes.write().unwrap() += *blocks; //~ wait import
    }

    fn vote(&self) {
        let votes = self.votes.write().unwrap(); //~ hold vote
        let cast = *votes;
        if fixed() {
            drop(votes);
        }
        meet(3);
        *self.peers.lock().unwrap() += cast; //~ wait vote
    }
}

pub fn play() {
    let peers = Mutex::new(0); //~ new peers
    let blocks = RwLock::new(0); //~ new blocks
    let votes = RwLock::new(0); //~ new votes
    let node = Arc::new(Node { peers, blocks, votes });
    let (imports, votes) = (node.clone(), node.clone());
    party(move || node.connect());
    party(move || imports.import());
    party(move || votes.vote());
}
