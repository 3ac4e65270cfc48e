//! What objects have counted: the number in an object's record and, for each thread, its byte.
//!
//! Threads may go on while it is read. One that carries meanwhile would be seen in its byte and in the record, or in neither; so the
//! record is read before and after, and all of it once more where that has changed.
use super::{
    AREAS, COUNT_BITS, COUNT_MASK, IDS, IDS_PER_PAGE, Memory, PAGES, RECORD, WORDS_PER_PAGE, area, header,
    record, region, used,
};

/// How often a count is read while threads carry to it: of a lock that hundreds of them hammer at it may always change.
const TRIES: usize = 16;

/// What an object's id has counted.
pub fn counted(memory: &(impl Memory + ?Sized), id: u32) -> u64 {
    Counters::of_page(memory, page_of(id)).count(memory, id)
}

/// What the byte of a thread counts as that was cut off between the two steps of a carry: it has added to the record of this id,
/// and whether the byte is set already or not, is all the same. From the mark in its area, the area's number plus one, and the
/// record; `None` where it is not so.
pub fn half_carried(mark: u64, number: u64, id: u32, record: u64) -> Option<u8> {
    let carries = mark != 0 && mark as u32 == id && record >> COUNT_BITS == number;
    carries.then_some((mark >> 32) as u8)
}

/// The pages of counters on which an id is counted have this number in each area.
pub(super) fn page_of(id: u32) -> usize {
    id as usize % IDS / IDS_PER_PAGE
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
    pub(super) fn of_page(memory: &(impl Memory + ?Sized), page_of_ids: usize) -> Self {
        let page = |number: u32| {
            let page = number.checked_sub(1).filter(|page| (*page as usize) < PAGES)?;
            Some(region::PAGES_ + page as usize * WORDS_PER_PAGE)
        };
        let of_area = |number: usize| {
            let area = page(memory.half(region::DIRECTORY, number))?;
            let counters = page(memory.half(area + area::COUNTERS, page_of_ids))?;
            Some(Page { area, number: number as u64 + 1, counters })
        };
        Self((0..used(memory, header::AREAS, AREAS)).filter_map(of_area).collect())
    }

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
    fn byte(&self, memory: &(impl Memory + ?Sized), id: u32, record: u64) -> u64 {
        // Most often nobody is between the two steps of a carry.
        let mark = if record > COUNT_MASK { memory.word(self.area + area::CARRYING) } else { 0 };
        let half = half_carried(mark, self.number, id, record);
        half.unwrap_or_else(|| memory.byte(self.counters * 8 + id as usize % IDS_PER_PAGE)).into()
    }
}
