//! Writing an event: into this thread's chunk, behind the end of a wait that it has noted and not told yet, so that what a thread
//! tells stays in order.
use super::chunk::{append, append_fixed};
use super::ended::tell_noted;
use super::memory::{self, Mapped};
use lockprof_trace::{Event, words};
use std::sync::atomic::Ordering::Relaxed;

/// Writes an event.
#[inline(never)]
pub(crate) fn emit(event: &Event<'_>) {
    let Some(memory) = memory::get() else { return };
    tell_noted(memory);
    let size = words::size(event);
    append(memory, size, |place| {
        let mut place = place.iter();
        words::put(event, size, |word| place.by_ref().take(1).for_each(|to| to.store(word, Relaxed)));
    });
}

/// The same of an event of which the caller knows which one it is, and that it takes `N` words, and of what happened in a
/// tracing span (0: in none).
#[inline(always)]
pub(super) fn emit_fixed<const N: usize>(span: u32, event: Event<'_>) {
    if let Some(memory) = memory::get() {
        tell_noted(memory);
    }
    append_fixed::<N>(span, event);
}

/// Writes a hold of full mode, in its short form.
#[inline(always)]
pub(super) fn emit_held(memory: &Mapped, hold: [u64; words::HELD_WORDS]) {
    tell_noted(memory);
    append(memory, hold.len(), |place| {
        place.iter().zip(hold).for_each(|(to, word)| to.store(word, Relaxed));
    });
}
