//! Who acts: a thread or a task.

/// A thread or a task: who waits, holds and works. Numbers are never used again within a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(transparent)]
pub struct Party(pub u64);

impl Party {
    /// Nobody that is known.
    pub const UNKNOWN: Party = Party(0);

    /// The thread with this number, from 1.
    pub const fn thread(number: u64) -> Self {
        Party(number << 1)
    }

    /// The task with this number, from 1.
    pub const fn task(number: u64) -> Self {
        Party(number << 1 | 1)
    }

    /// Whether it is a task.
    pub const fn is_task(self) -> bool {
        self.0 & 1 == 1
    }

    /// Whether it is a thread.
    pub const fn is_thread(self) -> bool {
        self.0 & 1 == 0 && self.0 != 0
    }

    /// Its number among the threads, or among the tasks.
    pub const fn number(self) -> u64 {
        self.0 >> 1
    }
}
