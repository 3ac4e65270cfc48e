//! Makes a long trace of a short one: its waits and holds happen again and again, each time later, until the file has so
//! many bytes: `cargo run --example repeat -- trace.bin BYTES long.bin`. Prints how many events they are.
use lockprof_trace::Event;
use lockprof_trace::file::{Block, Reader, header};
use std::fs::File;
use std::io::{BufWriter, Write};

/// Bytes that are gathered before they are written.
const GATHERED: usize = 1 << 20;

#[allow(clippy::print_stdout)] // It is what the caller divides by.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [from, bytes, to] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("repeat TRACE BYTES FILE".into());
    };
    let bytes: u64 = bytes.parse()?;
    let mut file = BufWriter::new(File::create(to)?);
    let (mut block, mut written, mut out) = (Block::new(), 0, header());
    let (mut begin, mut end) = (0, 0);
    let (mut last, mut count) = (None, 0u64);
    for round in 0.. {
        let shift = round * (end - begin);
        let mut reader = Reader::new(File::open(from)?)?;
        let mut happened = false;
        while let Some(event) = reader.next()? {
            match later(&event, shift) {
                Some(event) => {
                    happened = true;
                    count += 1;
                    block.push(&event);
                }
                // What is told once is told in the first round; how it ended, in the end.
                None if round == 0 => match event {
                    Event::Finish { at, end: how, .. } => (end, last) = (at, Some(how)),
                    Event::Session { at, .. } => {
                        begin = at;
                        block.push(&event);
                    }
                    event => block.push(&event),
                },
                None => {}
            }
            if block.len_bytes() > GATHERED {
                block.finish(&mut out);
                file.write_all(&out)?;
                written += out.len() as u64;
                out.clear();
            }
        }
        if written >= bytes {
            let how = last.ok_or("the trace is not finished")?;
            block.push(&Event::Finish { at: end + shift, end: how, reason: "".into() });
            block.finish(&mut out);
            file.write_all(&out)?;
            println!("{count}");
            return Ok(file.flush()?);
        }
        if !happened {
            return Err("nothing happens in this trace".into());
        }
    }
    Ok(())
}

/// A wait or a hold, so much later.
fn later<'e>(event: &Event<'e>, shift: u64) -> Option<Event<'e>> {
    let mut event = event.clone();
    match &mut event {
        Event::Wait { at, .. } | Event::Hold { at, .. } => *at += shift,
        _ => return None,
    }
    Some(event)
}
