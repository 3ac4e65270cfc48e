//! Sessions that every request looks up, and that are over when they were not used for long. One map under one lock, and
//! the search for what is over goes through all of it under the write lock. Fixed: a sharded map, and a sweeper that
//! knows when which session may be over, and takes out those alone.
//!
//! The last line tells the throughput, and how long requests took.
use lockprof::dashmap::DashMap;
use lockprof::parking_lot::RwLock;
use lockprof::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use lockprof::thread;
use std::collections::{BTreeSet, HashMap};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

type Token = u64;

/// Sessions that are open at the begin: fewer where nothing is optimised, and each takes longer.
const RESTORED: u64 = if cfg!(debug_assertions) { 600_000 } else { 1_000_000 };
/// A session that was not used for so long is over.
const LIFETIME: Duration = Duration::from_secs(60);
/// How often the sweeper looks for those.
const SWEEP_EVERY: Duration = Duration::from_millis(5);
/// Threads that serve requests, and how many each serves.
const CLIENTS: u64 = if cfg!(debug_assertions) { 8 } else { 32 };
const REQUESTS: u64 = if cfg!(debug_assertions) { 1_000 } else { 4_000 };
/// One request in so many opens a session.
const LOG_IN_EVERY: u64 = 50;
/// Rounds of a checksum: the work of a request besides its session.
const WORK: u64 = 10_000;
/// So many that a request hardly ever meets another, or the sweeper.
const SHARDS: usize = 1024;

struct Session {
    user: u64,
    /// When it was last used, in milliseconds on the service's clock.
    used_ms: AtomicU64,
}

impl Session {
    fn is_over(&self, now_ms: u64) -> bool {
        self.used_ms.load(Relaxed) + LIFETIME.as_millis() as u64 <= now_ms
    }
}

/// Milliseconds since the service would have opened its oldest session.
struct Clock(Instant);

impl Clock {
    fn now_ms(&self) -> u64 {
        (self.0.elapsed() + LIFETIME).as_millis() as u64
    }
}

trait Cache: Send + Sync {
    fn open(&self, token: Token, session: Session);
    /// The user of a session, which counts as used now.
    fn touch(&self, token: Token, now_ms: u64) -> Option<u64>;
    /// Removes what is over, again and again until stopped.
    fn sweep(&self, clock: &Clock, stopped: &Receiver<()>);
}

/// All under one lock.
struct OneLock {
    sessions: RwLock<HashMap<Token, Session>>,
}

impl OneLock {
    fn new() -> Self {
        Self { sessions: RwLock::new(HashMap::new()) } // planted: session-map
    }
}

impl Cache for OneLock {
    fn open(&self, token: Token, session: Session) {
        self.sessions.write().insert(token, session); // planted: session-open
    }

    fn touch(&self, token: Token, now_ms: u64) -> Option<u64> {
        let sessions = self.sessions.read(); // planted: session-lookup
        let session = sessions.get(&token)?;
        session.used_ms.store(now_ms, Relaxed);
        Some(session.user)
    }

    fn sweep(&self, clock: &Clock, stopped: &Receiver<()>) {
        while stopped.recv_timeout(SWEEP_EVERY) == Err(RecvTimeoutError::Timeout) {
            let now_ms = clock.now_ms();
            let mut sessions = self.sessions.write(); // planted: session-expiry
            sessions.retain(|_, session| !session.is_over(now_ms));
        }
    }
}

/// A sharded map, and for the sweeper a line to those who open.
struct Sharded {
    sessions: DashMap<Token, Session>,
    opened: Sender<(u64, Token)>,
    /// For the sweeper alone.
    due: lockprof::parking_lot::Mutex<Option<Receiver<(u64, Token)>>>,
}

impl Sharded {
    fn new() -> Self {
        let (opened, due) = mpsc::channel();
        let due = lockprof::parking_lot::Mutex::new(Some(due));
        Self { sessions: DashMap::with_capacity_and_shard_amount(2 * RESTORED as usize, SHARDS), opened, due }
    }
}

impl Cache for Sharded {
    fn open(&self, token: Token, session: Session) {
        let used_ms = session.used_ms.load(Relaxed);
        self.sessions.insert(token, session);
        self.opened.send((used_ms, token)).expect("the sweeper is there until the end");
    }

    fn touch(&self, token: Token, now_ms: u64) -> Option<u64> {
        let session = self.sessions.get(&token)?;
        session.used_ms.store(now_ms, Relaxed);
        Some(session.user)
    }

    fn sweep(&self, clock: &Clock, stopped: &Receiver<()>) {
        let opened = self.due.lock().take().expect("one sweeper");
        // By the time of the last use that is known: nobody has to look at those behind.
        let mut waiting: BTreeSet<(u64, Token)> = BTreeSet::new();
        while stopped.recv_timeout(SWEEP_EVERY) == Err(RecvTimeoutError::Timeout) {
            waiting.extend(opened.try_iter());
            let now_ms = clock.now_ms();
            let before = now_ms.saturating_sub(LIFETIME.as_millis() as u64);
            let later = waiting.split_off(&(before, Token::MAX));
            for (_, token) in std::mem::replace(&mut waiting, later) {
                if self.sessions.remove_if(&token, |_, session| session.is_over(now_ms)).is_none()
                    && let Some(session) = self.sessions.get(&token)
                {
                    // It was used since: look again when that is too long ago.
                    waiting.insert((session.used_ms.load(Relaxed), token));
                }
            }
        }
    }
}

pub fn play(fixed: bool) {
    if fixed { serve(&Sharded::new()) } else { serve(&OneLock::new()) }
}

fn serve(cache: &impl Cache) {
    let next = AtomicU64::new(0);
    let open = |now_ms: u64| {
        let token = next.fetch_add(1, Relaxed);
        cache.open(token, Session { user: token, used_ms: AtomicU64::new(now_ms) });
    };
    // They are of all ages, so that at each moment some are over.
    (0..RESTORED).for_each(|number| open(number * LIFETIME.as_millis() as u64 / RESTORED));

    let clock = Clock(Instant::now());
    let (stop, stopped) = mpsc::channel::<()>();
    let mut took: Vec<Duration> = thread::scope(|scope| {
        scope.spawn(|| cache.sweep(&clock, &{ stopped }));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (open, next, clock) = (&open, &next, &clock);
                scope.spawn(move || {
                    let request = |number: u64| {
                        let begin = Instant::now();
                        if number.is_multiple_of(LOG_IN_EVERY) {
                            open(clock.now_ms());
                        }
                        let wanted = checksum(client * REQUESTS + number) % next.load(Relaxed);
                        black_box(cache.touch(wanted, clock.now_ms()));
                        begin.elapsed()
                    };
                    (0..REQUESTS).map(request).collect::<Vec<_>>()
                })
            })
            .collect();
        let took = clients.into_iter().flat_map(|client| client.join().expect("no client panics"));
        let took = took.collect();
        drop(stop);
        took
    });
    let seconds = clock.0.elapsed().as_secs_f64();
    took.sort_unstable();
    let quantile = |per_mille: usize| took[took.len() * per_mille / 1_000].as_secs_f64() * 1e3;
    println!(
        "session_cache: {:.0} requests/s, p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms",
        took.len() as f64 / seconds,
        quantile(500),
        quantile(990),
        quantile(999)
    );
}

/// Takes as long as the rest of a request does; a token comes out of it.
fn checksum(seed: u64) -> u64 {
    (0..WORK).fold(seed + 1, |sum, round| (sum ^ round).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23))
}
