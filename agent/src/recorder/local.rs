//! What a thread keeps for itself outside of shared memory: pointers into it, and small caches. No destructor, so that it
//! can be used at any time of the thread's life; the end of the thread is noticed by [`Exit`].
use super::area::Area;
use lockprof_trace::Party;
use std::cell::Cell;

pub(crate) struct Local {
    /// Null until the thread first records something.
    pub(crate) area: Cell<*const Area>,
    /// This thread's chunk, by its number plus one; 0: none.
    pub(crate) chunk: Cell<u32>,
    /// The entry of a wait that has ended and is not told yet; 0: there is none.
    pub(crate) ended: Cell<u32>,
    /// An event is being written, or the thread has given up its chunk.
    pub(crate) writing: Cell<bool>,
    /// The stack's addresses.
    pub(crate) stack: Cell<(usize, usize)>,
    /// For draws that need not be good, only cheap and not periodic.
    pub(crate) random: Cell<u32>,
    /// Step of the coarse clock in which holds were last sampled, and how many were.
    pub(crate) sampled: Cell<(u32, u32)>,
    /// Step of the coarse clock in which nestings were last told, and how many were.
    pub(crate) nested: Cell<(u32, u32)>,
    /// What waits now gives up when its time is up.
    pub(crate) limited: Cell<bool>,
    /// Waits begun.
    pub(crate) waits: Cell<u32>,
    /// Next number of a task, and the end of the run of numbers.
    pub(crate) tasks: Cell<(u64, u64)>,
    /// Ids that are this thread's to give out: the next, and the end of the run.
    pub(crate) ids: Cell<(u32, u32)>,
    /// Ids of dropped objects that this thread keeps for the next of their class: the class by its key, and the id.
    pub(crate) kept: [Cell<(u64, u32)>; 16],
    /// Class and parent of this thread and who it is itself, where it was spawned through a wrapper.
    pub(crate) spawned: Cell<(u32, Party, Party)>,
    /// When it was spawned, in ticks.
    pub(crate) spawned_at: Cell<u64>,
    /// The function that this thread was spawned with has panicked.
    pub(crate) panicked: Cell<bool>,
    /// The runtime that this thread works for, see `task::here`.
    pub(crate) runtime: Cell<u32>,
    /// The task whose drop is under way because its runtime shuts down.
    pub(crate) abandoned: Cell<Party>,
    /// The tracing span that this thread is in, by its place in `span`; 0: none.
    #[cfg(feature = "tracing")]
    #[cfg_attr(not(feature = "tracing"), allow(dead_code))]
    pub(crate) span: Cell<u32>,
    /// A task that is recorded is being spawned: what tokio tells of it is not another one.
    #[cfg(all(tokio_unstable, feature = "tracing"))]
    pub(crate) spawns: Cell<bool>,
    /// A future of tokio's is polled whose wait is recorded: what tokio tells of it is not another one.
    #[cfg(all(tokio_unstable, feature = "tracing"))]
    pub(crate) polls: Cell<bool>,
    /// Stacks of the last waits: place on the stack, site, number, uses granted and left.
    pub(crate) stacks: [Cell<(usize, usize, u32, u32)>; 64],
}

thread_local! {
    pub(crate) static LOCAL: Local = const {
        Local {
            area: Cell::new(std::ptr::null()),
            chunk: Cell::new(0),
            ended: Cell::new(0),
            writing: Cell::new(false),
            stack: Cell::new((0, 0)),
            random: Cell::new(0),
            sampled: Cell::new((0, 0)),
            nested: Cell::new((0, 0)),
            limited: Cell::new(false),
            waits: Cell::new(0),
            tasks: Cell::new((0, 0)),
            ids: Cell::new((0, 0)),
            kept: [const { Cell::new((0, 0)) }; 16],
            spawned: Cell::new((0, Party::UNKNOWN, Party::UNKNOWN)),
            spawned_at: Cell::new(0),
            panicked: Cell::new(false),
            runtime: Cell::new(0),
            abandoned: Cell::new(Party::UNKNOWN),
            #[cfg(feature = "tracing")]
            span: Cell::new(0),
            #[cfg(all(tokio_unstable, feature = "tracing"))]
            spawns: Cell::new(false),
            #[cfg(all(tokio_unstable, feature = "tracing"))]
            polls: Cell::new(false),
            stacks: [const { Cell::new((0, 0, 0, 0)) }; 64],
        }
    };
    static EXIT: Exit = const { Exit };
}

/// What this thread keeps, as a reference, so that what uses it is inlined where it stands, which the closure of `with` is not
/// always.
#[inline(always)]
pub(super) fn this_thread() -> &'static Local {
    // SAFETY: it has no destructor, so that it is there as long as the thread; and its cells keep the reference on it.
    unsafe { &*LOCAL.with(std::ptr::from_ref) }
}

/// Dropped when the thread ends.
struct Exit;

impl Drop for Exit {
    fn drop(&mut self) {
        super::areas::thread_ends();
    }
}

/// Asks to be told of this thread's end; `false` where it is too late for that.
pub(crate) fn watch_exit() -> bool {
    EXIT.try_with(|_| ()).is_ok()
}

/// Whether in this step of the coarse clock something was done as often as it may be; `done` keeps the step, and how often.
pub(super) fn is_enough(done: &Cell<(u32, u32)>, step: u32, most: u32) -> bool {
    let (last, count) = done.get();
    let count = if last == step { count + 1 } else { 0 };
    done.set((step, count));
    count >= most
}

/// A number below `limit`, which is not 0: xorshift, seeded by the thread's own address space.
pub(crate) fn draw(limit: u32) -> u32 {
    LOCAL.with(|local| {
        let mut x = local.random.get();
        if x == 0 {
            x = (std::ptr::from_ref(local).addr() >> 4) as u32 | 1;
        }
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        local.random.set(x);
        ((u64::from(x) * u64::from(limit)) >> 32) as u32
    })
}
