//! Hold times of a class, put together from what different sources tell of them.
//!
//! *Sampled* holds are timed exactly, each hold as likely as the next: they show how the short ones are distributed.
//! *Coarse* holds are those into which a tick of the coarse clock fell: of those longer than two steps none is missing;
//! a shorter one is told by chance and only to one step, so its length is left to the samples. Quantiles are those of
//! the mixture: each long hold counts once, the samples stand for all the rest. In `full` mode each hold is timed, and
//! nothing is estimated.
//!
//! Their total has two estimates. The clock's counts all its steps that fell into holds: nothing escapes it, but it draws
//! few of them. That of the samples is as exact as the holds are alike, but longer ones that are rare can escape it. So the
//! samples are believed where the clock does not contradict them.
use super::Distribution;
use lockprof_trace::HoldSource;

/// See the module. All in ticks.
#[derive(Clone, Debug, Default)]
pub struct Holds {
    full: Distribution,
    short: Distribution,
    long: Distribution,
    coarse_sum: u64,
    samples: Distribution,
    step: u64,
}

/// Samples that tell something of the holds that were not timed.
const ENOUGH: u64 = 8;
/// The clock contradicts what is as many of its standard deviations away.
const DEVIATIONS: f64 = 2.0;

impl Holds {
    /// Adds holds of these lengths; `step` is the coarse clock's.
    pub fn add(&mut self, lengths: impl Iterator<Item = u64> + Clone, source: HoldSource, step: u64) {
        let is_long = |ticks: &u64| *ticks >= step.saturating_mul(2).max(1);
        self.step = step;
        match source {
            HoldSource::Full => self.full.extend(lengths),
            HoldSource::Sampled => {
                self.samples.extend(lengths.clone());
                self.short.extend(lengths.filter(|ticks| !is_long(ticks)));
            }
            _ => {
                lengths.clone().for_each(|ticks| super::add(&mut self.coarse_sum, ticks));
                self.long.extend(lengths.filter(is_long));
            }
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.full.merge(&other.full);
        self.short.merge(&other.short);
        self.long.merge(&other.long);
        self.samples.merge(&other.samples);
        self.coarse_sum = self.coarse_sum.saturating_add(other.coarse_sum);
        self.step = self.step.max(other.step);
    }

    /// How many were timed one by one.
    pub fn timed(&self) -> u64 {
        self.full.count + self.samples.count
    }

    /// The sum of `holds` holds into which `clock` ticks of the coarse clock fell by its counter; 0 where that is not known.
    pub fn total(&self, holds: u64, clock: u64) -> u64 {
        if self.full.count > 0 {
            // Where some were lost the clock may know more.
            return if self.full.count < holds { self.full.sum.max(clock) } else { self.full.sum };
        }
        let clock = if clock > 0 { clock } else { self.coarse_sum.max(self.long.sum) };
        if clock == 0 {
            return self.samples.mean().saturating_mul(holds);
        }
        let mean = self.short.sum as f64 / self.short.count.max(1) as f64;
        let sampled = mean * holds.saturating_sub(self.long.count) as f64;
        let drawn = clock.saturating_sub(self.long.sum) as f64;
        // Steps fall into holds like rain: the deviation is the root of how many did.
        let step = self.step.max(1) as f64;
        let allowed = DEVIATIONS * step * (sampled.max(drawn) / step).max(1.0).sqrt();
        if self.short.count >= ENOUGH && (sampled - drawn).abs() <= allowed {
            self.long.sum.saturating_add(sampled as u64)
        } else {
            clock
        }
    }

    /// The longest hold that is known to its length.
    pub fn max(&self) -> u64 {
        self.full.max.max(self.samples.max).max(self.long.max)
    }

    /// A quantile of `holds` holds.
    pub fn quantile(&self, quantile: f64, holds: u64) -> u64 {
        if self.full.count > 0 {
            return self.full.quantile(quantile);
        }
        let short = holds.saturating_sub(self.long.count).max(self.short.count);
        let rank = quantile * (short + self.long.count) as f64;
        if rank > short as f64 || short == 0 {
            return self.long.quantile((rank - short as f64) / self.long.count.max(1) as f64);
        }
        self.short.quantile(rank / short as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::Holds;
    use lockprof_trace::HoldSource::{Coarse, Full, Sampled};
    use std::iter::{once, repeat_n};

    #[test]
    fn samples_stand_for_the_short_ones() {
        let mut holds = Holds::default();
        holds.add(repeat_n(50, 10), Sampled, 1_000);
        holds.add(repeat_n(9_000, 20), Coarse, 1_000);
        holds.add(once(9_000), Sampled, 1_000);
        assert_eq!(holds.quantile(0.5, 1_000), 50);
        assert!(holds.quantile(0.99, 1_000) >= 9_000);
        assert_eq!((holds.max(), holds.total(1_000, 0)), (9_000, 180_000));
    }

    /// A thousand holds of 100 ticks each, of which ten were timed, and into which the clock fell so often.
    fn alike(steps: usize) -> Holds {
        let mut holds = Holds::default();
        holds.add(repeat_n(100, 10), Sampled, 1_000);
        holds.add(repeat_n(1_000, steps), Coarse, 1_000);
        holds
    }

    #[test]
    fn the_clock_draws_and_the_samples_tell() {
        for steps in [85, 100, 115] {
            assert_eq!(alike(steps).total(1_000, steps as u64 * 1_000), 100_000);
        }
    }

    #[test]
    fn what_escapes_the_samples_the_clock_tells() {
        // Half of the time is in holds that no sample met.
        assert_eq!(alike(200).total(1_000, 200_000), 200_000);
        // Of one sample nothing is concluded.
        let mut holds = Holds::default();
        holds.add(once(100), Sampled, 1_000);
        assert_eq!(holds.total(1_000, 90_000), 90_000);
    }

    #[test]
    fn full_mode_estimates_nothing() {
        let mut holds = Holds::default();
        holds.add(1..=100, Full, 1_000);
        assert_eq!((holds.quantile(0.5, 100), holds.total(100, 0), holds.max()), (50, 5_050, 100));
        // The clock has drawn too few, or too many.
        assert_eq!([3_000, 9_000].map(|clock| holds.total(100, clock)), [5_050, 5_050]);
        assert_eq!(holds.total(200, 9_000), 9_000, "half of them were lost");
    }
}
