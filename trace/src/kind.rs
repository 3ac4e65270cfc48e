//! What can be recorded: the kinds of object, the operations that wait on them, and how waits, tasks and handles end.
//!
//! Each is a closed list with a number in the trace and a name for people. A number, once given, never changes its meaning.

/// Declares an enum whose variants have a number in the trace and a name for people.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum $name { $($(#[$vdoc])* $variant = $number,)* }

        impl $name {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, as reports print it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one with this number in a trace, if this version knows it.
            pub const fn from_number(number: u64) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

names! {
    /// The kind of a recorded object.
    Kind {
        /// A kind that this version does not know.
        Unknown = 0 "unknown",
        /// `parking_lot::Mutex`.
        Mutex = 1 "parking_lot::Mutex",
        /// `parking_lot::FairMutex`.
        FairMutex = 2 "parking_lot::FairMutex",
        /// `parking_lot::ReentrantMutex`.
        ReentrantMutex = 3 "parking_lot::ReentrantMutex",
        /// `parking_lot::RwLock`.
        RwLock = 4 "parking_lot::RwLock",
        /// `parking_lot::Condvar`.
        Condvar = 5 "parking_lot::Condvar",
        /// `parking_lot::Once`.
        Once = 6 "parking_lot::Once",
        /// `std::sync::Mutex`.
        StdMutex = 10 "std::sync::Mutex",
        /// `std::sync::RwLock`.
        StdRwLock = 11 "std::sync::RwLock",
        /// `std::sync::Condvar`.
        StdCondvar = 12 "std::sync::Condvar",
        /// `std::sync::Barrier`.
        StdBarrier = 13 "std::sync::Barrier",
        /// `std::sync::Once`, `OnceLock` and `LazyLock`.
        StdOnce = 14 "std::sync::Once",
        /// `std::sync::mpsc`.
        StdChannel = 15 "std::sync::mpsc",
        /// `tokio::sync::Mutex`.
        TokioMutex = 20 "tokio::sync::Mutex",
        /// `tokio::sync::RwLock`.
        TokioRwLock = 21 "tokio::sync::RwLock",
        /// `tokio::sync::Semaphore`.
        TokioSemaphore = 22 "tokio::sync::Semaphore",
        /// `tokio::sync::mpsc::channel`.
        TokioChannel = 23 "tokio::sync::mpsc",
        /// `tokio::sync::mpsc::unbounded_channel`.
        TokioUnbounded = 24 "tokio::sync::mpsc (unbounded)",
        /// `tokio::sync::oneshot`.
        TokioOneshot = 25 "tokio::sync::oneshot",
        /// `tokio::sync::broadcast`.
        TokioBroadcast = 26 "tokio::sync::broadcast",
        /// `tokio::sync::watch`.
        TokioWatch = 27 "tokio::sync::watch",
        /// `tokio::sync::Notify`.
        TokioNotify = 28 "tokio::sync::Notify",
        /// `tokio::sync::Barrier`.
        TokioBarrier = 29 "tokio::sync::Barrier",
        /// `tokio::sync::OnceCell`.
        TokioOnceCell = 30 "tokio::sync::OnceCell",
        /// A runtime of tokio.
        Runtime = 31 "tokio::runtime",
        /// A lock, semaphore, barrier or oneshot channel of tokio that is used plainly: it tells of waits, not of holders.
        TokioResource = 32 "tokio resource",
        /// `once_cell::sync`.
        OnceCell = 40 "once_cell::sync",
        /// `lockprof::map::SafeMap`.
        SafeMap = 50 "lockprof::map::SafeMap",
        /// `lockprof::map::SnapshotMap`.
        SnapshotMap = 51 "lockprof::map::SnapshotMap",
        /// `lockprof::map::StateMap`.
        StateMap = 52 "lockprof::map::StateMap",
        /// A shard of a `dashmap::DashMap`.
        DashMap = 53 "dashmap::DashMap shard",
        /// `lockprof::map::Versions`.
        Versions = 54 "lockprof::map::Versions",
        /// `crossbeam_channel`.
        CrossbeamChannel = 60 "crossbeam_channel",
        /// `lockprof::watch::Watcher`.
        Watcher = 70 "lockprof::watch::Watcher",
        /// `lockprof::wait_group::WaitGroup`.
        WaitGroup = 71 "lockprof::wait_group::WaitGroup",
        /// All tasks spawned at one line.
        Task = 80 "task",
        /// All blocking jobs spawned at one line.
        BlockingTask = 81 "blocking task",
        /// All threads spawned at one line.
        Thread = 82 "thread",
    }
}

impl Kind {
    /// How many ids an object of this kind takes, one for each thing that is counted: see [`Count`].
    pub const fn ids(self) -> u32 {
        match self {
            _ if self.is_map() => 4,
            Kind::TokioBroadcast => 4,
            Kind::RwLock | Kind::StdRwLock | Kind::TokioRwLock => 2,
            Kind::StdChannel
            | Kind::TokioChannel
            | Kind::TokioUnbounded
            | Kind::TokioOneshot
            | Kind::CrossbeamChannel => 3,
            Kind::TokioWatch | Kind::TokioNotify => 2,
            _ => 1,
        }
    }

    /// Whether it is a map: its writes, reads, inserts and removes are counted.
    const fn is_map(self) -> bool {
        matches!(self, Kind::SafeMap | Kind::SnapshotMap | Kind::StateMap | Kind::DashMap | Kind::Versions)
    }

    /// What the id at this offset from the object's own counts.
    pub const fn count(self, offset: u32) -> Count {
        match (self, offset) {
            (Kind::RwLock | Kind::StdRwLock | Kind::TokioRwLock, 0) => Count::Writes,
            (Kind::RwLock | Kind::StdRwLock | Kind::TokioRwLock, _) => Count::Reads,
            (_, 0) if self.is_map() => Count::Writes,
            (_, 1) if self.is_map() => Count::Reads,
            (_, 2) if self.is_map() => Count::Inserts,
            _ if self.is_map() => Count::Removes,
            (Kind::Watcher, _) => Count::Deliveries,
            _ if self.ids() >= 2 && offset == 0 => Count::Sends,
            _ if self.ids() >= 2 && offset == 1 => Count::Receives,
            _ if self.ids() >= 2 && offset == 2 => Count::Failures,
            _ if self.ids() >= 2 => Count::Lags,
            _ => Count::Acquisitions,
        }
    }

    /// The two ends of a channel, a watch or a notifier are told apart; a lock has none.
    #[inline]
    pub const fn is_channel(self) -> bool {
        matches!(self.count(0), Count::Sends)
    }
}

/// The threads of a runtime, which the capacity of its object tells: workers in the lower half, those for blocking jobs in the
/// upper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threads {
    /// Threads that poll its tasks.
    pub workers: usize,
    /// Threads that run blocking jobs, at most; 0 where not known.
    pub blocking: usize,
}

