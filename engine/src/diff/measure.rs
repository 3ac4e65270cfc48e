//! One number before and after, and how sure it is that it changed.
use distrs::StudentsT;
use serde::Serialize;

/// How sure the intervals are, all objects of a comparison together: one in twenty comparisons may show a change of
/// something where there is none.
pub const CONFIDENCE: f64 = 0.95;
/// A change smaller than this is not called one where there is but one run to a side, and nothing to tell noise by.
const NOTABLE: f64 = 0.1;

/// What is known of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It grew: by the interval, or, where there is but one run to a side, by a tenth at least.
    Rose,
    /// It shrank, in the same sense.
    Fell,
    /// No significant change.
    None,
}

/// A number of a side: the mean over its runs, and theirs one by one.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// The mean.
    pub mean: f64,
    /// Of each run.
    pub runs: Vec<f64>,
}

/// A number before and after.
#[derive(Clone, Debug, Serialize)]
pub struct Measure {
    /// Before.
    pub before: Side,
    /// After.
    pub after: Side,
    /// Confidence interval of the difference of the means, after less before; `None` where a side has but one run.
    pub difference: Option<[f64; 2]>,
    /// What came of it.
    pub change: Change,
}

impl Side {
    fn new(runs: Vec<f64>) -> Self {
        Self { mean: runs.iter().sum::<f64>() / runs.len().max(1) as f64, runs }
    }

    /// The variance of the mean.
    fn variance(&self) -> f64 {
        let count = self.runs.len() as f64;
        let squares = self.runs.iter().map(|value| (value - self.mean).powi(2)).sum::<f64>();
        squares / (count - 1.0) / count
    }
}

impl Measure {
    /// Compares the runs of two sides by Welch's t-test, as one of `among` comparisons (Bonferroni).
    pub fn new(before: Vec<f64>, after: Vec<f64>, among: usize) -> Self {
        let (before, after) = (Side::new(before), Side::new(after));
        let difference = interval(&before, &after, among);
        let by = after.mean - before.mean;
        let changed = match difference {
            Some([low, high]) => low > 0.0 || high < 0.0,
            None => by.abs() > NOTABLE * before.mean.abs(),
        };
        let change = match changed {
            true if by > 0.0 => Change::Rose,
            true => Change::Fell,
            false => Change::None,
        };
        Self { before, after, difference, change }
    }

    /// The change as a share of what was before; `None` where there was nothing.
    pub fn relative(&self) -> Option<f64> {
        (self.before.mean != 0.0).then(|| (self.after.mean - self.before.mean) / self.before.mean)
    }
}

fn interval(before: &Side, after: &Side, among: usize) -> Option<[f64; 2]> {
    let counts = [before, after].map(|side| side.runs.len());
    if counts.contains(&0) || counts.contains(&1) {
        return None;
    }
    let by = after.mean - before.mean;
    let variances = [before, after].map(Side::variance);
    let variance = variances[0] + variances[1];
    if variance == 0.0 {
        return Some([by, by]);
    }
    // Welch and Satterthwaite.
    let freedom = variance.powi(2)
        / (variances[0].powi(2) / (counts[0] - 1) as f64 + variances[1].powi(2) / (counts[1] - 1) as f64);
    let outside = (1.0 - CONFIDENCE) / among.max(1) as f64;
    let t = StudentsT::ppf(1.0 - outside / 2.0, freedom);
    let reach = t * variance.sqrt();
    Some([by - reach, by + reach])
}

#[cfg(test)]
mod tests {
    use super::{Change, Measure};

    #[test]
    fn the_interval_is_that_of_welch() {
        // scipy.stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.95)
        let measure = Measure::new(vec![20.1, 21.4, 19.8, 20.9], vec![17.2, 18.9, 18.1], 1);
        let [low, high] = measure.difference.unwrap();
        assert!((low + 4.181_501_5).abs() < 1e-6 && (high + 0.785_165_1).abs() < 1e-6, "{low} {high}");
        assert_eq!(measure.change, Change::Fell);
        let among = Measure::new(vec![20.1, 21.4, 19.8, 20.9], vec![17.2, 18.9, 18.1], 1_000);
        assert_eq!(among.change, Change::None, "one of a thousand may look so by chance");
    }

    #[test]
    fn noise_is_no_change() {
        let measure = Measure::new(vec![10.0, 14.0, 12.0], vec![13.0, 10.0, 14.0], 1);
        assert_eq!(measure.change, Change::None);
        let [low, high] = measure.difference.unwrap();
        assert!(low < 0.0 && high > 0.0);
    }

    #[test]
    fn one_run_has_no_interval() {
        let change = |after| {
            let measure = Measure::new(vec![100.0], vec![after], 1);
            assert_eq!(measure.difference, None);
            measure.change
        };
        assert_eq!([80.0, 95.0, 120.0].map(change), [Change::Fell, Change::None, Change::Rose]);
        assert_eq!(Measure::new(vec![0.0], vec![1.0], 1).change, Change::Rose);
        assert_eq!(Measure::new(vec![0.0], vec![0.0], 1).change, Change::None);
    }

    #[test]
    fn equal_runs_are_known_exactly() {
        let measure = Measure::new(vec![5.0, 5.0], vec![5.0, 5.0], 1);
        assert_eq!((measure.difference, measure.change), (Some([0.0, 0.0]), Change::None));
        assert_eq!(Measure::new(vec![5.0, 5.0], vec![0.0, 0.0], 1).change, Change::Fell);
        assert_eq!(Measure::new(vec![], vec![1.0], 1).change, Change::Rose);
    }
}
