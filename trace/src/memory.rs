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
//! the next count, when it is carried: `record += 256 - start; byte = start`. Before a carry the area gets a mark of what
//! is about to happen, so that a reader of a dead process can tell a half-done carry from a done one.
use crate::event::{Event, Party};
use crate::kind::{End, Kind, Loss, Operation, Role, TaskState, WaitEnd};
use crate::words;
use std::collections::HashMap;

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
pub const MAGIC: u64 = u64::from_le_bytes(*b"LPMEM\0\0\x01");

const WORDS_PER_PAGE: usize = PAGE_BYTES / 8;

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
    /// The count in the lower [`COUNT_BITS`](super::COUNT_BITS) bits; above, the area that carried last, plus one.
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
pub const COUNT_BITS: u32 = 44;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

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

    /// The same of one that was used where it lies, in a static: whoever likes can use it.
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
    /// A carry under way: 1 in the highest bit, the byte that will be in the next 8 from bit 32, the id below; 0: none.
    pub const CARRYING: usize = 3;
    /// The record's count before it.
    pub const BEFORE: usize = 4;
    /// How many of the locks held were taken by who ran before: who they are stands with each. The others were taken by
    /// who runs now.
    pub const BASE: usize = 6;
    /// The first lock held: site; id with [`SAMPLED`](super::SAMPLED) and [`UPGRADABLE`](super::UPGRADABLE), and in the
    /// upper half the coarse clock; ticks, where it is timed; party, see [`BASE`].
    pub const HELD: usize = 16;
    /// For each page of counters its number, plus one; a `u32` each.
    pub const COUNTERS: usize = HELD + super::HELD * super::HELD_WORDS;
}

/// The id in a held lock's second word; 0 there: it was released by another thread.
pub const HELD_ID: u64 = UPGRADABLE - 1;
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

