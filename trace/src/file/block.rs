//! Blocks as they are written.
use super::again::{Finder, HoldKey};
use super::coding::{Bases, Writer};
use super::{BLOCK_BYTES, FRAME, MARK};
use crate::event::{Event, Put};

/// A block under construction: events in, checked bytes out. One writer, any number of blocks; the buffer is used again.
///
/// What grows beyond the size of a block becomes several of them.
pub struct Block {
    /// Closed blocks, and the open one behind room for its frame.
    bytes: Vec<u8>,
    /// Where the open block begins; meaningless while `bytes` is empty.
    begin: usize,
    bases: Bases,
    /// The holds that the open block has told.
    told: Finder,
    /// The last event belongs to the one behind it.
    within: bool,
}

impl Default for Block {
    fn default() -> Self {
        Self { bytes: vec![], begin: 0, bases: Bases::default(), told: Finder::new(), within: false }
    }
}

impl Block {
    /// An empty block.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an event. Texts and stacks beyond the format's limits are cut.
    pub fn push(&mut self, event: &Event<'_>) {
        if self.bytes.is_empty() {
            self.open();
        } else if self.bytes.len() - self.begin >= BLOCK_BYTES && !self.within {
            self.close();
            self.open();
        }
        self.within = matches!(event, Event::Within { .. });
        let hold = HoldKey::of(event);
        let again = hold.and_then(|(key, at, ticks)| Some((self.told.find(key)?, at, ticks)));
        self.bytes.push(again.map_or(event.number(), |(number, ..)| number));
        let mut fields = Writer { bytes: &mut self.bytes, bases: &mut self.bases };
        match again {
            Some((_, at, ticks)) => {
                fields.time(at);
                fields.number(ticks);
            }
            None => event.put(&mut fields),
        }
    }

    /// How many bytes [`finish`](Block::finish) will append.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no event in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends the block to `out`, framed and checked. It is empty afterwards.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.is_empty() {
            self.close();
            out.extend_from_slice(&self.bytes);
            self.bytes.clear();
        }
    }

    fn open(&mut self) {
        self.begin = self.bytes.len();
        self.bytes.extend_from_slice(&[0; FRAME]);
        self.bases = Bases::default();
        self.told.clear();
    }

    fn close(&mut self) {
        let (frame, events) = self.bytes[self.begin..].split_at_mut(FRAME);
        let length = (events.len() as u32).to_le_bytes();
        frame[..4].copy_from_slice(&MARK);
        frame[4..8].copy_from_slice(&length);
        frame[8..].copy_from_slice(&checksum(length, events).to_le_bytes());
    }
}

/// The checksum of a block: over its length and its events.
pub(super) fn checksum(length: [u8; 4], events: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length);
    crc.update(events);
    crc.finalize()
}
