//! The layout of the recorder's shared memory, and what is read from it when the recording ends or the process is dead.
//!
//! The recorder writes here as things happen, so that what happened outlives the process. One process writes; readers
//! look on through [`Memory`], which gives a word or a byte at a place: the recorder itself reads its own mapping so, and
//! the analyzer the bytes of the file that a killed process left.
//!
//! Places are word numbers (a word has 64 bits, little-endian) unless they are called `_at` bytes. Regions, in this order:
//! - the header, one page: what stands where, how much of it is in use, losses, the coarse clock;
//! - the directory: for each area the number of its page, plus one;
//! - the blank: [`IDS`] bytes of 255, mapped where a thread has counted nothing yet;
//! - object records, [`RECORD`] words each, by id;
//! - entries, [`ENTRY`] words each: open waits, live handles, live tasks;
//! - pages: the area of each thread, and its counters, a byte for each id, one page for 4,096 ids where it counted some;
//! - event chunks, [`CHUNK`] words each.
//!
//! **A count** is the record's number plus, for each thread, its byte minus 255: a byte of 255 is nothing, and wraps at
//! the next count, when it is carried: `record += 256 - start; byte = start`. Meanwhile the area bears a mark of what is
//! about to happen, and between these two steps the record bears the area's number: so that a reader of a dead process
//! can tell a half-done carry from one that is done or not begun ([`counted`]).
mod counts;
mod snapshot;
pub use counts::counted;
pub use snapshot::{coarse_to_ticks, snapshot};

use crate::event::Event;
use crate::kind::End;
use crate::words;

/// Objects that can be told apart at a time; id 0 is nobody's. A power of two.
pub const IDS: usize = 1 << 19;
/// Entries: open waits, live handles and live tasks together.
pub const ENTRIES: usize = 1 << 18;
/// Threads that can have an area at a time.
pub const AREAS: usize = 4096;
/// Pages of areas and counters.
pub const PAGES: usize = 1 << 14;
/// Event chunks.
pub const CHUNKS: usize = 1 << 12;

/// Bytes of a page.
pub const PAGE_BYTES: usize = 4096;
/// Ids that one page of counters counts.
pub const IDS_PER_PAGE: usize = PAGE_BYTES;
/// Words of an object record.
pub const RECORD: usize = 8;
/// Words of an entry.
pub const ENTRY: usize = 8;
/// Words of an event chunk, its head included.
pub const CHUNK: usize = 2048;
/// Words of a chunk's head.
pub const CHUNK_HEAD: usize = 8;
/// Locks that a thread's held list has room for.
pub const HELD: usize = 64;
/// Words of one of them.
pub const HELD_WORDS: usize = 4;

/// "LPMEM" and the version of this layout. Another layout gets another number.
pub const MAGIC: u64 = u64::from_le_bytes(*b"LPMEM\0\0\x02");

const WORDS_PER_PAGE: usize = PAGE_BYTES / 8;

/// Where the page with this number, plus one, begins; `None` where it is none.
fn page_at(number: u32) -> Option<usize> {
    let page = number.checked_sub(1).filter(|page| (*page as usize) < PAGES)?;
    Some(region::PAGES_ + page as usize * WORDS_PER_PAGE)
}

/// Where the regions begin, in words.
pub mod region {
    use super::*;
    /// The directory of areas: one `u32` each.
    pub const DIRECTORY: usize = WORDS_PER_PAGE;
    /// The blank.
    pub const BLANK: usize = DIRECTORY + AREAS / 2;
    /// Object records.
    pub const RECORDS: usize = BLANK + IDS / 8;
    /// Entries.
    pub const ENTRIES_: usize = RECORDS + IDS * RECORD;
    /// Pages.
    pub const PAGES_: usize = ENTRIES_ + ENTRIES * ENTRY;
    /// Chunks.
    pub const CHUNKS_: usize = PAGES_ + PAGES * WORDS_PER_PAGE;
    /// The end of all.
    pub const END: usize = CHUNKS_ + CHUNKS * CHUNK;
}

