//! A thread's event chunk: append, and publish by length.
//!
//! The pool is fixed. A full chunk is left to the background thread, which copies it to the file and gives it back; a
//! thread that finds no free chunk drops the event and counts the drop: it never waits.
use super::free_list::FreeList;
use super::local::{LOCAL, this_thread};
use super::memory::{self, CHUNKS, Mapped, RECORDING};
use super::word::Word;
use crate::platform::prefetch_to_write;
use lockprof_trace::memory::{CHUNK, CHUNK_HEAD, chunk, region};
use lockprof_trace::{Event, Loss, words};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Free chunks, each by its number plus one.
static FREE: FreeList = FreeList::new();

/// Chunks that threads have begun to write.
static TURNS: AtomicU64 = AtomicU64::new(1);

/// Chunks that are kept free at least.
pub(crate) const SPARE: usize = 8;

/// How often there was a reason to copy soon: a thread has filled a chunk, threads have begun as many as are kept free, or
/// somebody wants to know what is in them.
static PRESSED: AtomicU64 = AtomicU64::new(0);

/// States of a chunk besides 0, free: a thread writes into it; nobody will any more.
const WRITTEN: u64 = 1;
const FULL: u64 = 2;

/// Words behind an event whose cache line is fetched as it is written: another core has read it last, and a store that waits
/// for it holds up the unlock that follows.
const AHEAD: usize = 32;

const ROOM: usize = CHUNK - CHUNK_HEAD;

/// Appends an event of which the caller knows which one it is, and that it takes `N` words, and of what happened in a tracing
/// span (0: in none): both events or neither.
#[inline(always)]
pub(super) fn append_fixed<const N: usize>(span: u32, event: Event<'_>) {
    let words: [u64; N] = words::fixed(event);
    let within: [u64; 2] = words::fixed(Event::Within { span: span.into() });
    append_words(if span == 0 { &[] } else { &within }, &words);
}

#[inline(never)]
fn append_words(before: &[u64], event: &[u64]) {
    let Some(memory) = memory::get() else { return };
    append(memory, before.len() + event.len(), |place| {
        let (first, second) = place.split_at(before.len());
        first.iter().zip(before).for_each(|(to, word)| to.store(*word, Relaxed));
        second.iter().zip(event).for_each(|(to, word)| to.store(*word, Relaxed));
    });
}

/// Appends `size` words, which `write` writes, as long as anything is recorded.
#[inline(always)]
pub(super) fn append(memory: &Mapped, size: usize, write: impl FnOnce(&[AtomicU64])) {
    if !RECORDING.load(Relaxed) {
        return;
    }
    if size > ROOM {
        return memory.lost(Loss::Events);
    }
    let local = this_thread();
    if local.writing.replace(true) {
        return append_nested(memory, size, write);
    }
    match room(memory, local.chunk.get(), size) {
        Some(number) => {
            local.chunk.set(number);
            put(words_of(memory, number), size, write);
        }
        None => {
            local.chunk.set(0);
            memory.lost(Loss::Events);
        }
    }
    local.writing.set(false);
}

/// The same in a signal handler that interrupts the writing of an event, and must not write into it: what it has to tell may
/// be a definition, and gets a chunk of its own. Also after [`give_up`].
#[cold]
fn append_nested(memory: &Mapped, size: usize, write: impl FnOnce(&[AtomicU64])) {
    match room(memory, 0, size) {
        Some(number) => {
            put(words_of(memory, number), size, write);
            memory.word(head(number) + chunk::STATE).store(FULL, Release);
            press();
        }
        None => memory.lost(Loss::Events),
    }
}

/// The words of a chunk, by its number plus one.
#[inline(always)]
fn words_of(memory: &Mapped, number: u32) -> &'static [AtomicU64] {
    memory.words_at(head(number), CHUNK)
}

/// Appends what `write` writes into `size` words, for which there is room, and publishes it by the length.
#[inline(always)]
fn put<W: Word>(chunk: &[W], size: usize, write: impl FnOnce(&[W])) {
    let used = chunk[chunk::LEN].load(Relaxed);
    write(&chunk[CHUNK_HEAD + used as usize..][..size]);
    chunk[chunk::LEN].store(used + size as u64, Release);
    prefetch_to_write(chunk.as_ptr().wrapping_add(CHUNK_HEAD + used as usize + AHEAD));
}

/// The chunk, by its number plus one, in which there is room: this one, or else a new one.
#[inline(always)]
fn room(memory: &Mapped, number: u32, size: usize) -> Option<u32> {
    let fits = number != 0 && memory.word(head(number) + chunk::LEN).load(Relaxed) as usize + size <= ROOM;
    if fits { Some(number) } else { fresh(memory, number) }
}

/// A chunk in the place of one that is full, or of none.
#[cold]
#[inline(never)]
fn fresh(memory: &Mapped, full: u32) -> Option<u32> {
    if full != 0 {
        memory.word(head(full) + chunk::STATE).store(FULL, Release);
        press();
    }
    let number = FREE.pop(|number| next(memory, number)).or_else(|| new(memory))?;
    let turn = TURNS.fetch_add(1, Relaxed);
    begin(words_of(memory, number), turn);
    // Threads that come and go take a chunk each, and fill none.
    if turn.is_multiple_of(SPARE as u64) {
        press();
    }
    Some(number)
}

/// A thread begins to write into a free chunk.
fn begin<W: Word>(chunk: &[W], turn: u64) {
    chunk[chunk::TURN].store(turn, Relaxed);
    chunk[chunk::STATE].store(WRITTEN, Release);
}