impl Threads {
    /// As a capacity.
    pub fn as_capacity(self) -> u64 {
        let half = |threads: usize| u64::from(u32::try_from(threads).unwrap_or(u32::MAX));
        half(self.workers) | half(self.blocking) << 32
    }

    /// Of a capacity.
    pub fn of_capacity(capacity: u64) -> Self {
        Self { workers: (capacity as u32) as usize, blocking: (capacity >> 32) as usize }
    }
}

names! {
    /// What an id counts.
    Count {
        /// Times the object was acquired.
        Acquisitions = 0 "acquisitions",
        /// Times it was acquired for writing.
        Writes = 1 "writes",
        /// Times it was acquired for reading.
        Reads = 2 "reads",
        /// Messages sent, or notifications given.
        Sends = 3 "sends",
        /// Messages received, or notifications taken.
        Receives = 4 "receives",
        /// Keys put into a map.
        Inserts = 5 "inserts",
        /// Keys taken out of a map.
        Removes = 6 "removes",
        /// Values delivered to a watcher.
        Deliveries = 7 "deliveries",
        /// Sends that were refused: no room, no time left, or nobody to receive.
        Failures = 8 "failed sends",
        /// Receives that were told that messages have been missed.
        Lags = 9 "lags",
    }
}

names! {
    /// What a party does while it waits.
    Operation {
        /// An operation that this version does not know.
        Unknown = 0 "wait",
        /// Acquires a mutex.
        Lock = 1 "lock",
        /// Acquires a lock for reading.
        Read = 2 "read",
        /// Acquires a lock for writing.
        Write = 3 "write",
        /// Acquires a lock for reading, with the right to upgrade.
        UpgradableRead = 4 "upgradable_read",
        /// Makes a write lock of an upgradable one: waits for the readers to leave.
        Upgrade = 5 "upgrade",
        /// Waits on a condition variable.
        CondvarWait = 6 "condvar wait",
        /// Sends into a channel: waits for room.
        Send = 7 "send",
        /// Reserves room in a channel.
        Reserve = 8 "reserve",
        /// Receives from a channel: waits for a message.
        Recv = 9 "recv",
        /// Acquires permits of a semaphore.
        Acquire = 10 "acquire",
        /// Waits for a task or thread to end.
        Join = 11 "join",
        /// Waits for a value to change.
        Changed = 12 "changed",
        /// Waits to be notified.
        Notified = 13 "notified",
        /// Waits at a barrier.
        Barrier = 14 "barrier wait",
        /// Initialises a cell, or waits for who does.
        Init = 15 "init",
        /// Waits until the other end is closed.
        Closed = 16 "closed",
        /// Blocks a thread on a future.
        BlockOn = 17 "block_on",
        /// A task gives its thread to others until it is woken.
        Await = 18 "await",
    }
}

impl Count {
    /// Whether what is counted are acquisitions of a lock, of whatever sort.
    pub const fn is_acquisition(self) -> bool {
        matches!(self, Count::Acquisitions | Count::Writes | Count::Reads)
    }
}

impl Operation {
    /// Whether it waits for a signal, which only reaches who waits by then.
    pub const fn is_signal(self) -> bool {
        matches!(self, Operation::CondvarWait | Operation::Notified)
    }
}

