//! The reader of trace files.
//!
//! A block is read whole into one buffer and checked; its events borrow from there. Behind damage the reader looks for the
//! next mark at which a block begins that ends at another mark, or at the end of the file, and matches its checksum: asked
//! in this order, so that no input makes it compute more than a few checksums for each byte.
use super::again::Places;
use super::block::checksum;
use super::coding::{Bases, Fields};
use super::events::{self, Events};
use super::parts::RawBlock;
use super::schema::{self, Schema};
use super::{Error, FRAME, MARK, MAX_BLOCK};
use crate::event::Event;
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::sync::Arc;

/// Reads the events of a trace file, block by block.
pub struct Reader<R> {
    from: R,
    schema: Arc<Schema>,
    /// A window of the file, from `begin` on.
    buffer: Vec<u8>,
    /// Where the buffer begins in the file.
    begin: u64,
    /// Where in the buffer the next block begins.
    next: usize,
    /// The file has no more bytes than the buffer has.
    ended: bool,
    /// Behind damage: no block is taken on the word of its frame alone.
    lost: bool,
    /// Events of the current block, for [`Reader::next`].
    events: Range<usize>,
    bases: Bases,
    places: Places,
    cut: Option<u64>,
    skipped: u64,
    damaged: u64,
}

/// What stands where a block should begin.
enum Found {
    Block(Range<usize>),
    End,
    Cut,
    Damage(&'static str),
}

impl<R: Read> Reader<R> {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// It is not the header of a trace of this version.
    pub fn new(mut from: R) -> Result<Self, Error> {
        let (schema, begin) = schema::read(&mut from)?;
        Ok(Self {
            from,
            schema: Arc::new(schema),
            buffer: vec![],
            begin,
            next: 0,
            ended: false,
            lost: false,
            events: 0..0,
            bases: Bases::default(),
            places: Places::new(),
            cut: None,
            skipped: 0,
            damaged: 0,
        })
    }

    /// The next event; `None` at the end. Convenient; [`Reader::block`] is twice as fast.
    ///
    /// # Errors
    /// As those of [`Reader::block`] and [`Events`].
    #[allow(clippy::should_implement_trait)] // The event borrows from the reader.
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Error> {
        // Events of later versions are passed over first: what is lent can only be looked at once it is known to be lent.
        loop {
            if self.events.is_empty() {
                let Some(events) = self.load()? else { return Ok(None) };
                (self.events, self.bases, self.places) = (events, Bases::default(), Places::new());
            }
            let mut fields = Fields::within(&self.buffer[self.events.clone()], self.bases);
            let number = fields.bytes.first().copied().unwrap_or_default();
            match events::decode(&self.schema, &mut fields, &self.places) {
                Ok(Some(_)) => break,
                Ok(None) => drop(self.places.learn(number, None)),
                Err(malformed) => {
                    let offset = self.begin + self.events.start as u64;
                    self.events = 0..0;
                    self.damaged += 1;
                    return Err(events::corrupt(offset, malformed));
                }
            }
            let (left, bases) = (fields.bytes.len(), fields.bases());
            self.events.start = self.events.end - left;
            self.bases = bases;
            self.skipped += 1;
        }
        let mut fields = Fields::within(&self.buffer[self.events.clone()], self.bases);
        let number = fields.bytes.first().copied().unwrap_or_default();
        let event = events::decode(&self.schema, &mut fields, &self.places).ok().flatten();
        self.places.learn(number, event.as_ref());
        self.events.start = self.events.end - fields.bytes.len();
        self.bases = fields.bases();
        Ok(event)
    }

    /// The events of the next block; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`] once for each damaged stretch of the file: the next call goes on behind it. [`Error::Io`].
    pub fn block(&mut self) -> Result<Option<Events<'_>>, Error> {
        self.events = 0..0;
        let Some(events) = self.load()? else { return Ok(None) };
        let offset = self.begin + events.end as u64;
        let Self { buffer, schema, skipped, damaged, .. } = self;
        Ok(Some(Events::new(&buffer[events], schema, offset, skipped, damaged)))
    }

    /// The next block as it is, for another thread to decode; `None` at the end. It is copied into `buffer`, whose contents
    /// are lost. What the block tells counts neither as [skipped](Reader::skipped) nor as [damaged](Reader::damaged).
    ///
    /// # Errors
    /// As those of [`Reader::block`].
    pub fn raw_block(&mut self, mut buffer: Vec<u8>) -> Result<Option<RawBlock>, Error> {
        self.events = 0..0;
        let Some(events) = self.load()? else { return Ok(None) };
        buffer.clear();
        buffer.extend_from_slice(&self.buffer[events.clone()]);
        Ok(Some(RawBlock { bytes: buffer, schema: self.schema.clone(), end: self.begin + events.end as u64 }))
    }

