//! A server that stops gracefully returns with its lock kept; whoever serves, or stops once more, waits for ever.
use crate::stage::{fixed, party, reach, until};
use lockprof::parking_lot::Mutex;
use std::sync::Arc;

struct Server {
    connections: Mutex<u32>,
}

impl Server {
    fn stop(&self) {
        let mut connections = self.connections.lock(); //~ hold stopper //~ wait main
        *connections = 0;
        if !fixed() {
            std::mem::forget(connections);
        }
    }

    fn serve(&self) {
        *self.connections.lock() += 1; //~ wait server
    }
}

pub fn play() {
    let connections = Mutex::new(3); //~ new connections
    let server = Arc::new(Server { connections });
    let (stopped, serves) = (server.clone(), server.clone());
    party(move || {
        stopped.stop();
        reach(1);
    });
    until(1);
    party(move || serves.serve());
    server.stop();
}
