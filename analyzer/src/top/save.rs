//! A snapshot: the recording as it stands, as a trace of its own.
use super::Follow;
use crate::error::Error;
use lockprof_trace::file::{Block, header};
use lockprof_trace::{End, Event};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Bytes that are gathered before they are written.
const GATHERED: usize = 1 << 20;

/// Writes what is recorded up to now to a new file at `path`.
///
/// # Errors
/// The recording cannot be read, or the file not be written; it must not be there yet.
pub fn save(follow: &Follow, path: &Path) -> Result<(), Error> {
    let failed = |error| Error::File(path.into(), error);
    let mut file = File::create_new(path).map_err(failed)?;
    let (mut block, mut bytes, mut wrote) = (Block::new(), header(), Ok(()));
    follow.events(&mut |event| {
        block.push(&alone(event));
        if block.len_bytes() > GATHERED && wrote.is_ok() {
            block.finish(&mut bytes);
            wrote = file.write_all(&bytes);
            bytes.clear();
        }
    })?;
    block.finish(&mut bytes);
    wrote.and_then(|()| file.write_all(&bytes)).map_err(failed)
}

/// A snapshot is complete: there is no memory to complete it from.
fn alone<'e>(event: &Event<'e>) -> Event<'e> {
    let mut event = event.clone();
    match &mut event {
        Event::Session { memory, .. } => *memory = "".into(),
        Event::Finish { end: end @ End::Cut, .. } => *end = End::Finished,
        _ => {}
    }
    event
}
