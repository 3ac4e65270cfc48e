//! How many instances of a class live over time, in a fixed number of buckets.
//!
//! Births and deaths come out of order, since each thread writes its own blocks. They are counted into buckets of time
//! that grow with the recording, and added up at the end.

/// Buckets; when time runs past the last, pairs are joined and the width doubles.
const BUCKETS: usize = 512;
/// Width of a bucket at the begin, in ticks.
const WIDTH: u64 = 1 << 16;

/// Births and deaths over time.
#[derive(Clone, Debug)]
pub struct Timeline {
    start: u64,
    width: u64,
    net: Vec<i64>,
    /// The greatest live count that was told.
    told: u64,
    /// How many were born.
    pub born: u64,
    /// How many have died.
    pub died: u64,
}

impl Timeline {
    /// Time begins at `start` ticks.
    pub fn new(start: u64) -> Self {
        Self { start, width: WIDTH, net: vec![], told: 0, born: 0, died: 0 }
    }

    /// One is born.
    pub fn birth(&mut self, at: u64) {
        self.born += 1;
        self.add(at, 1);
    }

    /// One dies.
    pub fn death(&mut self, at: u64) {
        self.died += 1;
        self.add(at, -1);
    }

    /// This many were alive at some moment.
    pub fn told(&mut self, live: u64) {
        self.told = self.told.max(live);
    }

    fn add(&mut self, at: u64, change: i64) {
        let since = at.saturating_sub(self.start);
        while since / self.width >= BUCKETS as u64 {
            self.width *= 2;
            self.net = self.net.chunks(2).map(|pair| pair.iter().sum()).collect();
        }
        let bucket = (since / self.width) as usize;
        if self.net.len() <= bucket {
            self.net.resize(bucket + 1, 0);
        }
        self.net[bucket] += change;
    }

    /// How many are alive in the end.
    pub fn live(&self) -> u64 {
        self.born.saturating_sub(self.died)
    }

    /// The most that were alive at once, as far as the buckets tell.
    pub fn peak(&self) -> u64 {
        self.levels().max().unwrap_or(0).max(0).cast_unsigned().max(self.told).max(self.live())
    }

    fn levels(&self) -> impl Iterator<Item = i64> {
        self.net.iter().scan(0i64, |live, net| {
            *live += net;
            Some(*live)
        })
    }

    /// Live counts at `points` moments spread evenly from the begin to `end`, both included.
    pub fn sampled(&self, end: u64, points: usize) -> Vec<u64> {
        let levels: Vec<i64> = self.levels().collect();
        let last = end.saturating_sub(self.start) / self.width;
        let level = |point: usize| {
            let bucket = (u128::from(last) * point as u128 / (points.max(2) - 1) as u128) as usize;
            levels.get(bucket).or(levels.last()).copied().unwrap_or(0).max(0).cast_unsigned()
        };
        (0..points).map(level).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Timeline;

    #[test]
    fn order_does_not_matter() {
        let (mut forth, mut back) = (Timeline::new(0), Timeline::new(0));
        let events: Vec<(u64, bool)> =
            (0..1_000u64).flat_map(|n| [(n * 1_000_000, true), (n * 1_000_000 + 5_000_000, false)]).collect();
        let add = |line: &mut Timeline, (at, birth): (u64, bool)| {
            if birth { line.birth(at) } else { line.death(at) }
        };
        events.iter().for_each(|event| add(&mut forth, *event));
        events.iter().rev().for_each(|event| add(&mut back, *event));
        assert_eq!((forth.live(), back.live()), (0, 0));
        assert!((4..=8).contains(&forth.peak()), "{}", forth.peak());
        assert_eq!(forth.peak(), back.peak());
    }

    #[test]
    fn growth_shows() {
        let mut line = Timeline::new(10);
        (0..100).for_each(|n| line.birth(10 + n * 1_000_000));
        let levels = line.sampled(100_000_000, 5);
        assert!(levels.windows(2).all(|pair| pair[0] < pair[1]), "{levels:?}");
        assert_eq!(levels[4], 100);
    }
}
