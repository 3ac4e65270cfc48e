//! A device is deleted under the list's lock and its own; on the way the list's is given back and taken again.
use crate::stage::{fixed, party, reach, until};
use lockprof::parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;

struct Devices {
    list: Mutex<Vec<u32>>,
    info: Mutex<u32>,
}

impl Devices {
    fn delete(&self) {
        let mut list = self.list.lock();
        let info = self.info.lock(); //~ hold deleter
        let removed = *info;
        let waits_for_removal = || {
            reach(1);
            until(2);
        };
        if fixed() {
            drop(info);
            MutexGuard::unlocked(&mut list, waits_for_removal);
        } else {
            MutexGuard::unlocked(&mut list, waits_for_removal); //~ wait deleter
        }
        list.retain(|device| *device != removed);
    }

    fn status(&self) {
        let list = self.list.lock(); //~ hold observer
        reach(2);
        assert!(list.contains(&*self.info.lock())); //~ wait observer
    }
}

pub fn play() {
    let list = Mutex::new(vec![1, 2, 3]); //~ new list
    let info = Mutex::new(3); //~ new info
    let devices = Arc::new(Devices { list, info });
    let observed = devices.clone();
    party(move || devices.delete());
    party(move || {
        until(1);
        observed.status();
    });
}
