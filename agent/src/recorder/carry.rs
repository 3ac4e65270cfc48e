//! Brings an object's record up to date with what a thread's byte says, so that the sum of both is right at every
//! moment: who reads the memory of a process that was killed has nothing else to go by.
use super::word::Word;
use lockprof_trace::memory::{COUNT_BITS, COUNT_MASK, carrying};
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};

/// Where one thread counts one object.
pub(super) struct Carry<'w, W> {
    pub(super) id: u32,
    /// Of the thread's area, plus one.
    pub(super) number: u64,
    /// What the area tells of a carry under way.
    pub(super) mark: &'w W,
    /// The object's record.
    pub(super) count: &'w W,
}

impl<W: Word> Carry<'_, W> {
    /// Adds `add` to the record and has `set` set the byte to `next`. `false`, and nothing is done, while another thread is
    /// between these two at the same record: one may stop there for long, and nobody waits for it.
    ///
    /// From the one to the other the record bears the area's number: it was added to, and the byte counts as set, to what
    /// the mark in the area says.
    pub(super) fn to(&self, next: u8, add: u64, set: impl FnOnce(u8)) -> bool {
        let mut before = self.count.load(Relaxed);
        // One that a signal handler has interrupted, and that goes on behind this one.
        let interrupted = self.mark.load(Relaxed);
        self.mark.store(carrying(self.id, next), Release);
        while before <= COUNT_MASK {
            let after = before.wrapping_add(add) & COUNT_MASK | self.number << COUNT_BITS;
            match self.count.compare_exchange_weak(before, after, AcqRel, Relaxed) {
                Ok(_) => {
                    set(next);
                    self.count.fetch_and(COUNT_MASK, Release);
                    self.mark.store(interrupted, Release);
                    return true;
                }
                Err(now) => before = now,
            }
        }
        self.mark.store(interrupted, Release);
        false
    }
}

/// Interleavings of two threads: each of them killed after each of its steps, and one that reads what the other counts.
#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use lockprof_trace::memory::{self, PAGE_BYTES, area, counted, header, record, region};
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU64;
    use std::cell::Cell;
    use std::sync::atomic::Ordering::{self, Acquire};

    /// Steps of a use that is carried.
    const STEPS: usize = 7;
    const BLANK: u64 = 255;

    /// A word as a thread writes it that is killed after so many steps: what it would do later does nothing.
    struct Mortal<'w> {
        word: &'w AtomicU64,
        left: &'w Cell<Option<usize>>,
    }

    impl Mortal<'_> {
        fn step<T>(&self, dead: T, alive: impl FnOnce(&AtomicU64) -> T) -> T {
            let left = self.left.get().and_then(|left| left.checked_sub(1));
            self.left.set(left);
            if left.is_some() { alive(self.word) } else { dead }
        }
    }

    impl Word for Mortal<'_> {
        fn load(&self, order: Ordering) -> u64 {
            self.step(0, |word| word.load(order))
        }

        fn store(&self, value: u64, order: Ordering) {
            self.step((), |word| word.store(value, order));
        }

        fn fetch_and(&self, value: u64, order: Ordering) -> u64 {
            self.step(0, |word| word.fetch_and(value, order))
        }

        fn compare_exchange_weak(
            &self,
            current: u64,
            new: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            self.step(Ok(current), |word| word.compare_exchange_weak(current, new, success, failure))
        }
    }

    /// The object's id, and the page of each thread's area; its counters lie on the page behind it.
    const ID: u32 = 7;
    const PAGES: [usize; 2] = [1, 3];

    struct Memory {
        count: AtomicU64,
        marks: [AtomicU64; 2],
        bytes: [AtomicU64; 2],
    }

    impl memory::Memory for Memory {
        fn word(&self, place: usize) -> u64 {
            const COUNT: usize = region::RECORDS + ID as usize * memory::RECORD + record::COUNT;
            let at = |page: usize| region::PAGES_ + page * (PAGE_BYTES / 8);
            let number = |page: usize| page as u64 + 1;
            match place {
                header::AREAS => 2,
                region::DIRECTORY => number(PAGES[0]) | number(PAGES[1]) << 32,
                COUNT => self.count.load(Acquire),
                _ => {
                    let thread = usize::from(place >= at(PAGES[1]));
                    match place - at(PAGES[thread]) {
                        area::CARRYING => self.marks[thread].load(Acquire),
                        area::COUNTERS => number(PAGES[thread] + 1),
                        _ => self.bytes[thread].load(Acquire) << (ID * 8),
                    }
                }
            }
        }
    }

    impl Memory {
        fn new() -> Self {
            let words = |value| [value; 2].map(AtomicU64::new);
            Self { count: AtomicU64::new(0), marks: words(0), bytes: words(BLANK) }
        }

        /// A thread uses the object once, and ends: its byte is given back. How often it has surely been used, and whether it
        /// may have been used once more.
        fn used_by(&self, thread: usize, steps: usize) -> (u64, bool) {
            let left = Cell::new(Some(steps));
            let mortal = |word| Mortal { word, left: &left };
            let (mark, count) = (mortal(&self.marks[thread]), mortal(&self.count));
            let byte = mortal(&self.bytes[thread]);
            let carry = Carry { id: ID, number: thread as u64 + 1, mark: &mark, count: &count };
            let set = |next: u8| byte.store(next.into(), Release);
            if !carry.to(BLANK as u8 - 24, 25, set) {
                count.step(0, |count| count.fetch_add(1, Relaxed));
            }
            let used = u64::from(left.get().is_some());
            let now = byte.load(Relaxed);
            if now != BLANK {
                carry.to(BLANK as u8, now.wrapping_sub(BLANK), set);
            }
            (used, used == 0 && steps != 0)
        }
    }

    #[test]
    fn whenever_threads_are_killed_counts_are_exact() {
        let steps = 0..=2 * STEPS + 1;
        for (first, second) in steps.flat_map(|first| (0..=first).map(move |second| (first, second))) {
            loom::model(move || {
                let memory = Arc::new(Memory::new());
                let other = loom::thread::spawn({
                    let memory = memory.clone();
                    move || memory.used_by(1, second)
                });
                let used = [memory.used_by(0, first), other.join().unwrap()];
                let sure: u64 = used.iter().map(|(used, _)| used).sum();
                let more = used.iter().filter(|(_, more)| *more).count() as u64;
                let (counted, range) = (counted(&*memory, ID), sure..=sure + more);
                assert!(range.contains(&counted), "{counted} of {range:?}; after {first} and {second} steps");
            });
        }
    }

    #[test]
    fn while_a_thread_goes_on_its_count_is_one_that_it_had() {
        // Each preemption of one by the other more takes ten times as long.
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let memory = Arc::new(Memory::new());
            let thread = loom::thread::spawn({
                let memory = memory.clone();
                move || memory.used_by(0, 2 * STEPS + 1)
            });
            let first = counted(&*memory, ID);
            let second = counted(&*memory, ID);
            assert!(first <= second && second <= 1, "{first}, then {second}");
            thread.join().unwrap();
            assert_eq!(counted(&*memory, ID), 1);
        });
    }
}