names! {
    /// How a wait ended.
    WaitEnd {
        /// It got what it waited for.
        Done = 0 "done",
        /// Its time was up.
        TimedOut = 1 "timed out",
        /// Its future was dropped while pending: `select!`, a timeout, an abort.
        Cancelled = 2 "cancelled",
        /// The other end is gone, and it was told so.
        Disconnected = 3 "disconnected",
        /// Its task was dropped while it waited, because the runtime shut down: blocked to the end.
        Abandoned = 4 "abandoned",
    }
}

names! {
    /// What a write of a state came to.
    Change {
        /// It met what it expected, and may follow it.
        Accepted = 0 "accepted",
        /// It overwrote a state without looking at it.
        Blind = 1 "blind overwrite",
        /// The same, against the declared transitions.
        Illegal = 2 "illegal overwrite",
        /// Refused: another state was there than the expected one.
        Stale = 3 "refused: another state is there",
        /// Refused: the transition is not declared.
        Forbidden = 4 "refused: illegal transition",
        /// Refused: the key was not there.
        Absent = 5 "refused: no such key",
        /// Refused: the key was there already.
        Exists = 6 "refused: the key is there",
    }
}

names! {
    /// How a task or a thread ended.
    Outcome {
        /// It returned.
        Finished = 0 "finished",
        /// It panicked.
        Panicked = 1 "panicked",
        /// It was aborted: by a handle, or by the drop of its set.
        Aborted = 2 "aborted",
        /// It was dropped unfinished, by the shutdown of its runtime.
        Dropped = 3 "dropped",
    }
}

names! {
    /// What a live value in the program is to the object that it belongs to.
    Role {
        /// A guard that excludes all others.
        Exclusive = 0 "exclusive guard",
        /// A guard that others may share.
        Shared = 1 "shared guard",
        /// A read guard with the right to upgrade.
        Upgradable = 2 "upgradable guard",
        /// Permits of a semaphore.
        Permit = 3 "permit",
        /// The sending end of a channel.
        Sender = 4 "sender",
        /// The receiving end of a channel.
        Receiver = 5 "receiver",
        /// A registered subscription.
        Watcher = 6 "watcher",
        /// The right to wait for a task's or thread's end.
        JoinHandle = 7 "join handle",
        /// It works for a runtime outside of its workers: by `block_on` of one that has none, or by `block_in_place`.
        Driver = 8 "driver",
    }
}

impl Role {
    /// Whether it keeps others out, or takes from what they can have: a guard of a lock, or permits.
    pub const fn is_guard(self) -> bool {
        matches!(self, Role::Exclusive | Role::Shared | Role::Upgradable | Role::Permit)
    }
}

names! {
    /// How a hold's length is known.
    HoldSource {
        /// A tick of the coarse clock fell into it: its end is exact, its length known to one tick.
        Coarse = 0 "coarse",
        /// It was one of those that are timed.
        Sampled = 1 "sampled",
        /// Every hold is timed (`full` mode).
        Full = 2 "full",
    }
}

names! {
    /// What a party that lives at the end of the recording was doing.
    TaskState {
        /// It was never polled.
        New = 0 "never polled",
        /// It is being polled.
        Running = 1 "running",
        /// Its last poll returned `Pending`.
        Parked = 2 "parked",
        /// It was woken and has not been polled since.
        Ready = 3 "ready",
    }
}

names! {
    /// Why something is missing from the trace.
    Loss {
        /// No free event chunk: an event was dropped.
        Events = 0 "events",
        /// No free id: an object is not told apart, nor counted.
        Objects = 1 "objects",
        /// No free entry: a wait, a handle or a task is not known.
        Entries = 2 "entries",
        /// No memory for a thread's own counters: it counted in the shared records.
        Areas = 3 "thread areas",
        /// A lock taken deeper than the list of held locks is long.
        Holds = 4 "holds",
        /// The trace reached its size limit.
        Limit = 5 "size limit",
        /// The trace file could not be written.
        Disk = 6 "disk",
        /// No room in the table of sites, classes or stacks.
        Names = 7 "names",
        /// The trace reached its size limit and works as a flight recorder: the oldest of what happened made room.
        Oldest = 8 "oldest events",
        /// No room for a tracing span: what happens in it is told of the one around it.
        Spans = 9 "spans",
        /// No place for a CPU sample until the background thread comes by.
        Samples = 10 "CPU samples",
    }
}

names! {
    /// How a recording ended.
    End {
        /// It was finished: by its guard, or when the process exited.
        Finished = 0 "finished",
        /// The process died, and what it left in shared memory was collected.
        Collected = 1 "killed",
        /// The file ends without an end: the process still runs, or its memory is gone.
        Cut = 2 "cut off",
    }
}

names! {
    /// What is recorded.
    Mode {
        /// Nothing.
        Off = 0 "off",
        /// Waits, counts, lives, long and sampled holds: meant for production.
        Profile = 1 "profile",
        /// Each acquire and release time-stamped besides.
        Full = 2 "full",
    }
}
