//! What an object's record adds up: its waits, and the longest of its waits and holds.
use super::memory::Mapped;
use lockprof_trace::memory::record;
use std::sync::atomic::Ordering::Relaxed;

/// Notes a wait that has ended in the object's record.
pub(super) fn waited(memory: &Mapped, id: u32, ticks: u64) {
    memory.record(id, record::WAITS).fetch_add(1, Relaxed);
    memory.record(id, record::WAIT).fetch_add(ticks, Relaxed);
    longest(memory, id, 0, ticks);
}

/// Raises the longest wait (`shift` 0) or hold (`shift` 32) of a record to `ticks`.
pub(super) fn longest(memory: &Mapped, id: u32, shift: u32, ticks: u64) {
    let new = (ticks >> 10).min(u64::from(u32::MAX));
    let word = memory.record(id, record::LONGEST);
    let mut old = word.load(Relaxed);
    while old >> shift & 0xFFFF_FFFF < new {
        let raised = old & !(0xFFFF_FFFF << shift) | new << shift;
        match word.compare_exchange_weak(old, raised, Relaxed, Relaxed) {
            Ok(_) => return,
            Err(now) => old = now,
        }
    }
}
