//! A log entry is written under the log's lock; where that fails, the way out takes the lock again.
use crate::stage::{fixed, forced};
use lockprof::sync::Mutex;

struct Log {
    file: Mutex<Vec<&'static str>>,
}

impl Log {
    fn output(&self, entry: &'static str, fails: bool) {
        let mut file = self.file.lock().unwrap(); //~ hold main
        file.push(entry);
        if fails {
            if fixed() {
                drop(file);
            }
            self.exit();
        }
    }

    fn exit(&self) {
        self.file.lock().unwrap().clear(); //~ wait main
    }
}

pub fn play() {
    let log = Log { file: Mutex::new(vec![]) }; //~ new file
    log.output("one", false);
    log.output("two", forced());
}
