//! Exchange rates are swapped whole, by a pointer to them, and yet each reader takes a read lock to load which those are.
//! Fixed: the load alone, which `ArcSwap` makes sound.
use arc_swap::ArcSwap;
use lockprof::parking_lot::RwLock;
use lockprof::thread;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Release};

const READERS: u64 = 2;
const READS: u64 = 500_000;
/// How often other rates come, meanwhile.
const SWAPS: u64 = 3;

type Rates = [u64; 8];

pub fn play(fixed: bool) {
    if fixed {
        let rates = ArcSwap::from_pointee(Rates::default());
        exchange(|| rates.load()[3], |day| rates.store(Arc::new([day; 8])));
    } else {
        // The rates of all days, and those of today.
        let (days, today) = ([0, 1, 2].map(|day| [day; 8]), AtomicUsize::new(0));
        let lock = RwLock::new(()); // planted: rates
        let read = || {
            let locked = lock.read(); // planted: locked-load
            let day = today.load(Acquire);
            drop(locked);
            days[day][3]
        };
        let swap = |day| {
            let _locked = lock.write();
            today.store(day as usize, Release);
        };
        exchange(read, swap);
    }
}

fn exchange(read: impl Fn() -> u64 + Sync, swap: impl Fn(u64) + Send) {
    thread::scope(|scope| {
        for _reader in 0..READERS {
            scope.spawn(|| (0..READS).for_each(|_request| _ = black_box(read())));
        }
        scope.spawn(|| (0..SWAPS).for_each(swap));
    });
}
