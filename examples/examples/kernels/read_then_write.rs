//! A cache is searched under the read lock, and filled under the write lock before the other is given back.
use crate::stage::{fixed, party};
use lockprof::parking_lot::{RwLock, RwLockUpgradableReadGuard};

fn fill(pages: &RwLock<Vec<u32>>) {
    if fixed() {
        let found = pages.upgradable_read();
        if found.is_empty() {
            RwLockUpgradableReadGuard::upgrade(found).push(1);
        }
        return;
    }
    let found = pages.read(); //~ hold filler
    if found.is_empty() {
        pages.write().push(1); //~ wait filler
    }
}

pub fn play() {
    let pages = RwLock::new(vec![]); //~ new pages
    party(move || fill(&pages));
}
