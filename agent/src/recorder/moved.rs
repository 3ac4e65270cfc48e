//! Guards and ends of channels that go along with a closure as its thread or job is spawned: they are its own from then on.
//!
//! What a closure has captured lies in it, and a handle bears a mark (see `Handle`): so a look through its bytes finds the
//! handles that its spawner has owned. What lies behind a pointer is not seen, and stays the spawner's. What a future has
//! captured comes first in it, and behind that room for what it will hold later, where a copy may be left of a handle that
//! has long been moved elsewhere: so of a future the first bytes are looked through, for ends of channels alone, and what is
//! seen there is no more than likely.
use super::areas::party;
use super::handle::{MARK, hand_over, own_end};
use super::memory::{self, Mapped, RECORDING};
use lockprof_trace::Party;
use lockprof_trace::memory::{ENTRIES, entry};
use std::sync::atomic::Ordering::Relaxed;

/// Bytes that are looked through, at most: a spawn must not get dear by the size of what it moves.
const LOOK: usize = 8192;
/// The same of a future.
const LOOK_IN_FUTURE: usize = 512;
/// Ends of channels that a future is believed to have captured, at most.
const ENDS: usize = 16;

/// `value` is about to be moved into `to`, which is being spawned.
#[inline]
pub(crate) fn moved<T>(value: &T, to: Party) {
    if to == Party::UNKNOWN || size_of::<T>() < 4 || !RECORDING.load(Relaxed) {
        return;
    }
    look(value, LOOK, |memory, number| hand_over(memory, number, party(), to, entry::MOVED));
}

/// `future` is about to be spawned as `to`. Where both ends of a channel are seen, one is more likely a copy left of what its
/// maker keeps: then of neither is anything told.
#[inline]
pub(crate) fn captured<T>(future: &T, to: Party) {
    if to == Party::UNKNOWN || size_of::<T>() < 4 || !RECORDING.load(Relaxed) {
        return;
    }
    let mut seen = [(0, 0); ENDS];
    let mut len = 0;
    look(future, LOOK_IN_FUTURE, |memory, number| {
        if let Some(object) = own_end(memory, number, party())
            && len < ENDS
            && !seen[..len].contains(&(number, object))
        {
            seen[len] = (number, object);
            len += 1;
        }
    });
    let Some(memory) = memory::get().filter(|_| len > 0) else { return };
    for (number, object) in &seen[..len] {
        if seen[..len].iter().filter(|(_, other)| other == object).count() == 1 {
            hand_over(memory, *number, party(), to, entry::CAPTURED);
        }
    }
}

/// Gives the number of every handle that is seen in the first bytes of a value to `found`.
#[inline]
fn look<T>(value: &T, bytes: usize, found: impl FnMut(&Mapped, u32)) {
    look_through(std::ptr::from_ref(value).cast(), size_of::<T>().min(bytes) / 4, found);
}

#[inline(never)]
fn look_through(words: *const u32, count: usize, mut found: impl FnMut(&Mapped, u32)) {
    let Some(memory) = memory::get() else { return };
    if !words.is_aligned() {
        return;
    }
    for place in 0..count {
        // SAFETY: within the value.
        let word = unsafe { bytes(words.add(place)) };
        if word & !(ENTRIES as u32 - 1) == MARK {
            found(memory, word & (ENTRIES as u32 - 1));
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
