//! Any bytes as a file, and any bytes as the events of a block whose frame is right: the reader ends, without a panic,
//! and what it gives is written and read again as it is. Blocks
//! that are taken apart tell of as many events.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lockprof_trace::Event;
use lockprof_trace::file::{Block, MARK, Parts, Reader, header};

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let length = (bytes.len() as u32).to_le_bytes();
    let crc = crc32fast::hash(&[&length, bytes].concat()).to_le_bytes();
    let events = read(&[&header()[..], &MARK, &length, &crc, bytes].concat());

    let (mut file, mut block) = (header(), Block::new());
    events.iter().for_each(|event| block.push(event));
    block.finish(&mut file);
    assert_eq!(read(&file), events);
});

fn read(bytes: &[u8]) -> Vec<Event<'static>> {
    let mut events = vec![];
    let Ok(mut reader) = Reader::new(bytes) else { return events };
    loop {
        match reader.next() {
            Ok(Some(event)) => events.push(event.into_owned()),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    assert_eq!(count_apart(bytes), events.len());
    events
}

fn count_apart(bytes: &[u8]) -> usize {
    let (mut count, mut parts, mut reader) = (0, Parts::default(), Reader::new(bytes).unwrap());
    loop {
        match reader.raw_block(vec![]) {
            Ok(Some(block)) => {
                block.apart(&mut parts);
                count += parts.others.len() + parts.holds().map(|(_, times)| times.len()).sum::<usize>();
            }
            Ok(None) => return count,
            Err(_) => {}
        }
    }
}
