//! Ticks: the time-stamp counter where it can be trusted, else nanoseconds of the monotonic clock.
//!
//! Which one, and how many ticks make a nanosecond, is decided when a recording starts, never at first use: an acquire
//! must not be the one that pays for the calibration. The coarse clock is a number in shared memory that the background
//! thread sets to the ticks of the moment, so that an acquire only loads it.
use crate::platform::monotonic_ns;
use lockprof_trace::Event;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};

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

/// How far the clocks of this program's cores are apart: a thread on one core asks one on another what time it is, again and
/// again, and the answer that came soonest counts (Cristian, Probabilistic clock synchronization, 1989). `None` where no answer
/// came in time, or there is one core.
pub(crate) fn skew() -> Option<Event<'static>> {
    let cores = crate::platform::cores();
    let (first, others) = cores.split_first()?;
    let mut apart: Option<(u64, u64)> = None;
    let mut compared = 1;
    for other in others.iter().take(MOST_CORES - 1) {
        if let Some((ticks, uncertain)) = between(*first, *other) {
            compared += 1;
            apart = apart.max(Some((ticks, uncertain)));
        }
    }
    apart.map(|(ticks, uncertain)| Event::Skew { ticks, uncertain, cores: compared })
}

/// Cores that are compared at most, questions asked of each, and how long they may take, in nanoseconds: a start stays short.
const MOST_CORES: usize = 8;
const QUESTIONS: u64 = 100;
const PATIENCE_NS: u64 = 250_000;

/// How far the clocks of two cores are apart, and by how much that may be wrong.
fn between(one: usize, other: usize) -> Option<(u64, u64)> {
    let (asked, answered, answer) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let ask = || {
        crate::platform::pin(one);
        let until = monotonic_ns() + PATIENCE_NS;
        let soonest = (1..=QUESTIONS).map_while(|question| {
            let before = ticks();
            asked.store(question, Release);
            while answered.load(Acquire) != question {
                if monotonic_ns() > until {
                    return None;
                }
            }
            let after = ticks();
            let middle = before + after.saturating_sub(before) / 2;
            Some((after.saturating_sub(before) / 2, middle.abs_diff(answer.load(Relaxed))))
        });
        let soonest = soonest.min();
        asked.store(u64::MAX, Release);
        soonest.map(|(uncertain, apart)| (apart, uncertain))
    };
    std::thread::scope(|scope| {
        let name = || std::thread::Builder::new().name("lockprof-clock".into());
        let answering = name().spawn_scoped(scope, || {
            crate::platform::pin(other);
            answer_all(&asked, &answered, &answer);
        });
        // Without the one the other would ask for nothing, or answer nobody.
        answering.ok()?;
        match name().spawn_scoped(scope, ask) {
            Ok(asking) => asking.join().ok()?,
            Err(_) => {
                asked.store(u64::MAX, Release);
                None
            }
        }
    })
}

/// Answers what is asked, until all was. Who asks may get no core for long: this one does not burn its own for that meanwhile.
fn answer_all(asked: &AtomicU64, answered: &AtomicU64, answer: &AtomicU64) {
    let until = monotonic_ns() + 4 * PATIENCE_NS;
    for turn in 0u64.. {
        match asked.load(Acquire) {
            u64::MAX => break,
            question if question != answered.load(Relaxed) => {
                answer.store(ticks(), Relaxed);
                answered.store(question, Release);
            }
            _ if turn.is_multiple_of(64) && monotonic_ns() > until => break,
            _ => std::hint::spin_loop(),
        }
    }
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

    /// The choice of the clock is the process's: one test at a time makes it.
    static CHOICE: std::sync::Mutex<()> = std::sync::Mutex::new(());

    fn alone() -> std::sync::MutexGuard<'static, ()> {
        CHOICE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    #[test]
    fn a_nanosecond_is_a_nanosecond_by_either_clock() {
        let _alone = alone();
        for counter in [false, true] {
            choose(counter);
            let rate = calibrate();
            let (start, start_ns) = (ticks(), monotonic_ns());
            while monotonic_ns() - start_ns < 5_000_000 {}
            let ns = (u128::from(ticks() - start) << 32) / u128::from(rate);
            assert!((4_900_000..50_000_000).contains(&ns), "5 ms are {ns} ns with rate {rate}");
        }
    }

    #[test]
    fn nobody_is_waited_for_who_asks_nothing() {
        let nothing = AtomicU64::new(0);
        answer_all(&nothing, &AtomicU64::new(0), &AtomicU64::new(0));
        assert_eq!(nothing.into_inner(), 0);
    }

    #[test]
    fn cores_are_compared_within_what_an_answer_takes() {
        let _alone = alone();
        choose(true);
        if crate::platform::cores().len() > 1 {
            // On a busy machine the two may not meet in time.
            let met = (0..1_000).find_map(|_| skew()).expect("two cores meet");
            let Event::Skew { ticks, uncertain, cores } = met else { panic!("{met:?}") };
            assert!(
                cores >= 2 && ticks <= uncertain + 10_000,
                "{ticks} ticks apart, give or take {uncertain}"
            );
        }
    }
}
