//! Guards and ends of channels that go along with a closure as its thread or job is spawned: they are its own from then on.
//!
//! What a closure has captured lies in it, and a handle bears a mark (see `Handle`): so a look through its bytes finds the
//! handles that its spawner has owned. What lies behind a pointer is not seen, and stays the spawner's. Futures are not
//! looked through: most of one is room for what it will hold later, and what lies there now may be a copy left of a handle
//! that has long been moved elsewhere.
use super::areas::party;
use super::entry::{MARK, hand_over};
use super::memory::{self, RECORDING};
use lockprof_trace::Party;
use lockprof_trace::memory::ENTRIES;
use std::sync::atomic::Ordering::Relaxed;

/// Bytes that are looked through, at most: a spawn must not get dear by the size of what it moves.
const LOOK: usize = 8192;

/// `value` is about to be moved into `to`, which is being spawned.
#[inline]
pub(crate) fn moved<T>(value: &T, to: Party) {
    if to == Party::UNKNOWN || size_of::<T>() < 4 || !RECORDING.load(Relaxed) {
        return;
    }
    look(std::ptr::from_ref(value).cast(), size_of::<T>().min(LOOK) / 4, to);
}

#[inline(never)]
fn look(words: *const u32, count: usize, to: Party) {
    let Some(memory) = memory::get() else { return };
    if !words.is_aligned() {
        return;
    }
    let from = party();
    for place in 0..count {
        // SAFETY: within the value.
        let word = unsafe { bytes(words.add(place)) };
        if word & !(ENTRIES as u32 - 1) == MARK {
            hand_over(memory, word & (ENTRIES as u32 - 1), from, to);
        }
    }
}

/// Four bytes of a value, whatever they are: some may be padding, which Rust itself must not read.
///
/// # Safety
/// The four bytes belong to one value, and the address is aligned.
#[inline(always)]
#[cfg(all(target_arch = "x86_64", not(miri)))]
unsafe fn bytes(at: *const u32) -> u32 {
    let word;
    // SAFETY: the caller's; the instruction reads the bytes and nothing else.
    unsafe {
        core::arch::asm!("mov {:e}, dword ptr [{}]", out(reg) word, in(reg) at, options(readonly, nostack, preserves_flags));
    }
    word
}

/// The same.
///
/// # Safety
/// The same.
#[inline(always)]
#[cfg(all(target_arch = "aarch64", not(miri)))]
unsafe fn bytes(at: *const u32) -> u32 {
    let word;
    // SAFETY: the caller's; the instruction reads the bytes and nothing else.
    unsafe {
        core::arch::asm!("ldr {:w}, [{}]", out(reg) word, in(reg) at, options(readonly, nostack, preserves_flags));
    }
    word
}

/// Nothing is seen here.
#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
unsafe fn bytes(_: *const u32) -> u32 {
    0
}