/// Gives the state of this moment to `emit`: open waits and those that are not told yet, live handles and tasks, counts, losses.
pub fn snapshot(memory: &(impl Memory + ?Sized), emit: &mut dyn FnMut(&Event<'_>)) {
    let entries = used(memory, header::ENTRIES, ENTRIES);
    let mut late: HashMap<u32, Waits> = HashMap::new();
    for number in 1..entries {
        let Some((head, event, span)) = entry_event(memory, number) else { continue };
        if span != 0 {
            emit(&Event::Within { span });
        }
        if let Event::Wait { ticks, .. } = event {
            late.entry(entry::counted(head)).or_default().add(ticks);
        }
        emit(&event);
    }
    let areas = used(memory, header::AREAS, AREAS);
    let mut counted: HashMap<u32, u64> = HashMap::new();
    for number in 0..areas {
        let page = memory.half(region::DIRECTORY, number);
        let Some(page) = page.checked_sub(1).filter(|page| (*page as usize) < PAGES) else { continue };
        let area = region::PAGES_ + page as usize * WORDS_PER_PAGE;
        if memory.word(area + area::THREAD) != 0 {
            held(memory, area, emit);
        }
        count_area(memory, area, number, &mut counted);
    }
    counts(memory, &counted, &late, emit);
    for loss in Loss::ALL {
        let count = memory.word(header::LOST + *loss as usize);
        if count != 0 {
            emit(&Event::Lost { loss: *loss, count });
        }
    }
}

/// Waits that their records have not added up yet.
#[derive(Clone, Copy, Default)]
struct Waits {
    count: u64,
    ticks: u64,
    longest: u64,
}

impl Waits {
    fn add(&mut self, ticks: u64) {
        self.count += 1;
        self.ticks = self.ticks.wrapping_add(ticks);
        self.longest = self.longest.max(ticks);
    }
}

/// An entry's head, what it tells, and the tracing span that it stands in; 0: none.
fn entry_event(memory: &(impl Memory + ?Sized), number: usize) -> Option<(u64, Event<'static>, u64)> {
    let place = region::ENTRIES_ + number * ENTRY;
    let word = |which| memory.word(place + which);
    let head = word(entry::HEAD);
    let (detail, object) = (head >> 8 & 0xFF, head >> 32);
    let (party, site, since) = (Party(word(entry::PARTY)), word(entry::SITE), word(entry::SINCE));
    let (low, high) = (word(entry::COUNT) & 0xFFFF_FFFF, word(entry::COUNT) >> 32);
    let (holder, holder_site) = (word(entry::HOLDER), word(entry::HOLDER_SITE));
    let span = if matches!(head & 0xFF, entry::WAIT | entry::ENDED) { high >> 1 } else { 0 };
    let event = match head & 0xFF {
        entry::WAIT => Event::OpenWait {
            since,
            party,
            object,
            operation: Operation::from_number(detail)?,
            site,
            stack: low,
            holder: Party(holder),
            holder_site,
            limited: high & 1,
        },
        entry::ENDED => Event::Wait {
            at: word(entry::NEXT),
            ticks: word(entry::NEXT).saturating_sub(since),
            party,
            object,
            operation: Operation::from_number(detail)?,
            site,
            stack: low,
            end: WaitEnd::Done,
            holder: Party(holder),
            holder_site,
        },
        entry::HANDLE => {
            let (role, moved) = (Role::from_number(detail)?, entry::moved(head, holder));
            Event::Handle { object, role, party, site, since, count: high, moved }
        }
        entry::TASK => Event::OpenTask {
            task: party,
            state: match TaskState::from_number(detail)? {
                TaskState::Parked if head & entry::WOKEN != 0 => TaskState::Ready,
                state => state,
            },
            polls: word(entry::COUNT),
            polled: holder,
            wakers: holder_site,
        },
        _ => return None,
    };
    Some((head, event, span))
}

/// The locks that a thread holds.
fn held(memory: &(impl Memory + ?Sized), area: usize, emit: &mut dyn FnMut(&Event<'_>)) {
    let len = (memory.word(area + area::HELD_LEN) as usize).min(HELD);
    let (base, now) = (memory.word(area + area::BASE) as usize, memory.word(area + area::PARTY));
    for number in 0..len {
        let place = area + area::HELD + number * HELD_WORDS;
        let [site, what, timed, by] = [0, 1, 2, 3].map(|word| memory.word(place + word));
        let id = what & HELD_ID;
        if id == 0 {
            continue;
        }
        let meta = memory.word(region::RECORDS + (id as usize % IDS) * RECORD + record::META);
        let offset = meta >> 8 & 0xFF;
        let role = match (what & UPGRADABLE != 0, offset) {
            (true, _) => Role::Upgradable,
            (_, 0) => Role::Exclusive,
            _ => Role::Shared,
        };
        let since =
            if what & SAMPLED != 0 { timed } else { coarse_to_ticks(what >> 32, memory.word(header::SEEN)) };
        let party = Party(if number < base { by } else { now });
        emit(&Event::Handle { object: id - offset.min(id), role, party, site, since, count: 1, moved: 0 });
    }
}

/// The time that the lower 32 bits of the coarse clock stand for, the last one before `now`.
pub fn coarse_to_ticks(low: u64, now: u64) -> u64 {
    let steps = now >> COARSE_SHIFT;
    let back = (steps as u32).wrapping_sub(low as u32);
    // What lies ahead of the background thread's last look is as good as now.
    if back > 1 << 31 { now } else { (steps - u64::from(back)) << COARSE_SHIFT }
}

/// Adds what a thread has counted, in bytes that are not carried yet.
fn count_area(memory: &(impl Memory + ?Sized), area: usize, number: usize, counted: &mut HashMap<u32, u64>) {
    let mark = memory.word(area + area::CARRYING);
    for group in 0..IDS / IDS_PER_PAGE {
        let page = memory.half(area + area::COUNTERS, group);
        let Some(page) = page.checked_sub(1).filter(|page| (*page as usize) < PAGES) else { continue };
        let words = region::PAGES_ + page as usize * WORDS_PER_PAGE;
        for word in 0..WORDS_PER_PAGE {
            let bytes = memory.word(words + word);
            if bytes == u64::MAX {
                continue;
            }
            for (byte, value) in bytes.to_le_bytes().into_iter().enumerate() {
                let id = (group * IDS_PER_PAGE + word * 8 + byte) as u32;
                if value != 255 {
                    let count = counted.entry(id).or_default();
                    *count = count.wrapping_add(u64::from(value)).wrapping_sub(255);
                }
            }
        }
    }
    if mark != 0 {
        half_carried(memory, area, number, mark, counted);
    }
}

/// A carry that was cut off between its stores: if the record was added to and the byte not yet set, it counts as set.
fn half_carried(
    memory: &(impl Memory + ?Sized),
    area: usize,
    number: usize,
    mark: u64,
    counted: &mut HashMap<u32, u64>,
) {
    let (id, next) = (mark as u32, (mark >> 32) as u8);
    let Some(page) = memory.half(area + area::COUNTERS, id as usize % IDS / IDS_PER_PAGE).checked_sub(1)
    else {
        return;
    };
    let at = (region::PAGES_ + page as usize * WORDS_PER_PAGE) * 8 + id as usize % IDS_PER_PAGE;
    let byte = memory.byte(at);
    let count = memory.word(region::RECORDS + (id as usize % IDS) * RECORD + record::COUNT);
    let by_this = count >> COUNT_BITS == number as u64 + 1;
    if byte != next && by_this && count != memory.word(area + area::BEFORE) {
        let counted = counted.entry(id).or_default();
        *counted = counted.wrapping_add(u64::from(next)).wrapping_sub(u64::from(byte));
    }
}

fn counts(
    memory: &(impl Memory + ?Sized),
    counted: &HashMap<u32, u64>,
    late: &HashMap<u32, Waits>,
    emit: &mut dyn FnMut(&Event<'_>),
) {
    for id in 1..used(memory, header::IDS, IDS) {
        let place = region::RECORDS + id * RECORD;
        let word = |which| memory.word(place + which);
        let meta = word(record::META);
        let Some(kind) = Kind::from_number(meta & 0xFF).filter(|kind| *kind != Kind::Unknown) else {
            continue;
        };
        let (offset, held) = (meta >> 8 & 0xFF, word(record::HOLD));
        if kind.is_channel()
            && held & DROPPED != 0
            && let Some(role) = [Role::Sender, Role::Receiver].get(offset as usize)
        {
            let at = coarse_to_ticks(held & (DROPPED - 1), memory.word(header::SEEN));
            emit(&Event::EndDropped { at, object: id as u64 - offset, role: *role });
        }
        let bytes = counted.get(&(id as u32)).copied().unwrap_or(0);
        let late = late.get(&(id as u32)).copied().unwrap_or_default();
        emit(&Event::Counts {
            object: id as u64,
            count: (word(record::COUNT) & COUNT_MASK).wrapping_add(bytes) & COUNT_MASK,
            contended: (word(record::WAITS) & 0xFFFF_FFFF) + late.count,
            wait_ticks: word(record::WAIT).wrapping_add(late.ticks),
            wait_max: ((word(record::LONGEST) & 0xFFFF_FFFF) << 10).max(late.longest >> 10 << 10),
            hold_ticks: if kind.is_channel() { 0 } else { held },
            hold_max: word(record::LONGEST) >> 32 << 10,
            instances: word(record::WAITS) >> 32,
            live: meta >> 16 & 1,
        });
    }
}
