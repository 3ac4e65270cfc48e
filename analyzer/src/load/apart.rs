//! Blocks of a trace decoded side by side, and given in the order of the file.
//!
//! The blocks go to a few threads in turn and are taken back in the same turn, so that what is read does not hang on who is
//! faster. Memory is bounded by the blocks that are under way.
use super::{From, Met, Told};
use lockprof_trace::file::{Parts, RawBlock, Reader};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// More threads would wait for the one that adds up.
const MOST_THREADS: usize = 4;
/// Blocks under way for each thread.
const AHEAD: usize = 2;

/// A block to decode, into parts that were used before.
type Job = (RawBlock, Parts);
/// What it told, and the memory that it lay in.
type Done = (Parts, Vec<u8>);

/// Reads to the end of the trace, and gives what its blocks tell.
pub fn read(reader: &mut Reader<From<'_>>, met: &mut Met, sink: &mut impl FnMut(Told<'_>)) {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    thread::scope(|scope| {
        let decoders: Vec<Decoder> = (0..threads).map(|_| Decoder::spawn(scope)).collect();
        let (mut sent, mut taken, mut ended) = (0, 0, false);
        let mut used: Vec<Done> = vec![];
        loop {
            while !ended && sent - taken < threads * AHEAD {
                let (parts, buffer) = used.pop().unwrap_or_default();
                match reader.raw_block(buffer) {
                    Ok(Some(block)) => {
                        decoders[sent % threads].give((block, parts));
                        sent += 1;
                    }
                    Ok(None) => ended = true,
                    Err(error) => ended = !met.error(error),
                }
            }
            if sent == taken {
                break;
            }
            let (mut parts, buffer) = decoders[taken % threads].take();
            taken += 1;
            give(&mut parts, met, sink);
            used.push((parts, buffer));
        }
    });
}

fn give(parts: &mut Parts, met: &mut Met, sink: &mut impl FnMut(Told<'_>)) {
    for event in &parts.others {
        met.event(event);
        sink(Told::Event(event));
    }
    for (key, times) in parts.holds() {
        met.events += times.len() as u64;
        sink(Told::Holds(key, times));
    }
    met.skipped += parts.skipped;
    if let Some(error) = parts.error.take() {
        met.error(error);
    }
}

/// A thread that decodes one block after the other.
struct Decoder {
    jobs: SyncSender<Job>,
    done: Receiver<Done>,
}

impl Decoder {
    fn spawn<'scope>(scope: &'scope thread::Scope<'scope, '_>) -> Self {
        let ((jobs, todo), (given, done)) = (sync_channel::<Job>(AHEAD), sync_channel(AHEAD));
        scope.spawn(move || {
            for (block, mut parts) in todo {
                let buffer = block.apart(&mut parts);
                if given.send((parts, buffer)).is_err() {
                    break;
                }
            }
        });
        Self { jobs, done }
    }

    fn give(&self, job: Job) {
        self.jobs.send(job).expect("it ends when nobody gives it anything any more");
    }

    fn take(&self) -> Done {
        self.done.recv().expect("it gives back what it was given")
    }
}
