//! The recorder's memory in this process: the mapping, its words, and how its regions are handed out.
//!
//! `lockprof_trace::memory` says what stands where. All words are atomics: one thread writes most of them, but the
//! background thread, a live view or the reader of a dead process looks on.
use crate::platform::{self, Shared};
use lockprof_trace::Loss;
use lockprof_trace::memory::{self, CHUNK, ENTRY, MAGIC, Memory, PAGE_BYTES, RECORD, header, region};
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64};

/// Whether anything is recorded. Until then, and again after the end, a wrapper costs this one load.
pub(crate) static RECORDING: AtomicBool = AtomicBool::new(false);
static MEMORY: OnceLock<Mapped> = OnceLock::new();

/// The recorder's memory, once a recording has begun. It stays for the life of the process.
pub(crate) struct Mapped {
    pub(crate) shared: Shared,
    /// An array, so that the compiler knows which places are in it.
    words: &'static [AtomicU64; region::END],
    /// Bytes that may still be reserved.
    budget: AtomicI64,
    /// Chunks that there may be at most: a flood of events must not take the room of what comes later.
    most_chunks: usize,
    reserved: [AtomicU32; 4],
    /// Who it belongs to: not the child of a fork.
    pub(crate) pid: u32,
}

/// A region that is handed out in order, its space reserved a step at a time.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    number: usize,
    used: usize,
    begin: usize,
    words: usize,
    limit: usize,
    step: usize,
}

/// Object records; ids are given out in runs of this many, so that a run lies on one page of counters.
pub(crate) const RUN: usize = 64;
pub(crate) const RECORDS: Region = Region {
    number: 0,
    used: header::IDS,
    begin: region::RECORDS,
    words: RECORD,
    limit: memory::IDS,
    step: 1024,
};
pub(crate) const ENTRIES: Region = Region {
    number: 1,
    used: header::ENTRIES,
    begin: region::ENTRIES_,
    words: ENTRY,
    limit: memory::ENTRIES,
    step: 1024,
};
pub(crate) const PAGES: Region = Region {
    number: 2,
    used: header::PAGES,
    begin: region::PAGES_,
    words: PAGE_BYTES / 8,
    limit: memory::PAGES,
    step: 16,
};
pub(crate) const CHUNKS: Region = Region {
    number: 3,
    used: header::CHUNKS,
    begin: region::CHUNKS_,
    words: CHUNK,
    limit: memory::CHUNKS,
    step: 16,
};

/// The memory, if a recording has begun.
#[inline(always)]
pub(crate) fn get() -> Option<&'static Mapped> {
    MEMORY.get()
}

/// Makes the memory, with `budget` bytes to be reserved at most. `None`: it was made before.
///
/// # Errors
/// There is no address space, or not even space for what every recording needs.
pub(crate) fn create(budget: u64) -> io::Result<Option<&'static Mapped>> {
    let pid = std::process::id();
    let name = format!("lockprof-{}-{pid}-{:x}.mem", platform::user_id(), platform::unix_ns());
    let at_start = region::RECORDS * 8;
    let shared = Shared::new(region::END * 8, at_start, &name)?;
    // SAFETY: the mapping has this length, is aligned to a page and is never unmapped; atomics are valid when zero. Words
    // whose space is not reserved are never touched.
    let words = unsafe { &*shared.base().cast::<[AtomicU64; region::END]>() };
    shared.touch(0, at_start);
    words[region::BLANK..region::RECORDS].iter().for_each(|word| word.store(u64::MAX, Relaxed));
    let most_chunks = ((budget / 4 * 3) as usize / (CHUNK * 8)).min(CHUNKS.limit);
    let budget = AtomicI64::new(budget as i64 - at_start as i64);
    let mapped = Mapped { shared, words, budget, most_chunks, reserved: Default::default(), pid };
    mapped.word(header::PID).store(u64::from(pid), Relaxed);
    mapped.word(header::STATE).store(1, Relaxed);
    mapped.word(header::IDS).store(RUN as u64, Relaxed);
    mapped.word(header::ENTRIES).store(1, Relaxed);
    mapped.word(header::MAGIC).store(MAGIC, Release);
    match MEMORY.set(mapped) {
        Ok(()) => Ok(MEMORY.get()),
        Err(second) => {
            second.shared.remove();
            Ok(None)
        }
    }
}

impl Mapped {
    #[inline(always)]
    pub(crate) fn word(&self, place: usize) -> &'static AtomicU64 {
        &self.words[place]
    }

    /// So many words from a place on.
    #[inline(always)]
    pub(crate) fn words_at(&self, place: usize, count: usize) -> &'static [AtomicU64] {
        &self.words[place..place + count]
    }

    /// A word of an object's record.
    #[inline(always)]
    pub(crate) fn record(&self, id: u32, word: usize) -> &'static AtomicU64 {
        self.word(region::RECORDS + (id as usize % memory::IDS) * RECORD + word)
    }

    /// The words of an entry.
    #[inline(always)]
    pub(crate) fn entry(&self, number: u32) -> &'static [AtomicU64; ENTRY] {
        let place = region::ENTRIES_ + (number as usize % memory::ENTRIES) * ENTRY;
        self.words[place..].first_chunk().expect("entries lie within the memory")
    }

    /// Takes `count` pieces of a region that nobody had before; their number, or `None` where there are no more.
    pub(crate) fn take(&self, region: Region, count: usize) -> Option<usize> {
        let limit = if region.number == CHUNKS.number { self.most_chunks } else { region.limit };
        let used = self.word(region.used);
        let mut first = used.load(Relaxed);
        loop {
            let end = first as usize + count;
            if end > limit || !self.reserve(region, end) {
                return None;
            }
            match used.compare_exchange_weak(first, end as u64, AcqRel, Relaxed) {
                Ok(_) => return Some(first as usize),
                Err(now) => first = now,
            }
        }
    }

    /// Makes sure that the first `end` pieces have space. Two threads may reserve one step twice, which is harmless.
    fn reserve(&self, region: Region, end: usize) -> bool {
        let reserved = &self.reserved[region.number];
        loop {
            let have = reserved.load(Acquire) as usize;
            if have >= end {
                return true;
            }
            let next = (have + region.step).min(region.limit);
            let bytes = ((next - have) * region.words * 8) as i64;
            if self.budget.fetch_sub(bytes, Relaxed) < bytes {
                self.budget.fetch_add(bytes, Relaxed);
                return false;
            }
            let at = (region.begin + have * region.words) * 8;
            if !self.shared.reserve(at, bytes as usize) {
                return false;
            }
            self.shared.touch(at, bytes as usize);
            if reserved.compare_exchange(have as u32, next as u32, AcqRel, Relaxed).is_err() {
                self.budget.fetch_add(bytes, Relaxed);
            }
        }
    }

    /// Counts something that is missing from the trace.
    #[cold]
    pub(crate) fn lost(&self, loss: Loss) {
        self.lost_many(loss, 1);
    }

    /// The same, of so many.
    #[cold]
    pub(crate) fn lost_many(&self, loss: Loss, count: u64) {
        self.word(header::LOST + loss as usize).fetch_add(count, Relaxed);
    }
}

impl Memory for Mapped {
    fn word(&self, place: usize) -> u64 {
        // Relaxed would do for numbers; what is published by a length needs the order.
        self.words.get(place).map_or(0, |word| word.load(Acquire))
    }
}

/// Counts something that is missing from the trace, where there is one.
#[cold]
pub(crate) fn lost(loss: Loss) {
    if let Some(memory) = get() {
        memory.lost(loss);
    }
}
