//! Tests that leave nothing behind: no thread, no task, no guard, no watcher; what goleak does for Go.
//!
//! ```
//! # fn main() {}
//! #[lockprof::test]
//! fn orders_are_served() {
//!     let worker = lockprof::thread::spawn(|| ());
//!     worker.join().unwrap(); // without it the test fails, and names this line
//! }
//! ```
//!
//! Only what uses lockprof's wrappers is seen, and belongs to the test if it or what it spawned began it. Tasks that are
//! dropped with their runtime are not left behind; those that were stuck until then are. The first of these tests starts a
//! recording, where the environment has not, into a file that is removed in the end.
use crate::live;
use lockprof_engine::Options;
use lockprof_engine::leftovers::Leftovers;
use std::time::{Duration, Instant};

/// For so long may what a test has begun take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A test that runs: made at its begin, asked at its end.
#[derive(Debug)]
#[must_use = "a test is clean if `assert_clean` says so"]
pub struct Scope {
    root: lockprof_trace::Party,
    since: u64,
}

impl Scope {
    /// A test begins, on this thread.
    ///
    /// # Panics
    /// Nothing can be recorded.
    #[track_caller]
    pub fn begin() -> Self {
        if let Err(error) = crate::session::start_scratch() {
            panic!("nothing can be recorded: {error}");
        }
        let (root, since) = live::here();
        Self { root, since }
    }

    /// What lives on of what this thread has begun since. Waits a little for it to end.
    fn leftovers(&self) -> Leftovers {
        let begin = Instant::now();
        loop {
            let Some(model) = live::model() else { return Leftovers::default() };
            let left = Leftovers::of(model, &Options::default(), self.root, self.since);
            if left.is_empty() || begin.elapsed() > PATIENCE {
                return left;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The test is over.
    ///
    /// # Panics
    /// Something that it has begun lives on after two seconds, or is stuck: the message names it, with its line.
    #[track_caller]
    pub fn assert_clean(self) {
        let left = self.leftovers();
        assert!(left.is_empty(), "the test leaves something behind:\n{left}");
    }
}

/// What this thread has begun since it was first recorded is over. To be called at the end of a test.
///
/// # Panics
/// As [`Scope::assert_clean`].
#[track_caller]
pub fn assert_clean() {
    let (root, _) = live::here();
    Scope { root, since: 0 }.assert_clean();
}

/// Runs a test, and then asks what it has left behind. What `#[lockprof::test]` makes of a function.
///
/// # Panics
/// As the test, or as [`Scope::assert_clean`].
#[track_caller]
pub fn run<T>(test: impl FnOnce() -> T) -> T {
    let scope = Scope::begin();
    let result = test();
    scope.assert_clean();
    result
}

/// The same of a test that awaits, on a current-thread runtime of its own.
///
/// # Panics
/// As [`run`]; or there can be no runtime.
#[cfg(feature = "tokio")]
#[track_caller]
pub fn run_async<T>(test: impl Future<Output = T>) -> T {
    run(|| {
        let runtime = crate::tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap_or_else(|error| panic!("no runtime: {error}")).block_on(test)
    })
}
