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
        let total = |value: u64| ConstCounter::new(value);
        let seconds = |ns: u64| ConstCounter::new(ns as f64 / 1e9);
        let now = |value: u64| ConstGauge::new(value);

        let counter = (MetricType::Counter, None);
        let time = (MetricType::Counter, Some(&Unit::Seconds));
        let gauge = (MetricType::Gauge, None);
        let sent = |of: &ClassReport| total(count("sends")(of));
        let failed = |of: &ClassReport| total(count("failed sends")(of));
        family(to, "channel_sends", "Messages sent", counter, &channels, class, sent)?;
        family(to, "channel_send_failures", "Sends that were refused", counter, &channels, class, failed)?;
        let help = "Parties that wait to send or to receive now";
        family(to, "channel_blocked", help, gauge, &channels, class, |of| now(of.waiting))?;
        family(to, "lock_acquisitions", "Acquisitions", counter, &locks, class, |of| total(of.acquisitions))?;
        family(to, "lock_waits", "Acquisitions that waited", counter, &locks, class, |of| {
            total(of.contended)
        })?;
        let help = "Time waited, all parties together";
        family(to, "lock_wait", help, time, &locks, class, |of| seconds(of.wait_ns.total))?;
        family(to, "tasks_live", "Tasks and threads alive", gauge, &populations, line, |of| now(of.live))?;
        let ended = |of: &PopulationReport| total(of.finished + of.panicked + of.cancelled + of.dropped);
        family(to, "tasks_ended", "Tasks and threads that have ended", counter, &populations, line, ended)?;
        let help = "How long those that have ended lived, together";
        family(to, "task_lifetime", help, time, &populations, line, |of| seconds(of.lived_ns))
    }
}

type Labels = [(&'static str, String); 2];

/// One metric with a series for each of `of`.
fn family<T, M: EncodeMetric>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    (kind, unit): (MetricType, Option<&Unit>),
    of: &[&T],
    labels: impl Fn(&T) -> Labels,
    metric: impl Fn(&T) -> M,
) -> fmt::Result {
    let mut family = to.encode_descriptor(name, help, unit, kind)?;
    of.iter().try_for_each(|one| metric(one).encode(family.encode_family(&labels(one))?))
}
