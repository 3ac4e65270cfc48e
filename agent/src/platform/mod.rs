//! What depends on the system, behind one set of names: shared memory, clock source, thread facts, modules, hooks.
//!
//! Nothing else in the agent names a system. Where a system lacks something, its file says so and does without.

#[cfg(unix)]
mod files;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use {files::*, unix::*};

#[cfg(not(unix))]
mod other;
#[cfg(not(unix))]
pub(crate) use other::*;

mod image;
pub(crate) use image::*;

#[cfg_attr(not(target_os = "linux"), path = "threads_missing.rs")]
mod threads;
pub(crate) use threads::*;

/// Has the cache line of this place fetched, by whoever goes on meanwhile; nothing where the processor is not asked so.
#[inline(always)]
pub(crate) fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, to which no address is a wrong one.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// The same of a place that is going to be written to.
#[inline(always)]
pub(crate) fn prefetch_to_write<T>(place: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use core::arch::asm;
        // SAFETY: a hint, to which no address is a wrong one; processors that do not know it pass it over.
        unsafe { asm!("prefetchw [{}]", in(reg) place, options(nostack, preserves_flags, readonly)) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = place;
}

/// How far a thread has come: how long it has run, how long it waited for a core, and whether it sleeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) ran_ns: u64,
    pub(crate) delayed_ns: u64,
    pub(crate) sleeps: bool,
}

#[cfg(all(feature = "cpu", target_os = "linux"))]
mod cpu;
#[cfg(all(feature = "cpu", target_os = "linux"))]
pub(crate) use cpu::*;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tables;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use tables::*;
