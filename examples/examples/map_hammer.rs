//! Ten thousand tasks count visits in one map. `--fixed` spreads them over as many maps as it takes for them not to meet.

use clap::Parser;
use lockprof::map::SafeMap;
use lockprof::tokio::{self, task::JoinSet};
use lockprof_examples::Variant;
use std::collections::HashMap;
use std::sync::Arc;

/// Ten thousand tasks hammer one map
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    variant: Variant,

    /// Tasks
    #[arg(long, default_value_t = 10_000)]
    tasks: u64,

    /// Visits that each task counts
    #[arg(long, default_value_t = 200)]
    visits: u64,
}

/// Visits by day, of one page.
type Visits = HashMap<u64, u64>;

const PAGES: u64 = 64;
const DAYS: u64 = 365;
const SHARDS: u64 = 64;

/// Visits of pages, in one map or in many.
struct Counter {
    shards: Vec<SafeMap<u64, Visits>>,
}

impl Counter {
    fn new(shards: u64) -> Self {
        Self { shards: (0..shards).map(|_| SafeMap::new()).collect() } // planted: one-map
    }

    fn shard(&self, page: u64) -> &SafeMap<u64, Visits> {
        &self.shards[(page % self.shards.len() as u64) as usize]
    }

    fn count(&self, page: u64, day: u64) {
        let one_more = |visits: &mut Visits| *visits.entry(day).or_default() += 1;
        self.shard(page).update_or_insert_with(page, Visits::new, one_more); // planted: map-write
    }

    fn total(&self, page: u64) -> u64 {
        self.shard(page).with(&page, |visits| visits.values().sum()).unwrap_or(0) // planted: map-read
    }
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let shards = if options.variant.is_fixed() { SHARDS } else { 1 };
    let counter = Arc::new(Counter::new(shards));

    // More workers than cores, as in a service that shares its machine: a holder can lose its core.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(8).build()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..options.tasks {
            let counter = counter.clone();
            let visits = options.visits;
            tasks.spawn(async move {
                for visit in 0..visits {
                    let page = (task * 31 + visit) % PAGES;
                    counter.count(page, (task * 7 + visit) % DAYS);
                    std::hint::black_box(counter.total(page));
                    tokio::task::yield_now().await;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("no task panics");
        }
    });

    let counted: u64 = (0..PAGES).map(|page| counter.total(page)).sum();
    assert_eq!(counted, options.tasks * options.visits);
    Ok(())
}
