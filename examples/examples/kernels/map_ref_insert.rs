//! A session is looked up in a sharded map and, as long as it is referred to, put back under the same key.
use crate::stage::fixed;
use lockprof::dashmap::DashMap;

pub fn play() {
    let sessions = DashMap::new(); //~ new sessions
    sessions.insert("ada", 1);
    let session = sessions.get("ada").unwrap(); //~ hold main
    let seen = *session + 1;
    if fixed() {
        drop(session);
    }
    sessions.insert("ada", seen); //~ wait main
}
