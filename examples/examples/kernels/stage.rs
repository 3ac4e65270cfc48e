//! The stage on which a kernel plays: which variant, its parties, and the order of their steps.
//!
//! Nothing in here is recorded: flags, and threads that look at them. So the stage is no party of what it stages.
use lockprof::tokio::{self, task::yield_now};
use std::any::Any;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// How often a run looks for its parties at most; those of a broken kernel never come. Looks are counted, not time: where
/// the parties get no core, the run gets none either.
const PATIENCE: u32 = 500;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// What is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// With the bug, and the interleaving that shows it.
    Broken,
    /// The same interleaving without the bug.
    Fixed,
    /// With the bug, but one party after the other.
    NotShown,
    /// With the bug, but the idle end of the channel has one owner and goes with it.
    Dropped,
}

static VARIANT: OnceLock<Variant> = OnceLock::new();
static STEP: AtomicU32 = AtomicU32::new(0);
static PRESENT: AtomicU32 = AtomicU32::new(0);

/// Sets what is played. Once, before all else.
pub fn set(variant: Variant) {
    VARIANT.set(variant).expect("a run has one variant");
}

fn variant() -> Variant {
    *VARIANT.get().expect("the variant is set first")
}

/// Whether the bug is corrected.
pub fn fixed() -> bool {
    variant() == Variant::Fixed
}

fn dropped() -> bool {
    variant() == Variant::Dropped
}

/// Whether the parties are to meet as it takes to show the bug.
pub fn forced() -> bool {
    variant() != Variant::NotShown
}

/// A party that has not come to its end.
struct Present;

impl Present {
    fn new() -> Self {
        PRESENT.fetch_add(1, SeqCst);
        Self
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        PRESENT.fetch_sub(1, SeqCst);
    }
}

/// Spawns a thread as a party. Where the bug is not to be shown, it comes to its end before the next one begins.
#[track_caller]
pub fn party(plays: impl FnOnce() + Send + 'static) {
    let (present, before) = (Present::new(), PRESENT.load(SeqCst));
    lockprof::thread::spawn(move || {
        jitter();
        plays();
        drop(present);
    });
    if !forced() {
        look_until(|| PRESENT.load(SeqCst) < before);
    }
}

/// Waits until it is so, or patience has come to its end.
fn look_until(is_so: impl Fn() -> bool) {
    for _ in 0..PATIENCE {
        if is_so() {
            return;
        }
        std::thread::sleep(LOOK);
    }
}

/// Spawns a task as a party.
#[track_caller]
pub fn task(plays: impl Future<Output = ()> + Send + 'static) {
    let present = Present::new();
    tokio::spawn(async move {
        jitter();
        plays.await;
        drop(present);
    });
}

/// Keeps a value where anybody might look for it, to the end; with `--dropped` it has one owner, and goes here.
pub fn keep(value: impl Send + 'static) {
    static KEPT: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(vec![]);
    if !dropped() {
        KEPT.lock().expect("no party panics here").push(Box::new(value));
    }
}

/// A moment is there.
pub fn reach(step: u32) {
    jitter();
    STEP.fetch_max(step, SeqCst);
}

/// Waits for a moment, where the interleaving is forced.
pub fn until(step: u32) {
    while forced() && STEP.load(SeqCst) < step {
        std::thread::yield_now();
    }
    jitter();
}

/// The same in a task.
pub async fn until_async(step: u32) {
    while forced() && STEP.load(SeqCst) < step {
        yield_now().await;
    }
    jitter();
}

/// Comes to a moment where so many parties meet, where the interleaving is forced.
pub fn meet(parties: u32) {
    STEP.fetch_add(1, SeqCst);
    until(parties);
}

/// The same in a task.
pub async fn meet_async(parties: u32) {
    STEP.fetch_add(1, SeqCst);
    until_async(parties).await;
}

/// Waits until all parties have come to their end, or patience has.
pub fn close() {
    look_until(|| PRESENT.load(SeqCst) == 0);
}

/// The same in a task.
pub async fn close_async() {
    for _ in 0..PATIENCE {
        if PRESENT.load(SeqCst) == 0 {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// With `KERNELS_JITTER=SEED`, a delay of up to 3 ms that the seed decides, a third of the times.
pub fn jitter() {
    static SEED: OnceLock<Option<AtomicU64>> = OnceLock::new();
    let seed = || Some(AtomicU64::new(std::env::var("KERNELS_JITTER").ok()?.parse().ok()?));
    let Some(seed) = SEED.get_or_init(seed) else { return };
    // SplitMix64.
    let mut mixed = seed.fetch_add(0x9E37_79B9_7F4A_7C15, SeqCst);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    if mixed.is_multiple_of(3) {
        std::thread::sleep(Duration::from_micros((mixed >> 32) % 3_000));
    }
}
