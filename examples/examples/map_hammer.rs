//! Ten thousand tasks count visits in one map, each visit by itself. With `--fixed` each task collects its
//! visits and returns them, and one alone puts them into the map.

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

/// Visits of pages.
struct Counter {
    pages: SafeMap<u64, Visits>,
}

impl Counter {
    fn new() -> Self {
        Self { pages: SafeMap::new() } // planted: one-map
    }

    fn count(&self, page: u64, day: u64) {
        let one_more = |visits: &mut Visits| *visits.entry(day).or_default() += 1;
        self.pages.update_or_insert_with(page, Visits::new, one_more); // planted: map-write
    }

    fn total(&self, page: u64) -> u64 {
        self.pages.with(&page, |visits| visits.values().sum()).unwrap_or(0) // planted: map-read
    }

    /// Counts visits by their page and day.
    fn count_all(&self, visits: &[(u64, u64)]) {
        if visits.is_empty() {
            return;
        }
        let mut pages = self.pages.write();
        for (page, day) in visits {
            *pages.entry(*page).or_default().entry(*day).or_default() += 1;
        }
    }
}

/// The page and the day of a task's visit.
fn visit(task: u64, visit: u64) -> (u64, u64) {
    ((task * 31 + visit) % PAGES, (task * 7 + visit) % DAYS)
}

/// Counts each visit when it comes, and looks at the page's total.
async fn count_each(counter: Arc<Counter>, task: u64, visits: u64) -> Vec<(u64, u64)> {
    for number in 0..visits {
        let (page, day) = visit(task, number);
        counter.count(page, day);
        std::hint::black_box(counter.total(page));
        tokio::task::yield_now().await;
    }
    Vec::new()
}

/// Collects the visits, for others to count.
async fn collect(task: u64, visits: u64) -> Vec<(u64, u64)> {
    let mut collected = Vec::new();
    for number in 0..visits {
        collected.push(visit(task, number));
        tokio::task::yield_now().await;
    }
    collected
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let counter = Arc::new(Counter::new());

    // More workers than cores, as in a service that shares its machine: a holder can lose its core.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(8).build()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..options.tasks {
            if options.variant.is_fixed() {
                tasks.spawn(collect(task, options.visits));
            } else {
                tasks.spawn(count_each(counter.clone(), task, options.visits)); // planted: hammering-task
            }
        }
        while let Some(ended) = tasks.join_next().await {
            counter.count_all(&ended.expect("no task panics"));
        }
    });

    let counted: u64 = (0..PAGES).map(|page| counter.total(page)).sum();
    assert_eq!(counted, options.tasks * options.visits);
    Ok(())
}
