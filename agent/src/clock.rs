//! Ticks: the time-stamp counter where it can be trusted, else nanoseconds of the monotonic clock.
//!
//! Which one, and how many ticks make a nanosecond, is decided when a recording starts, never at first use: an acquire
//! must not be the one that pays for the calibration. The coarse clock is a number in shared memory that the background
//! thread sets to the ticks of the moment, so that an acquire only loads it.
use crate::platform::monotonic_ns;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static COUNTER: AtomicBool = AtomicBool::new(false);

/// The time now, in ticks.
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    if COUNTER.load(Relaxed) {
        // SAFETY: every x86-64 processor has the instruction.
        return unsafe { core::arch::x86_64::_rdtsc() };
    }
    #[cfg(target_arch = "aarch64")]
    if COUNTER.load(Relaxed) {
        let ticks;
        // SAFETY: the virtual counter may be read by every program.
        unsafe { core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack)) };
        return ticks;
    }
    monotonic_ns()
}

/// Chooses the clock; `false` in `counter` forbids the time-stamp counter.
pub(crate) fn choose(counter: bool) {
    COUNTER.store(counter && invariant(), Relaxed);
}

/// Ticks in 2^32 ns, measured over about a millisecond.
pub(crate) fn calibrate() -> u64 {
    if !COUNTER.load(Relaxed) {
        return 1 << 32;
    }
    let (ns, first) = both_clocks();
    while monotonic_ns() - ns < 1_000_000 {}
    let (later, last) = both_clocks();
    ((u128::from(last - first) << 32) / u128::from(later - ns)) as u64
}

/// One moment by either clock: nanoseconds and ticks. The counter is read between two readings of the other clock; of some
/// tries the closest counts, since this thread may lose its core between them.
fn both_clocks() -> (u64, u64) {
    let tries = (0..16).map(|_| {
        let before = monotonic_ns();
        let ticks = ticks();
        let after = monotonic_ns();
        (after - before, (before + (after - before) / 2, ticks))
    });
    tries.min_by_key(|(apart, _)| *apart).map_or((0, 0), |(_, moment)| moment)
}

/// Whether the counter runs at one rate on all cores (Intel SDM volume 3, "Invariant TSC": CPUID 8000_0007H, EDX bit 8).
#[cfg(target_arch = "x86_64")]
fn invariant() -> bool {
    use core::arch::x86_64::__cpuid;
    __cpuid(0x8000_0000).eax >= 0x8000_0007 && __cpuid(0x8000_0007).edx & 1 << 8 != 0
}

/// The architecture's generic timer runs at one rate by definition.
#[cfg(target_arch = "aarch64")]
fn invariant() -> bool {
    true
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn invariant() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nanosecond_is_a_nanosecond_by_either_clock() {
        for counter in [false, true] {
            choose(counter);
            let rate = calibrate();
            let (start, start_ns) = (ticks(), monotonic_ns());
            while monotonic_ns() - start_ns < 5_000_000 {}
            let ns = (u128::from(ticks() - start) << 32) / u128::from(rate);
            assert!((4_900_000..50_000_000).contains(&ns), "5 ms are {ns} ns with rate {rate}");
        }
    }
}