/// Words of the header.
pub mod header {
    /// [`MAGIC`](super::MAGIC), written last when the memory is ready.
    pub const MAGIC: usize = 0;
    /// The process.
    pub const PID: usize = 1;
    /// 1 while it is written, 2 when the recording has finished.
    pub const STATE: usize = 2;
    /// Ids given out, plus one.
    pub const IDS: usize = 3;
    /// Entries given out, plus one.
    pub const ENTRIES: usize = 4;
    /// Pages given out, plus one.
    pub const PAGES: usize = 5;
    /// Chunks given out, plus one.
    pub const CHUNKS: usize = 6;
    /// Areas given out.
    pub const AREAS: usize = 7;
    /// Passes of the background thread that are written: its lowest bit tells which of two numbers is valid.
    pub const PASS: usize = 8;
    /// Length of the trace file after an even and after an odd pass, in bytes.
    pub const FILE_BYTES: usize = 9;
    /// Ticks when the background thread was last seen.
    pub const SEEN: usize = 11;
    /// Losses, one word for each [`Loss`](crate::Loss).
    pub const LOST: usize = 16;
    /// The coarse clock: ticks, without their low [`COARSE_SHIFT`](super::COARSE_SHIFT) bits. Alone on its cache lines.
    pub const COARSE: usize = 48;
}

/// A step of the coarse clock's number is two to this many ticks.
pub const COARSE_SHIFT: u32 = 16;

/// Words of an object record.
pub mod record {
    /// [`Kind`](crate::Kind) in the lowest byte, offset from the object's own id in the next; bit 16 while an object has the
    /// id, bit 17 where the recorder tells how many of its class there are; the class in the upper half.
    pub const META: usize = 0;
    /// The count in the lower [`COUNT_BITS`](super::COUNT_BITS) bits; above, the area that is between the two
    /// steps of a carry, plus one; 0: none.
    pub const COUNT: usize = 1;
    /// Waits in the lower half, instances in the upper.
    pub const WAITS: usize = 2;
    /// Sum of the waits, ticks.
    pub const WAIT: usize = 3;
    /// Longest wait in the lower half, longest hold in the upper; in 1,024 ticks.
    pub const LONGEST: usize = 4;
    /// Sum of the holds by the coarse clock, ticks. Of a channel, which nobody holds: when one of its senders was dropped
    /// last, of the id behind it one of its receivers, as the coarse clock's lower 32 bits with [`DROPPED`](super::DROPPED).
    pub const HOLD: usize = 5;
    /// Capacity.
    pub const CAPACITY: usize = 6;
    /// Next in a list of free ids.
    pub const NEXT: usize = 7;
}

/// Above the coarse clock in the record of a channel: one of its ends was dropped.
pub const DROPPED: u64 = 1 << 32;

/// Bits of a record's count.
pub const COUNT_BITS: u32 = 51;
/// A record's count without what stands above it.
pub const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const _: () = assert!(AREAS as u64 <= u64::MAX >> COUNT_BITS);

/// The mark of a carry to an id's record that sets the byte to `next`.
pub const fn carrying(id: u32, next: u8) -> u64 {
    1 << 63 | (next as u64) << 32 | id as u64
}

/// Words of an entry.
pub mod entry {
    /// What it is ([`WAIT`], [`HANDLE`], [`TASK`], [`ENDED`]; 0: free) in the lowest byte; operation, role or state in the next; of a
    /// wait, in the one after it, how far behind the object's id that one lies which counts it; the object in the upper half.
    /// Written last.
    pub const HEAD: usize = 0;
    /// Who waits, holds or lives.
    pub const PARTY: usize = 1;
    /// Where.
    pub const SITE: usize = 2;
    /// Since when, ticks.
    pub const SINCE: usize = 3;
    /// The stack in the lower half; permits or uses in the upper; of a wait 1, where its time is limited, and
    /// its tracing span from the second bit on. Of a task: its polls.
    pub const COUNT: usize = 4;
    /// Of a wait: who holds. Of a task: when it was polled. Of a handle: [`MOVED`], [`TRAVELS`], [`CAPTURED`] or nothing.
    pub const HOLDER: usize = 5;
    /// Of a wait: where that was taken. Of a task: its wakers. Of a handle: what its thread had last locked when it was made.
    pub const HOLDER_SITE: usize = 6;
    /// Next in a list of free entries. Of a wait that has ended: when, ticks.
    pub const NEXT: usize = 7;

