//! How a length of time is distributed, in bounded memory.
use hdrhistogram::Histogram;

/// Values kept one by one before a histogram takes over: a histogram is large, and most sites wait a few times.
const FEW: usize = 256;
/// Significant decimal digits of the histogram.
const DIGITS: u8 = 2;

/// Lengths of time in ticks: their number, sum and greatest exactly, quantiles to two digits.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// The greatest.
    pub max: u64,
    few: Vec<u64>,
    many: Option<Histogram<u64>>,
}

impl Distribution {
    /// Adds one.
    pub fn add(&mut self, value: u64) {
        self.extend([value]);
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        let (count, sum, max) = (self.count, self.sum, self.max);
        other.each(|value, times| {
            if times == 1 || self.many.is_none() {
                (0..times).for_each(|_| self.add(value));
            } else if let Some(many) = &mut self.many {
                record(many, value, times);
            }
        });
        self.count = count.saturating_add(other.count);
        self.sum = sum.saturating_add(other.sum);
        self.max = max.max(other.max);
    }

    /// The smallest value that a share of `quantile` (0 to 1) does not exceed; 0 where there is none.
    pub fn quantile(&self, quantile: f64) -> u64 {
        if let Some(many) = &self.many {
            return many.value_at_quantile(quantile).min(self.max);
        }
        let mut values = self.few.clone();
        values.sort_unstable();
        let rank = (quantile * values.len() as f64).ceil() as usize;
        values.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }

    /// The mean; 0 where there is none.
    pub fn mean(&self) -> u64 {
        self.sum / self.count.max(1)
    }

    /// Calls `take` with each value kept, and how often it occurs.
    fn each(&self, mut take: impl FnMut(u64, u64)) {
        self.few.iter().for_each(|value| take(*value, 1));
        if let Some(many) = &self.many {
            many.iter_recorded().for_each(|step| take(step.value_iterated_to(), step.count_at_value()));
        }
    }
}

impl Extend<u64> for Distribution {
    fn extend<I: IntoIterator<Item = u64>>(&mut self, values: I) {
        for value in values {
            self.count = self.count.saturating_add(1);
            self.sum = self.sum.saturating_add(value);
            self.max = self.max.max(value);
            if let Some(many) = &mut self.many {
                record(many, value, 1);
            } else if self.few.len() < FEW {
                self.few.push(value);
            } else if let Ok(mut many) = Histogram::new(DIGITS) {
                many.auto(true);
                self.few.drain(..).chain([value]).for_each(|value| record(&mut many, value, 1));
                self.many = Some(many);
            }
        }
    }
}

/// The histogram grows as it must; 64 bits always find room.
fn record(many: &mut Histogram<u64>, value: u64, times: u64) {
    let recorded = many.record_n(value, times);
    debug_assert!(recorded.is_ok(), "{value}: {recorded:?}");
}

#[cfg(test)]
mod tests {
    use super::Distribution;

    #[test]
    fn few_and_many_agree() {
        let (mut few, mut many) = (Distribution::default(), Distribution::default());
        (1..=200).for_each(|value| few.add(value));
        (1..=200).for_each(|value| (0..100).for_each(|_| many.add(value)));
        assert_eq!((few.count, few.sum, few.max), (200, 20_100, 200));
        for quantile in [0.5, 0.99, 1.0] {
            let (few, many) = (few.quantile(quantile), many.quantile(quantile));
            assert!(few.abs_diff(many) <= 2, "{quantile}: {few} and {many}");
        }
        assert_eq!(Distribution::default().quantile(0.5), 0);
        (0..1_000).for_each(|_| many.add(u64::MAX));
        assert!(many.quantile(1.0) >= u64::MAX - 1);
    }

    #[test]
    fn merging_adds() {
        let (mut one, mut other) = (Distribution::default(), Distribution::default());
        (0..1_000).for_each(|value| one.add(value));
        (0..100).for_each(|value| other.add(value + 5_000));
        other.merge(&one);
        assert_eq!((other.count, other.max), (1_100, 5_099));
        assert!((490..=560).contains(&other.quantile(0.5)), "{}", other.quantile(0.5));
    }
}
