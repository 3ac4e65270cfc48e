//! Addresses are cleared under the write lock, and whoever is told of it reads them.
use crate::stage::fixed;
use lockprof::sync::RwLock;

struct Mapping {
    addresses: RwLock<Vec<u32>>,
}

impl Mapping {
    fn clear(&self) {
        let mut addresses = self.addresses.write().unwrap(); //~ hold main
        addresses.clear();
        if fixed() {
            drop(addresses);
        }
        self.notify();
    }

    fn notify(&self) {
        assert!(self.addresses.read().unwrap().is_empty()); //~ wait main
    }
}

pub fn play() {
    let addresses = RwLock::new(vec![1, 2]); //~ new addresses
    Mapping { addresses }.clear();
}
