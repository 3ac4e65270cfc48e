//! Who is logged in. Every request looks its session up, and a sweeper removes those that were not used for long.

use lockprof::map::SafeMap;
use lockprof::parking_lot::Mutex;
use lockprof::sync::mpsc::{self, RecvTimeoutError, Sender};
use lockprof::thread::{self, JoinHandle};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What a client shows to be known again.
pub type Token = u64;

/// A customer's number.
pub type User = u64;

/// A session that was not used for this long is over.
const LIFETIME: Duration = Duration::from_secs(1800);
/// How often the sweeper looks for sessions that are over.
const SWEEP_EVERY: Duration = Duration::from_millis(10);
/// Sessions that are open when the service starts.
const RESTORED: u64 = 450_000;

/// The sessions of the service.
pub trait Sessions: Send + Sync {
    /// Opens a session.
    fn open(&self, user: User) -> Token;

    /// The user of a session, which counts as used now.
    fn touch(&self, token: Token) -> Option<User>;

    /// Removes the sessions that are over and says how many were.
    fn expire(&self) -> usize;
}

/// Opens the sessions of the service, with those of its last run.
pub fn open(fixed: bool) -> Arc<dyn Sessions> {
    let sessions: Arc<dyn Sessions> = if fixed { Arc::new(Sharded::new()) } else { Arc::new(OneLock::new()) };
    for user in 0..RESTORED {
        sessions.open(user);
    }
    sessions
}

/// All sessions under one lock.
struct OneLock {
    sessions: Mutex<HashMap<Token, (User, Instant)>>,
    next: AtomicU64,
}

impl OneLock {
    fn new() -> Self {
        let sessions = Mutex::new(HashMap::new()); // planted: hot-session-map
        Self { sessions, next: AtomicU64::new(1) }
    }
}

impl Sessions for OneLock {
    fn open(&self, user: User) -> Token {
        let token = self.next.fetch_add(1, Relaxed);
        self.sessions.lock().insert(token, (user, Instant::now()));
        token
    }

    fn touch(&self, token: Token) -> Option<User> {
        let mut sessions = self.sessions.lock(); // planted: session-lookup
        let (user, used) = sessions.get_mut(&token)?;
        *used = Instant::now();
        Some(*user)
    }

    fn expire(&self) -> usize {
        let mut sessions = self.sessions.lock(); // planted: expiry-scan
        let before = sessions.len();
        sessions.retain(|_, (_, used)| used.elapsed() < LIFETIME);
        before - sessions.len()
    }
}

/// Sessions in many maps, so that requests of different sessions seldom meet; and a queue that knows which may be over,
/// so that nobody has to look at all of them.
struct Sharded {
    shards: Vec<SafeMap<Token, Arc<Session>>>,
    due: Mutex<VecDeque<(Instant, Token)>>,
    next: AtomicU64,
    start: Instant,
}

struct Session {
    user: User,
    /// Milliseconds from the start of the service to its last use.
    used_ms: AtomicU64,
}

impl Sharded {
    const SHARDS: u64 = 16;
    /// Sessions that one sweep looks at.
    const BATCH: usize = 256;

    fn new() -> Self {
        let shards = (0..Self::SHARDS).map(|_| SafeMap::new()).collect();
        Self { shards, due: Mutex::new(VecDeque::new()), next: AtomicU64::new(1), start: Instant::now() }
    }

    fn shard(&self, token: Token) -> &SafeMap<Token, Arc<Session>> {
        &self.shards[(token % Self::SHARDS) as usize]
    }

    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// The tokens that may be over, at most a batch of them.
    fn due(&self, now: Instant) -> Vec<Token> {
        let mut due = self.due.lock();
        let ripe = due.iter().take(Self::BATCH).take_while(|(when, _)| *when <= now).count();
        due.drain(..ripe).map(|(_, token)| token).collect()
    }
}

impl Sessions for Sharded {
    fn open(&self, user: User) -> Token {
        let token = self.next.fetch_add(1, Relaxed);
        let session = Arc::new(Session { user, used_ms: AtomicU64::new(self.now_ms()) });
        self.shard(token).insert(token, session);
        self.due.lock().push_back((Instant::now() + LIFETIME, token));
        token
    }

    fn touch(&self, token: Token) -> Option<User> {
        let session = self.shard(token).get(&token)?;
        session.used_ms.store(self.now_ms(), Relaxed);
        Some(session.user)
    }

    fn expire(&self) -> usize {
        let now = Instant::now();
        let mut over = 0;
        for token in self.due(now) {
            let Some(session) = self.shard(token).get(&token) else { continue };
            let used = self.start + Duration::from_millis(session.used_ms.load(Relaxed));
            if used + LIFETIME <= now {
                self.shard(token).remove(&token);
                over += 1;
            } else {
                // Used since: look again when that use is too long ago.
                self.due.lock().push_back((used + LIFETIME, token));
            }
        }
        over
    }
}

/// The thread that removes what is over.
pub struct Sweeper {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Sweeper {
    /// Starts to sweep.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn start(sessions: Arc<dyn Sessions>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let sweep = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(SWEEP_EVERY) {
                sessions.expire();
            }
        };
        let thread = thread::Builder::new().name("sweeper".to_owned()).spawn(sweep)?;
        Ok(Self { stop, thread })
    }

    /// Stops and waits until it has.
    pub fn stop(self) {
        drop(self.stop);
        self.thread.join().expect("the sweeper does not panic");
    }
}
