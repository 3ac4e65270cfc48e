//! Ends of waits, told where nobody waits for it.
//!
//! Whoever has waited for a lock holds it when the wait ends, and who waits for it next would wait for the telling as well. So
//! there only the time is noted, in the wait's entry. The thread tells it before the next thing that it tells or
//! waits for; who looks on till then, or collects what is left of the process, reads it in the entry.
use super::chunk::append_fixed;
use super::entry::free;
use super::local::this_thread;
use super::memory::Mapped;
use super::sums::waited;
use lockprof_trace::memory::entry;
use lockprof_trace::{Event, Operation, Party, WaitEnd};
use std::sync::atomic::Ordering::{Relaxed, Release};

/// Notes in the wait's entry that it has ended with what it waited for, at a time in ticks. This thread will tell it.
pub(super) fn note(memory: &Mapped, number: u32, at: u64) {
    tell_noted(memory);
    let words = memory.entry(number);
    let head = words[entry::HEAD].load(Relaxed);
    words[entry::NEXT].store(at, Relaxed);
    words[entry::HEAD].store(head & !0xFF | entry::ENDED, Release);
    this_thread().ended.set(number);
}

/// Tells the end that this thread has noted last, if it has not told it yet.
#[inline(always)]
pub(super) fn tell_noted(memory: &Mapped) {
    let number = this_thread().ended.get();
    if number != 0 {
        tell_late(memory, number);
    }
}

#[cold]
#[inline(never)]
fn tell_late(memory: &Mapped, number: u32) {
    this_thread().ended.set(0);
    write(memory, number, memory.entry(number)[entry::NEXT].load(Relaxed), WaitEnd::Done);
}

/// Tells that the wait of this entry has ended, and frees the entry.
pub(super) fn tell(memory: &Mapped, number: u32, at: u64, end: WaitEnd) {
    tell_noted(memory);
    write(memory, number, at, end);
}

fn write(memory: &Mapped, number: u32, at: u64, end: WaitEnd) {
    let words = memory.entry(number);
    let word = |which: usize| words[which].load(Relaxed);
    let (head, count) = (word(entry::HEAD), word(entry::COUNT));
    let ticks = at.saturating_sub(word(entry::SINCE));
    let event = Event::Wait {
        at,
        ticks,
        party: Party(word(entry::PARTY)),
        object: head >> 32,
        operation: Operation::from_number(head >> 8 & 0xFF).unwrap_or(Operation::Unknown),
        site: word(entry::SITE),
        stack: count & 0xFFFF_FFFF,
        end,
        holder: Party(word(entry::HOLDER)),
        holder_site: word(entry::HOLDER_SITE),
    };
    append_fixed::<11>((count >> 33) as u32, event);
    if head >> 32 != 0 {
        waited(memory, entry::counted(head), ticks);
    }
    // Only now: if the recording ends in between, the wait is told once more, not lost.
    free(memory, number);
}
