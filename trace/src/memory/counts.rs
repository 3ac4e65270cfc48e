//! What objects have counted: the number in an object's record and, for each thread, its byte.
//!
//! Threads may go on while it is read. One that carries meanwhile would be seen in its byte and in the record, or in neither; so the
//! record is read before and after, and all of it once more where that has changed.
use super::{
    AREAS, COUNT_BITS, COUNT_MASK, IDS, IDS_PER_PAGE, Memory, RECORD, area, header, page_at, record, region,
    used,
};

/// How often a count is read while threads carry to it: of a lock that hundreds of them hammer at it may always change.
const TRIES: usize = 16;

/// What an object's id has counted.
pub fn counted(memory: &(impl Memory + ?Sized), id: u32) -> u64 {
    Counters::beside(memory, id).count(memory, id)
}

/// The counters of a page of ids, of each thread that has counted any of these.
pub(super) struct Counters(Vec<Page>);

struct Page {
    /// Where the area begins, and its number plus one.
    area: usize,
    number: u64,
    /// Where its counters begin.
    counters: usize,
}

impl Counters {
    /// Those of the page that this id is counted on.
    pub(super) fn beside(memory: &(impl Memory + ?Sized), id: u32) -> Self {
        let of_area = |number: usize| {
            let area = page_at(memory.half(region::DIRECTORY, number))?;
            let counters = page_at(memory.half(area + area::COUNTERS, id as usize % IDS / IDS_PER_PAGE))?;
            Some(Page { area, number: number as u64 + 1, counters })
        };
        Self((0..used(memory, header::AREAS, AREAS)).filter_map(of_area).collect())
    }

    /// What an id of this page has counted.
    pub(super) fn count(&self, memory: &(impl Memory + ?Sized), id: u32) -> u64 {
        let record = || memory.word(region::RECORDS + (id as usize % IDS) * RECORD + record::COUNT);
        let mut carried = record();
        let mut count = 0;
        for _ in 0..TRIES {
            // A byte that is blank has 255.
            let byte = |page: &Page| page.byte(memory, id, carried).wrapping_sub(255);
            count = self.0.iter().map(byte).fold(carried, u64::wrapping_add) & COUNT_MASK;
            let before = std::mem::replace(&mut carried, record());
            if before == carried {
                break;
            }
        }
        count
    }
}

impl Page {
    /// What the byte of this thread counts as for an id with this record: while the record bears its area's number, as set.
    fn byte(&self, memory: &(impl Memory + ?Sized), id: u32, record: u64) -> u64 {
        if record >> COUNT_BITS == self.number {
            let mark = memory.word(self.area + area::CARRYING);
            if mark as u32 == id {
                return mark >> 32 & 0xFF;
            }
        }
        memory.byte(self.counters * 8 + id as usize % IDS_PER_PAGE).into()
    }
}
