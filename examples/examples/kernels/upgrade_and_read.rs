//! One holds an upgradable read lock and upgrades; another one reads, and asks for an upgradable read lock under that.
use crate::stage::{fixed, meet, party};
use lockprof::parking_lot::{RwLock, RwLockUpgradableReadGuard};
use std::sync::Arc;

pub fn play() {
    let index = Arc::new(RwLock::new(0)); //~ new index
    let of_reader = index.clone();
    party(move || {
        let read = index.upgradable_read(); //~ hold writer
        meet(2);
        *RwLockUpgradableReadGuard::upgrade(read) += 1; //~ wait writer
    });
    party(move || {
        let read = of_reader.read(); //~ hold reader
        meet(2);
        if fixed() {
            drop(read);
        }
        assert!(*of_reader.upgradable_read() <= 1); //~ wait reader
    });
}
