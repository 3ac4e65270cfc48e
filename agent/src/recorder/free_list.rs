//! A list of free pieces that threads share: chunks, entries, ids, areas.
use super::word::Word;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// A list of free pieces, last in first out. The head is a number with a tag that changes at each change, so that a head
/// that comes back is not taken for the same list (Treiber's stack, with the usual cure for ABA).
pub(crate) struct FreeList<W = AtomicU64>(W);

impl FreeList {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl<W: Word + 'static> FreeList<W> {
    /// An empty one over this word, which is 0.
    #[cfg(test)]
    pub(crate) const fn over(head: W) -> Self {
        Self(head)
    }

    /// Puts piece `number`, which is not 0, on the list; `next` is the word where it keeps its successor.
    pub(crate) fn push<'w>(&self, number: u32, next: impl Fn(u32) -> &'w W) {
        let mut head = self.0.load(Relaxed);
        loop {
            next(number).store(head & 0xFFFF_FFFF, Relaxed);
            let new = (head >> 32).wrapping_add(1) << 32 | u64::from(number);
            match self.0.compare_exchange_weak(head, new, Release, Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes one off.
    pub(crate) fn pop<'w>(&self, next: impl Fn(u32) -> &'w W) -> Option<u32> {
        let mut head = self.0.load(Acquire);
        loop {
            let number = head as u32;
            if number == 0 {
                return None;
            }
            // It may be taken and used meanwhile: then the tag differs, and what was read here is thrown away.
            let after = next(number).load(Relaxed) & 0xFFFF_FFFF;
            let new = (head >> 32).wrapping_add(1) << 32 | after;
            match self.0.compare_exchange_weak(head, new, Acquire, Acquire) {
                Ok(_) => return Some(number),
                Err(now) => head = now,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn no_piece_is_handed_out_twice() {
        const PIECES: u32 = 3;
        static LIST: FreeList = FreeList::new();
        static NEXT: [AtomicU64; PIECES as usize + 1] = [const { AtomicU64::new(0) }; PIECES as usize + 1];
        static TAKEN: [AtomicBool; PIECES as usize + 1] =
            [const { AtomicBool::new(false) }; PIECES as usize + 1];
        let next = |piece: u32| &NEXT[piece as usize];
        (1..=PIECES).for_each(|piece| LIST.push(piece, next));
        // Miri looks through few of many interleavings at each run, and is slow.
        let rounds = if cfg!(miri) { 10 } else { 20_000 };
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..rounds {
                        let taken = [LIST.pop(next), LIST.pop(next)];
                        for piece in taken.into_iter().flatten() {
                            assert!(!TAKEN[piece as usize].swap(true, Relaxed), "{piece} is taken");
                        }
                        for piece in taken.into_iter().flatten() {
                            TAKEN[piece as usize].store(false, Relaxed);
                            LIST.push(piece, next);
                        }
                    }
                });
            }
        });
        let mut left: Vec<u32> = std::iter::from_fn(|| LIST.pop(next)).collect();
        left.sort_unstable();
        assert_eq!(left, [1, 2, 3], "and none is lost");
    }

    /// Every interleaving, and every value that the memory model lets a thread see.
    #[test]
    #[cfg(not(miri))]
    fn in_no_interleaving_a_piece_is_handed_out_twice() {
        use loom::sync::Arc;
        use loom::sync::atomic::{AtomicBool, AtomicU64};
        loom::model(|| {
            let list = Arc::new(FreeList(AtomicU64::new(0)));
            let next: Arc<[AtomicU64; 3]> = Arc::new([0; 3].map(AtomicU64::new));
            let taken: Arc<[AtomicBool; 3]> = Arc::new([false; 3].map(AtomicBool::new));
            (1..3).for_each(|piece| list.push(piece, |piece| &next[piece as usize]));
            let take = {
                let (list, next, taken) = (list.clone(), next.clone(), taken.clone());
                move || {
                    let piece = list.pop(|piece| &next[piece as usize])?;
                    assert!(!taken[piece as usize].swap(true, Relaxed), "{piece} is taken");
                    Some(piece)
                }
            };
            let give = {
                let (list, next, taken) = (list.clone(), next.clone(), taken.clone());
                move |piece: u32| {
                    taken[piece as usize].store(false, Relaxed);
                    list.push(piece, |piece| &next[piece as usize]);
                }
            };
            let other = loom::thread::spawn({
                let take = take.clone();
                move || {
                    // The first comes back without the second: a head that looks the same is another list.
                    let (first, second) = (take(), take());
                    first.map(give);
                    second
                }
            });
            let mut have = vec![take(), other.join().unwrap(), take(), take()];
            have.retain(Option::is_some);
            have.sort_unstable();
            assert_eq!(have, [Some(1), Some(2)], "and none is lost");
        });
    }
}