    /// An open wait.
    pub const WAIT: u64 = 1;
    /// A live handle.
    pub const HANDLE: u64 = 2;
    /// A live task.
    pub const TASK: u64 = 3;
    /// A wait that has ended because it got what it waited for: neither is its event written yet, nor has the record its sum.
    pub const ENDED: u64 = 4;

    /// The id that counts the wait with this head.
    pub const fn counted(head: u64) -> u32 {
        (head >> 32) as u32 + (head >> 16 & 0xFF) as u32
    }

    /// In a task's head, above its state: it was woken since its last poll began.
    pub const WOKEN: u64 = 1 << 16;

    /// In a handle's head, above its role: its party has locked something since it was made, and may have left it there.
    pub const SHELVED: u64 = 1 << 16;

    /// The same of one that was used where it lies, in a static: whoever likes can use it. Of a permit: it was forgotten, and
    /// whoever likes can add another.
    pub const GLOBAL: u64 = 1 << 17;

    /// The handle's party captured it as it was spawned.
    pub const MOVED: u64 = 1;
    /// The handle is an owned guard's: what its party spawns may have taken it along.
    pub const TRAVELS: u64 = 2;
    /// The handle was seen in the future of its party as that was spawned, where a copy may have been left of what is elsewhere:
    /// it is most likely the party's.
    pub const CAPTURED: u64 = 3;

    /// What an event says of a handle with this head: one of these, 4 more where it is [`SHELVED`], and 8 where it is [`GLOBAL`].
    pub const fn moved(head: u64, how: u64) -> u64 {
        how | (head & (SHELVED | GLOBAL)) >> 14
    }
    /// What [`moved`] has added to one of these.
    pub const MAY_BE_SHELVED: u64 = 4;
    /// The same.
    pub const IS_GLOBAL: u64 = 8;
}

/// Words of an area.
pub mod area {
    /// The thread's party; 0: the area is free.
    pub const THREAD: usize = 0;
    /// Who runs on it now.
    pub const PARTY: usize = 1;
    /// How many locks it holds.
    pub const HELD_LEN: usize = 2;
    /// A carry under way, see [`carrying`](super::carrying); 0: none.
    pub const CARRYING: usize = 3;
    /// How many of the locks held were taken by who ran before: who they are stands with each. The others were taken by
    /// who runs now.
    pub const BASE: usize = 5;
    /// The first lock held: site; id with [`SAMPLED`](super::SAMPLED), [`UPGRADABLE`](super::UPGRADABLE) and
    /// [`UNSURE`](super::UNSURE), and in the upper half the coarse clock; ticks, where it is timed; party, see [`BASE`].
    pub const HELD: usize = 16;
    /// For each page of counters its number, plus one; a `u32` each.
    pub const COUNTERS: usize = HELD + super::HELD * super::HELD_WORDS;
}

/// The id in a held lock's second word; 0 there: it was released by another thread.
pub const HELD_ID: u64 = UNSURE - 1;
/// In a held lock's second word: another thread has released a guard of the same lock, which may have been this one.
pub const UNSURE: u64 = 1 << 29;
/// In a held lock's second word: the guard is an upgradable one.
pub const UPGRADABLE: u64 = 1 << 30;
/// In a held lock's second word: its hold is timed.
pub const SAMPLED: u64 = 1 << 31;