    /// Where the file was cut off in the middle of a block, if it was: that block's begin, in bytes.
    pub fn cut(&self) -> Option<u64> {
        self.cut
    }

    /// Where the next block begins: the end of what was read, in bytes from the begin of the file.
    pub fn offset(&self) -> u64 {
        self.begin + self.next as u64
    }

    /// Events passed over because this version does not know them.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Damaged stretches of the file so far.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// What is read from, to be given more: behind the end that was met, reading goes on. For a file that is written still,
    /// given up to where its blocks are known to be whole.
    pub fn source(&mut self) -> &mut R {
        self.ended = false;
        &mut self.from
    }

    /// Finds the next whole block and returns the place of its events.
    fn load(&mut self) -> Result<Option<Range<usize>>, Error> {
        if self.cut.is_some() {
            return Ok(None);
        }
        let offset = self.offset();
        let found = if self.lost { self.search()? } else { self.look()? };
        let what = match found {
            Found::Block(events) => {
                (self.next, self.lost) = (events.end, false);
                return Ok(Some(events));
            }
            Found::End => return Ok(None),
            Found::Damage(what) => what,
            // A block that is partly there, or one with a wrong length: then others follow.
            Found::Cut => {
                self.next += 1;
                match self.search()? {
                    Found::Block(_) => "a block with a wrong length",
                    _ => {
                        self.cut = Some(offset);
                        return Ok(None);
                    }
                }
            }
        };
        self.next += usize::from(!matches!(found, Found::Cut));
        self.lost = true;
        self.damaged += 1;
        Err(Error::Corrupt { offset, what })
    }

    /// Looks at what stands at `next`.
    fn look(&mut self) -> Result<Found, Error> {
        self.fill(FRAME)?;
        let bytes = &self.buffer[self.next..];
        if bytes.is_empty() {
            return Ok(Found::End);
        }
        if !begins_with_mark(bytes) {
            return Ok(Found::Damage("no block begins here"));
        }
        let Some(frame) = bytes.first_chunk::<FRAME>() else { return Ok(Found::Cut) };
        let [.., l0, l1, l2, l3, c0, c1, c2, c3] = *frame;
        let length = [l0, l1, l2, l3];
        let size = u32::from_le_bytes(length) as usize;
        if size > MAX_BLOCK {
            return Ok(Found::Damage("a block with a length beyond the limit"));
        }
        self.fill(FRAME + size + MARK.len())?;
        let bytes = &self.buffer[self.next + FRAME..];
        let Some((events, after)) = bytes.split_at_checked(size) else { return Ok(Found::Cut) };
        if self.lost && !begins_with_mark(after) {
            return Ok(Found::Damage(""));
        }
        if checksum(length, events) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Ok(Found::Damage("a block does not match its checksum"));
        }
        let begin = self.next + FRAME;
        Ok(Found::Block(begin..begin + size))
    }

    /// Looks for the next block behind damage, from `next` on.
    fn search(&mut self) -> Result<Found, Error> {
        self.lost = true;
        loop {
            self.fill(FRAME)?;
            let bytes = &self.buffer[self.next..];
            if bytes.len() < FRAME {
                self.next = self.buffer.len();
                return Ok(Found::End);
            }
            match bytes.windows(MARK.len()).position(|bytes| bytes == MARK) {
                // The mark may stand half in the buffer.
                None => self.next = self.buffer.len() - (MARK.len() - 1),
                Some(at) => {
                    self.next += at;
                    if let Found::Block(events) = self.look()? {
                        return Ok(Found::Block(events));
                    }
                    self.next += 1;
                }
            }
        }
    }

    /// Makes `count` bytes from `next` on stand in the buffer, or all that there are.
    fn fill(&mut self, count: usize) -> Result<(), Error> {
        const READ: usize = 128 << 10;
        if self.buffer.len() - self.next >= count || self.ended {
            return Ok(());
        }
        self.buffer.drain(..self.next);
        self.begin += self.next as u64;
        self.next = 0;
        let mut length = self.buffer.len();
        // Always more than is asked for, so that what is moved stays in proportion to what is read.
        self.buffer.resize(count + READ, 0);
        while length < count {
            match self.from.read(&mut self.buffer[length..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => length += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.truncate(length);
                    return Err(error.into());
                }
            }
        }
        self.buffer.truncate(length);
        Ok(())
    }
}

/// Whether a mark stands here, or as much of one as the file has left.
fn begins_with_mark(bytes: &[u8]) -> bool {
    let length = bytes.len().min(MARK.len());
    bytes[..length] == MARK[..length]
}
