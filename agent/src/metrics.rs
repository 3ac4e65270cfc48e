//! What was recorded so far, as metrics for a scraper.
use crate::live;
use lockprof_engine::report::{ClassReport, PopulationReport, Report};
use lockprof_engine::symbols::NoSymbols;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::collections::HashMap;
use std::fmt;

/// Classes and lines that are told of each metric: those with the most waits, or the most alive. So a scraper sees no more
/// series than this, whatever a program does.
const TOLD: usize = 200;

/// The metrics of this process, as OpenMetrics text (<https://prometheus.io/docs/specs/om/open_metrics_spec/>): per line that
/// creates channels, their sends, failed sends and senders that are blocked now; per line that creates locks, acquisitions,
/// waits and the time waited; per line that spawns tasks or threads, how many live, and how many have ended after how long.
/// Empty where nothing is recorded.
///
/// Takes some milliseconds, on the thread of the caller; at most 200 lines are told of each.
pub fn metrics() -> String {
    let mut text = String::new();
    if let Some(report) = live::report(&NoSymbols) {
        let mut registry = Registry::with_prefix("lockprof");
        registry.register_collector(Box::new(Told(report)));
        // Writing to a string does not fail.
        let _ = encode(&mut text, &registry);
    }
    text
}

#[derive(Debug)]
struct Told(Report);

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let classes = &self.0.classes[..self.0.classes.len().min(TOLD)];
        let channels: Vec<_> = classes.iter().filter(|class| class.counts.contains_key("sends")).collect();
        let locks: Vec<_> = classes.iter().filter(|class| !class.counts.contains_key("sends")).collect();
        let mut populations: Vec<_> = self.0.tasks.iter().chain(&self.0.threads).collect();
        populations.sort_by_key(|population| std::cmp::Reverse(population.live));
        populations.truncate(TOLD);
        let count =
            |name: &'static str| move |class: &ClassReport| class.counts.get(name).copied().unwrap_or(0);
        let class =
            |class: &ClassReport| [("kind", class.kind.clone()), ("created_at", class.created_at.clone())];
        let line = |of: &PopulationReport| [("kind", of.kind.clone()), ("spawned_at", of.spawned_at.clone())];
        let to = &mut encoder;
        use Measure::{Now, Time, Total};
        let (sent, failed) = (count("sends"), count("failed sends"));
        family(to, "channel_sends", "Messages sent", Total, &channels, class, sent)?;
        family(to, "channel_send_failures", "Sends that were refused", Total, &channels, class, failed)?;
        let help = "Parties that wait to send or to receive now";
        family(to, "channel_blocked", help, Now, &channels, class, |of| of.waiting)?;
        family(to, "lock_acquisitions", "Acquisitions", Total, &locks, class, |of| of.acquisitions)?;
        family(to, "lock_waits", "Acquisitions that waited", Total, &locks, class, |of| of.contended)?;
        let help = "Time waited, all parties together";
        family(to, "lock_wait", help, Time, &locks, class, |of| of.wait_ns.total)?;
        family(to, "tasks_live", "Tasks and threads alive", Now, &populations, line, |of| of.live)?;
        let ended = |of: &PopulationReport| of.finished + of.panicked + of.cancelled + of.dropped;
        family(to, "tasks_ended", "Tasks and threads that have ended", Total, &populations, line, ended)?;
        let help = "How long those that have ended lived, together";
        family(to, "task_lifetime", help, Time, &populations, line, |of| of.lived_ns)
    }
}

type Labels = [(&'static str, String); 2];

/// What a metric tells.
#[derive(Clone, Copy)]
enum Measure {
    /// How many there are now.
    Now,
    /// How many there have been.
    Total,
    /// How long it has been, in nanoseconds; told in seconds.
    Time,
}

/// One metric with a series for each of the lines of `of`. Generic code has one line for several classes: they are added up, since
/// no series may stand there twice.
fn family<T>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    measure: Measure,
    of: &[&T],
    labels: impl Fn(&T) -> Labels,
    value: impl Fn(&T) -> u64,
) -> fmt::Result {
    let mut series: Vec<(Labels, u64)> = vec![];
    let mut places: HashMap<Labels, usize> = HashMap::new();
    for one in of {
        let place = *places.entry(labels(one)).or_insert(series.len());
        if place == series.len() {
            series.push((labels(one), 0));
        }
        let sum = &mut series[place].1;
        *sum = sum.saturating_add(value(one));
    }
    let (kind, unit) = match measure {
        Measure::Now => (MetricType::Gauge, None),
        Measure::Total => (MetricType::Counter, None),
        Measure::Time => (MetricType::Counter, Some(&Unit::Seconds)),
    };
    let mut family = to.encode_descriptor(name, help, unit, kind)?;
    series.iter().try_for_each(|(labels, value)| {
        let to = family.encode_family(labels)?;
        match measure {
            Measure::Now => ConstGauge::new(*value).encode(to),
            Measure::Total => ConstCounter::new(*value).encode(to),
            Measure::Time => ConstCounter::new(*value as f64 / 1e9).encode(to),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockprof_engine::model::Model;
    use lockprof_engine::{Options, analyze};

    #[test]
    fn classes_of_one_line_are_one_series() {
        let lock = |acquisitions, at: &str| ClassReport {
            kind: "lock".into(),
            created_at: at.into(),
            acquisitions,
            ..ClassReport::default()
        };
        let classes = vec![lock(3, "a.rs:1:1"), lock(5, "b.rs:1:1"), lock(4, "a.rs:1:1")];
        let mut registry = Registry::default();
        let nothing = analyze(vec![Model::new()], &Options::default(), &NoSymbols);
        registry.register_collector(Box::new(Told(Report { classes, ..nothing })));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let told: Vec<&str> =
            text.lines().filter(|line| line.starts_with("lock_acquisitions_total{")).collect();
        let of =
            |at: &str, count| format!("lock_acquisitions_total{{kind=\"lock\",created_at=\"{at}\"}} {count}");
        assert_eq!(told, [of("a.rs:1:1", 7), of("b.rs:1:1", 5)]);
    }
}
