//! Heartbeats are put together under one lock and take the raft's; a tick takes the raft's, the replica's, and theirs.
use crate::stage::{fixed, meet, party};
use lockprof::parking_lot::Mutex;
use std::sync::Arc;

struct Store {
    coalesced: Mutex<u32>,
    raft: Mutex<u32>,
    replica: Mutex<u32>,
}

impl Store {
    fn send_heartbeats(&self) {
        let mut coalesced = self.coalesced.lock(); //~ hold heartbeats
        let beats = std::mem::take(&mut *coalesced);
        if fixed() {
            drop(coalesced);
        }
        meet(2);
        *self.raft.lock() += beats; //~ wait heartbeats
    }

    fn tick(&self) {
        let _raft = self.raft.lock(); //~ hold tick
        let _replica = self.replica.lock(); //~ hold tick
        meet(2);
        *self.coalesced.lock() += 1; //~ wait tick
    }
}

pub fn play() {
    let coalesced = Mutex::new(0); //~ new coalesced
    let raft = Mutex::new(0); //~ new raft
    let store = Arc::new(Store { coalesced, raft, replica: Mutex::new(0) });
    let of_tick = store.clone();
    party(move || store.send_heartbeats());
    party(move || of_tick.tick());
}
