//! A range cache is read under its read lock and prints itself, which reads again; meanwhile another lookup wants to write.
use crate::stage::{fixed, forced, party, reach, until};
use lockprof::parking_lot::RwLock;
use std::fmt::{self, Display};
use std::sync::Arc;

struct Cache {
    ranges: RwLock<Vec<u32>>,
}

impl Display for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.ranges.read()) //~ wait lookup
    }
}

impl Cache {
    fn lookup(&self) {
        let ranges = self.ranges.read(); //~ hold lookup
        let seen = ranges.len();
        if fixed() {
            drop(ranges);
        }
        reach(1);
        // No reader gets in once the writer waits.
        while forced() && !fixed() && self.ranges.try_read().is_some() {
            std::thread::yield_now();
        }
        assert!(self.to_string().len() >= seen);
    }

    fn clear(&self) {
        until(1);
        self.ranges.write().clear(); //~ wait writer
    }

    fn look(&self) {
        until(1);
        while forced() && !fixed() && self.ranges.try_read().is_some() {
            std::thread::yield_now();
        }
        assert!(self.ranges.read().len() < 5); //~ behind reader
    }
}

pub fn play() {
    let ranges = RwLock::new(vec![1, 2, 3]); //~ new ranges
    let cache = Arc::new(Cache { ranges });
    let (cleared, looked) = (cache.clone(), cache.clone());
    party(move || cache.lookup());
    party(move || cleared.clear());
    party(move || looked.look());
}
