//! Ten thousand tasks write one map, which grows as they do. Fixed: a sharded map, made with the room that it will need.
use lockprof::dashmap::DashMap;
use lockprof::map::SafeMap;
use lockprof::tokio::{runtime::Builder, task, task::JoinSet};
use std::sync::Arc;

const TASKS: u64 = 10_000;
/// Orders that each task enters: fewer where nothing is optimised, and each takes longer.
const ORDERS: u64 = if cfg!(debug_assertions) { 10 } else { 100 };
/// More workers than cores, as in a service that shares its machine: a holder can lose its core.
const WORKERS: usize = 4;
/// So many that two workers hardly ever meet.
const SHARDS: usize = 16_384;

/// Where orders are entered.
trait Orders: Send + Sync + 'static {
    fn enter(&self, order: u64, cents: [u64; 4]);
    fn entered(&self) -> usize;
}

impl Orders for SafeMap<u64, [u64; 4]> {
    fn enter(&self, order: u64, cents: [u64; 4]) {
        self.insert(order, cents); // planted: hot-insert
    }

    fn entered(&self) -> usize {
        self.len()
    }
}

impl Orders for DashMap<u64, [u64; 4]> {
    fn enter(&self, order: u64, cents: [u64; 4]) {
        self.insert(order, cents);
    }

    fn entered(&self) -> usize {
        self.len()
    }
}

pub fn play(fixed: bool) {
    if fixed {
        write(Arc::new(DashMap::with_capacity_and_shard_amount((TASKS * ORDERS * 2) as usize, SHARDS)));
    } else {
        write(Arc::new(SafeMap::new())); // planted: hot-map
    }
}

fn write(orders: Arc<impl Orders>) {
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).build().expect("a runtime");
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let orders = orders.clone();
            tasks.spawn(async move {
                for number in 0..ORDERS {
                    orders.enter(task * ORDERS + number, [number; 4]);
                    task::yield_now().await;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("no task panics");
        }
    });
    assert_eq!(orders.entered() as u64, TASKS * ORDERS);
}