/// Words of a chunk's head.
pub mod chunk {
    /// 0: free; 1: a thread writes; 2: full.
    pub const STATE: usize = 0;
    /// Words written behind the head, published last.
    pub const LEN: usize = 1;
    /// Words copied to the file after an even and after an odd pass.
    pub const COPIED: usize = 2;
    /// Next in the list of free chunks.
    pub const NEXT: usize = 4;
    /// Which of all chunks it is that a thread has begun to write: a thread's later chunk has a greater number.
    pub const TURN: usize = 5;
}

/// What is read: words and bytes at places. Places beyond the end are 0.
pub trait Memory {
    /// The word with this number.
    fn word(&self, place: usize) -> u64;

    /// The byte at this place.
    fn byte(&self, at: usize) -> u8 {
        (self.word(at / 8) >> (at % 8 * 8)) as u8
    }

    /// The `u32` with this number behind a word.
    fn half(&self, place: usize, number: usize) -> u32 {
        (self.word(place + number / 2) >> (number % 2 * 32)) as u32
    }
}

impl Memory for [u8] {
    fn word(&self, place: usize) -> u64 {
        let bytes = self.get(place * 8..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

/// Why bytes are not a recorder's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// They do not begin with [`MAGIC`]: something else, or another version's layout.
    Foreign,
    /// They are shorter than the layout.
    Short,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Error::Foreign => "not the memory of a recorder of this version",
            Error::Short => "the memory of a recorder, but cut off",
        })
    }
}

impl std::error::Error for Error {}

/// What a dead process left: where its trace file is valid to, and everything that is not in the file, given to `emit`.
///
/// Returns the length in bytes that the trace file must be cut to before what is emitted is appended.
///
/// # Errors
/// `bytes` are not a recorder's memory.
pub fn collect(bytes: &[u8], emit: &mut dyn FnMut(&Event<'_>)) -> Result<u64, Error> {
    if bytes.word(header::MAGIC) != MAGIC {
        return Err(Error::Foreign);
    }
    if bytes.len() < region::END * 8 {
        return Err(Error::Short);
    }
    let pass = bytes.word(header::PASS);
    for number in chunks_in_turn(bytes) {
        uncopied(bytes, number, pass, emit);
    }
    snapshot(bytes, emit);
    emit(&Event::Finish { at: bytes.word(header::SEEN), end: End::Collected, reason: "".into() });
    Ok(bytes.word(header::FILE_BYTES + (pass & 1) as usize))
}

/// How many of a region are in use.
pub fn used(memory: &(impl Memory + ?Sized), word: usize, limit: usize) -> usize {
    (memory.word(word) as usize).min(limit)
}

/// The numbers of all chunks, those of each thread in the order in which it wrote them.
pub fn chunks_in_turn(memory: &(impl Memory + ?Sized)) -> Vec<usize> {
    let mut chunks: Vec<usize> = (0..used(memory, header::CHUNKS, CHUNKS)).collect();
    chunks.sort_by_cached_key(|number| memory.word(region::CHUNKS_ + number * CHUNK + chunk::TURN));
    chunks
}

/// Gives the events of a chunk that are not in the file to `emit`; returns how far it was read, in words.
pub fn uncopied(
    memory: &(impl Memory + ?Sized),
    number: usize,
    pass: u64,
    emit: &mut dyn FnMut(&Event<'_>),
) -> u64 {
    let head = region::CHUNKS_ + number * CHUNK;
    if memory.word(head + chunk::STATE) == 0 {
        return 0;
    }
    let end = memory.word(head + chunk::LEN).min((CHUNK - CHUNK_HEAD) as u64);
    let from = memory.word(head + chunk::COPIED + (pass & 1) as usize).min(end);
    let data = head + CHUNK_HEAD;
    let words: Vec<u64> = (from..end).map(|word| memory.word(data + word as usize)).collect();
    words::Reader::new(&words).for_each(|event| emit(&event));
    end
}
