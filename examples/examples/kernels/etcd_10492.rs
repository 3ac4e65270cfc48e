//! The lessor renews a lease under its lock and calls back for a checkpoint, which takes that lock again.
use crate::stage::fixed;
use lockprof::parking_lot::RwLock;

struct Lessor {
    leases: RwLock<u32>,
}

impl Lessor {
    fn renew(&self) {
        let mut leases = self.leases.write(); //~ hold main
        *leases += 1;
        if fixed() {
            drop(leases);
        }
        self.checkpoint();
    }

    fn checkpoint(&self) {
        *self.leases.write() += 1; //~ wait main
    }
}

pub fn play() {
    let leases = RwLock::new(0); //~ new leases
    Lessor { leases }.renew();
}