fn new(memory: &Mapped) -> Option<u32> {
    memory.take(CHUNKS, 1).map(|number| number as u32 + 1)
}

fn head(number: u32) -> usize {
    region::CHUNKS_ + (number as usize - 1) * CHUNK
}

fn next(memory: &Mapped, number: u32) -> &'static AtomicU64 {
    memory.word(head(number) + chunk::NEXT)
}

/// Leaves this thread's chunk to the background thread: the thread ends. What it still writes then, in destructors that run
/// later, gets chunks of its own, which nobody has to come back for.
pub(crate) fn give_up() {
    LOCAL.with(|local| {
        local.writing.set(true);
        let number = local.chunk.replace(0);
        if let Some(memory) = memory::get().filter(|_| number != 0) {
            memory.word(head(number) + chunk::STATE).store(FULL, Release);
        }
    });
}

/// Makes `count` new chunks for threads to come upon, so that it is not one of them that has to ask the system for memory.
pub(crate) fn stock(memory: &Mapped, count: usize) {
    for number in (0..count).map_while(|_| new(memory)) {
        FREE.push(number, |number| next(memory, number));
    }
}

/// What is in the chunks shall be copied soon.
pub(crate) fn press() {
    PRESSED.fetch_add(1, Relaxed);
}

/// How often that was asked for.
pub(crate) fn pressed() -> u64 {
    PRESSED.load(Relaxed)
}

/// Whether chunk `number`, from 0, is in use.
pub(crate) fn is_in_use(memory: &Mapped, number: usize) -> bool {
    memory.word(head(number as u32 + 1) + chunk::STATE).load(Relaxed) != 0
}

/// Whether chunk `number`, from 0, is full and was copied to the end.
pub(crate) fn is_done(memory: &Mapped, number: usize, pass: u64) -> bool {
    done(words_of(memory, number as u32 + 1), pass)
}

fn done<W: Word>(chunk: &[W], pass: u64) -> bool {
    let copied = chunk[chunk::COPIED + (pass & 1) as usize].load(Relaxed);
    chunk[chunk::STATE].load(Acquire) == FULL && chunk[chunk::LEN].load(Relaxed) == copied
}

/// Notes how far chunk `number`, from 0, will have been copied after `pass`.
pub(crate) fn set_copied(memory: &Mapped, number: usize, pass: u64, words: u64) {
    memory.word(head(number as u32 + 1) + chunk::COPIED + (pass & 1) as usize).store(words, Relaxed);
}

/// Gives chunk `number`, from 0, back to the pool.
pub(crate) fn recycle(memory: &Mapped, number: usize) {
    let number = number as u32 + 1;
    clear(words_of(memory, number));
    FREE.push(number, |number| next(memory, number));
}

/// Makes a chunk one that nobody has written into.
fn clear<W: Word>(chunk: &[W]) {
    // In this order, so that the reader of a dead process never takes old events for new ones.
    for word in [chunk::STATE, chunk::LEN, chunk::COPIED, chunk::COPIED + 1] {
        chunk[word].store(0, Release);
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU64 as Modelled;

    /// A chunk with room for two events of one word.
    type Chunk = Vec<Modelled>;

    /// What the background thread does in one pass: copies what is published and was not copied, and gives back what is
    /// done.
    fn pass(chunks: &[Chunk], free: &FreeList<Modelled>, number: u64, copied: &mut Vec<u64>) {
        for (place, chunk) in chunks.iter().enumerate() {
            if chunk[chunk::STATE].load(Acquire) == 0 {
                continue;
            }
            let end = chunk[chunk::LEN].load(Acquire);
            let from = chunk[chunk::COPIED + (number & 1) as usize].load(Relaxed);
            copied.extend((from..end).map(|word| chunk[CHUNK_HEAD + word as usize].load(Relaxed)));
            chunk[chunk::COPIED + ((number + 1) & 1) as usize].store(end, Relaxed);
            if done(chunk, number + 1) {
                clear(chunk);
                free.push(place as u32 + 1, |number| &chunks[number as usize - 1][chunk::NEXT]);
            }
        }
    }

    /// A thread that writes, the background thread that copies and recycles: each event is copied once, whole, and no
    /// word is copied that no event is in.
    #[test]
    fn what_is_published_is_copied_once() {
        loom::model(|| {
            let empty = || -> Chunk { (0..CHUNK_HEAD + 2).map(|_| Modelled::new(0)).collect() };
            let chunks = Arc::new([empty()]);
            let free = Arc::new(FreeList::over(Modelled::new(0)));
            free.push(1, |number| &chunks[number as usize - 1][chunk::NEXT]);
            let writer = loom::thread::spawn({
                let (chunks, free) = (chunks.clone(), free.clone());
                move || {
                    let mut written = vec![];
                    for event in [1, 3] {
                        let next = |number: u32| &chunks[number as usize - 1][chunk::NEXT];
                        // No free chunk: the event is dropped.
                        let Some(number) = free.pop(next) else { continue };
                        let chunk = &chunks[number as usize - 1];
                        begin(chunk, event);
                        for value in [event, event + 1] {
                            put(chunk, 1, |place| place[0].store(value, Relaxed));
                            written.push(value);
                        }
                        chunk[chunk::STATE].store(FULL, Release);
                    }
                    written
                }
            });
            let mut copied = vec![];
            pass(&*chunks, &free, 0, &mut copied);
            let written = writer.join().unwrap();
            (1..3).for_each(|number| pass(&*chunks, &free, number, &mut copied));
            assert_eq!(copied, written);
        });
    }
}
