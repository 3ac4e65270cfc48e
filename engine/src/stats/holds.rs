//! Hold times of a class, put together from what different sources tell of them.
//!
//! *Sampled* holds are timed exactly, each hold as likely as the next: they show how the short ones are distributed.
//! *Coarse* holds are those into which a tick of the coarse clock fell: of those longer than two steps none is missing;
//! a shorter one is told by chance and only to one step, so its length is left to the samples. Quantiles are those of
//! the mixture: each long hold counts once, the samples stand for all the rest. In `full` mode each hold is timed, and
//! nothing is estimated.
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
}

impl Holds {
    /// A hold of this length was told; `step` is the coarse clock's.
    pub fn add(&mut self, ticks: u64, source: HoldSource, step: u64) {
        let is_long = ticks >= step.saturating_mul(2).max(1);
        match source {
            HoldSource::Full => self.full.add(ticks),
            HoldSource::Sampled => {
                self.samples.add(ticks);
                if !is_long {
                    self.short.add(ticks);
                }
            }
            _ => {
                self.coarse_sum = self.coarse_sum.saturating_add(ticks);
                if is_long {
                    self.long.add(ticks);
                }
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
    }

    /// The sum of `holds` holds, where nothing better is known.
    pub fn total(&self, holds: u64) -> u64 {
        if self.full.count > 0 {
            self.full.sum
        } else if self.coarse_sum > 0 {
            self.coarse_sum.max(self.long.sum)
        } else {
            self.samples.mean().saturating_mul(holds)
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

    #[test]
    fn samples_stand_for_the_short_ones() {
        let mut holds = Holds::default();
        (0..10).for_each(|_| holds.add(50, Sampled, 1_000));
        (0..20).for_each(|_| holds.add(9_000, Coarse, 1_000));
        holds.add(9_000, Sampled, 1_000);
        assert_eq!(holds.quantile(0.5, 1_000), 50);
        assert!(holds.quantile(0.99, 1_000) >= 9_000);
        assert_eq!((holds.max(), holds.total(1_000)), (9_000, 180_000));
    }

    #[test]
    fn full_mode_estimates_nothing() {
        let mut holds = Holds::default();
        (1..=100).for_each(|ticks| holds.add(ticks, Full, 1_000));
        assert_eq!((holds.quantile(0.5, 100), holds.total(100), holds.max()), (50, 5_050, 100));
    }
}
