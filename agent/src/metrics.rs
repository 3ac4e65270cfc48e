//! What was recorded so far, as metrics for a scraper.
use crate::live;
use lockprof_engine::Options;
use lockprof_engine::report::{ClassReport, PopulationReport, Report};
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
    if let Some(report) = live::report(&Options::default()) {
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
        let encoder = &mut encoder;

        counter(encoder, ("channel_sends", "Messages sent"), &channels, class, count("sends"))?;
        counter(
            encoder,
            ("channel_send_failures", "Sends that were refused"),
            &channels,
            class,
            count("failed sends"),
        )?;
        gauge(
            encoder,
            ("channel_blocked", "Parties that wait to send or to receive now"),
            &channels,
            class,
            |of| of.waiting,
        )?;
        counter(encoder, ("lock_acquisitions", "Acquisitions"), &locks, class, |of| of.acquisitions)?;
        counter(encoder, ("lock_waits", "Acquisitions that waited"), &locks, class, |of| of.contended)?;
        seconds(encoder, ("lock_wait", "Time waited, all parties together"), &locks, class, |of| {
            of.wait_ns.total
        })?;
        gauge(encoder, ("tasks_live", "Tasks and threads alive"), &populations, line, |of| of.live)?;
        let ended = |of: &PopulationReport| of.finished + of.panicked + of.cancelled + of.dropped;
        counter(encoder, ("tasks_ended", "Tasks and threads that have ended"), &populations, line, ended)?;
        seconds(
            encoder,
            ("task_lifetime", "How long those that have ended lived, together"),
            &populations,
            line,
            |of| of.lived_ns,
        )
    }
}

/// A name without the prefix, and its help.
type Named = (&'static str, &'static str);
type Labels = [(&'static str, String); 2];

fn counter<T>(
    to: &mut DescriptorEncoder<'_>,
    (name, help): Named,
    of: &[&T],
    labels: impl Fn(&T) -> Labels,
    value: impl Fn(&T) -> u64,
) -> fmt::Result {
    let mut family = to.encode_descriptor(name, help, None, MetricType::Counter)?;
    for one in of {
        ConstCounter::new(value(one)).encode(family.encode_family(&labels(one))?)?;
    }
    Ok(())
}

fn seconds<T>(
    to: &mut DescriptorEncoder<'_>,
    (name, help): Named,
    of: &[&T],
    labels: impl Fn(&T) -> Labels,
    ns: impl Fn(&T) -> u64,
) -> fmt::Result {
    let mut family = to.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Counter)?;
    for one in of {
        ConstCounter::new(ns(one) as f64 / 1e9).encode(family.encode_family(&labels(one))?)?;
    }
    Ok(())
}

fn gauge<T>(
    to: &mut DescriptorEncoder<'_>,
    (name, help): Named,
    of: &[&T],
    labels: impl Fn(&T) -> Labels,
    value: impl Fn(&T) -> u64,
) -> fmt::Result {
    let mut family = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for one in of {
        ConstGauge::new(value(one)).encode(family.encode_family(&labels(one))?)?;
    }
    Ok(())
}
