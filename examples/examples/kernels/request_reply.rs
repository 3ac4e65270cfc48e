//! A client waits for the reply of a worker that is at work; the way back went there in the request.
use crate::stage::party;
use lockprof::sync::mpsc;

pub fn play() {
    let (ask, asked) = mpsc::channel::<mpsc::Sender<u32>>();
    party(move || {
        while let Ok(reply) = asked.recv() {
            std::thread::park();
            reply.send(7).unwrap();
        }
    });
    let (reply, replied) = mpsc::channel();
    ask.send(reply).unwrap();
    replied.recv().unwrap();
}
