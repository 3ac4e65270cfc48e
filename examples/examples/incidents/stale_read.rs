//! A cache of two levels: reads look into a snapshot first, writes go to the map behind it, and what was missed often is
//! promoted. A price that is promoted once is read for ever. Fixed: each price stands in one place.
use lockprof::map::{SafeMap, Versions};
use lockprof::thread;

const PRODUCTS: u64 = 64;
/// Misses of a price after which it is promoted.
const PROMOTE_AFTER: u64 = 2;
/// How often each price is written, and read after that.
const ROUNDS: u64 = 8;

/// A price in cents, and which version of it.
type Price = (u64, u64);

trait Prices: Sync {
    fn write(&self, product: u64, price: Price);
    fn read(&self, product: u64) -> Option<Price>;
}

/// What is read first, and what is written.
struct TwoLevels {
    promoted: SafeMap<u64, Price>,
    written: SafeMap<u64, Price>,
    misses: SafeMap<u64, u64>,
}

impl Prices for TwoLevels {
    fn write(&self, product: u64, price: Price) {
        self.written.insert(product, price);
    }

    fn read(&self, product: u64) -> Option<Price> {
        if let Some(price) = self.promoted.get(&product) {
            return Some(price); // Nobody told it of the write.
        }
        let price = self.written.get(&product)?;
        let missed = || 0;
        let misses = self.misses.update_or_insert_with(product, missed, |misses| {
            *misses += 1;
            *misses
        });
        if misses >= PROMOTE_AFTER {
            self.promoted.insert(product, price);
        }
        Some(price)
    }
}

/// One place.
impl Prices for SafeMap<u64, Price> {
    fn write(&self, product: u64, price: Price) {
        self.insert(product, price);
    }

    fn read(&self, product: u64) -> Option<Price> {
        self.get(&product)
    }
}

pub fn play(fixed: bool) {
    if fixed {
        sell(&SafeMap::new());
    } else {
        sell(&TwoLevels { promoted: SafeMap::new(), written: SafeMap::new(), misses: SafeMap::new() });
    }
}

/// A price office writes, and afterwards a shop reads, round by round.
fn sell(prices: &impl Prices) {
    let versions = Versions::new(); // planted: price-versions
    let mut old = 0;
    for round in 0..ROUNDS {
        thread::scope(|scope| {
            let office = scope.spawn(|| {
                for product in 0..PRODUCTS {
                    let write = versions.write(&product); // planted: price-write
                    prices.write(product, (100 + round, write.version()));
                    write.complete();
                }
            });
            office.join().expect("the office does not panic");
            let shop = scope.spawn(|| {
                let is_old = |product: &u64| {
                    let read = versions.read(product); // planted: stale-read
                    prices.read(*product).is_some_and(|(_, version)| read.is_stale(version))
                };
                (0..PRODUCTS).filter(is_old).count()
            });
            old += shop.join().expect("the shop does not panic");
        });
    }
    println!("stale_read: {old} of {} reads found an old price", PRODUCTS * ROUNDS);
}
