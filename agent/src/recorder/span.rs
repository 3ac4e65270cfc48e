//! Tracing spans: which one a thread is in, told in the trace where something happens in it.
//!
//! A live span has a slot of a fixed table, written when the span is made and free again when it is closed; a thread keeps
//! the slot of the span that it is in. Spans in which nobody waits, holds or spawns are never told, and cost no more than
//! that. What is told gets a number that is never used again: spans of one place in one enclosing span and with one trace
//! id have one number, however often they are made.
//!
//! Who is interrupted to be sampled cannot tell anything: its span's slot is kept until the sample is told, and each slot
//! keeps that of the span around it.
use super::emit::emit;
use super::free_list::FreeList;
use super::local::LOCAL;
use super::memory;
use super::site::{Known, Put, hash};
use lockprof_trace::{Event, Loss};
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};
use tracing_core::Metadata;

/// Spans that can live at a time.
const SLOTS: usize = 1 << 16;
/// Spans that can be told in one recording.
const TOLD: usize = 1 << 18;
/// Spans around a span that are told: where there are more, the outer ones are left out.
const DEPTH: usize = 32;
/// Bytes of a trace id that are kept: enough for those of W3C, for UUIDs and X-Ray.
const ID_BYTES: usize = 48;
const ID_WORDS: usize = ID_BYTES / 8;

struct Slot {
    next: AtomicU64,
    metadata: AtomicPtr<Metadata<'static>>,
    parent: AtomicU32,
    /// Who needs the slot: its span while it lives, the slots of spans in it, samples that are not told yet. 0: it is free.
    kept: AtomicU32,
    /// 0: not told yet.
    number: AtomicU32,
    /// The trace id, padded with zeros.
    id: [AtomicU64; ID_WORDS],
}

static TABLE: [Slot; SLOTS] = [const {
    Slot {
        next: AtomicU64::new(0),
        metadata: AtomicPtr::new(null_mut()),
        parent: AtomicU32::new(0),
        kept: AtomicU32::new(0),
        number: AtomicU32::new(0),
        id: [const { AtomicU64::new(0) }; ID_WORDS],
    }
}; SLOTS];
static FREE: FreeList = FreeList::new();
/// Slots that were ever used, slot 0 among them, which stands for none.
static USED: AtomicU32 = AtomicU32::new(1);
static NUMBERS: Known<TOLD> = Known::new();

fn slot(number: u32) -> &'static Slot {
    &TABLE[number as usize % SLOTS]
}

/// A trace id while it is put together from what a field's value writes; more than fits is left out.
#[derive(Clone, Copy, Default)]
pub(crate) struct TraceId {
    words: [[u8; 8]; ID_WORDS],
    len: usize,
}

impl TraceId {
    /// What was written.
    #[cfg(tokio_unstable)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.words.as_flattened()[..self.len]
    }
}

impl std::fmt::Write for TraceId {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for (place, byte) in self.words.as_flattened_mut()[self.len..].iter_mut().zip(text.bytes()) {
            *place = byte;
            self.len += 1;
        }
        Ok(())
    }
}

/// A live tracing span. Dropped when the span is closed.
pub(crate) struct Live(u32);

impl Live {
    /// A span is made in another one, or in none. `None` where there is no room for it.
    pub(crate) fn new(metadata: &'static Metadata<'static>, parent: Option<&Live>) -> Option<Self> {
        let new =
            || USED.fetch_update(Relaxed, Relaxed, |used| ((used as usize) < SLOTS).then_some(used + 1)).ok();
        let Some(number) = FREE.pop(|number| &slot(number).next).or_else(new) else {
            memory::lost(Loss::Spans);
            return None;
        };
        let live = slot(number);
        live.metadata.store(std::ptr::from_ref(metadata).cast_mut(), Relaxed);
        let parent = parent.map_or(0, |parent| parent.0);
        if parent != 0 {
            slot(parent).kept.fetch_add(1, Relaxed);
        }
        live.parent.store(parent, Relaxed);
        let new = Self(number);
        new.set_trace_id(&TraceId::default());
        live.kept.store(1, Release);
        Some(new)
    }

    /// It bears this trace id from now on.
    pub(crate) fn set_trace_id(&self, id: &TraceId) {
        let live = slot(self.0);
        live.id.iter().zip(id.words).for_each(|(to, word)| to.store(u64::from_le_bytes(word), Relaxed));
        live.number.store(0, Release);
    }

    /// This thread is in it from now on.
    #[inline]
    pub(crate) fn enter(&self) {
        LOCAL.with(|local| local.span.set(self.0));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        release(self.0);
    }
}

/// One needs this slot less; what nobody needs is free, and the slot around it is needed less in turn.
fn release(mut place: u32) {
    while place != 0 && slot(place).kept.fetch_sub(1, AcqRel) == 1 {
        let parent = slot(place).parent.load(Relaxed);
        FREE.push(place, |number| &slot(number).next);
        place = parent;
    }
}

/// The slot of the span that this thread is in, kept until it is given to [`told`]; 0: it is in none. For a handler of signals.
#[cfg(all(feature = "cpu", target_os = "linux"))]
pub(super) fn keep() -> u32 {
    let place = LOCAL.with(|local| local.span.get());
    let kept = &slot(place).kept;
    // A thread may yet be in a span that was closed: its slot is free, and may be another's soon.
    let keep = |by: u32| (by != 0).then_some(by + 1);
    if place != 0 && kept.fetch_update(Acquire, Relaxed, keep).is_ok() { place } else { 0 }
}

/// The number of the span in a slot that was kept, told in the trace; 0: none.
#[cfg(all(feature = "cpu", target_os = "linux"))]
pub(super) fn told(kept: u32) -> u32 {
    let number = number(kept);
    release(kept);
    number
}

/// This thread is in no span from now on.
#[inline]
pub(crate) fn leave() {
    LOCAL.with(|local| local.span.set(0));
}

/// The number of the span that this thread is in, told in the trace; 0: it is in none.
#[inline]
pub(super) fn current() -> u32 {
    number(LOCAL.with(|local| local.span.get()))
}

/// The number of the span in this slot, told in the trace; 0: there is none.
#[inline]
fn number(place: u32) -> u32 {
    match place {
        0 => 0,
        place => match slot(place).number.load(Acquire) {
            0 => tell(place),
            number => number,
        },
    }
}

/// Tells a span and those around it; its number, or that of the innermost that there was room for.
#[cold]
#[inline(never)]
fn tell(place: u32) -> u32 {
    let (mut chain, mut len, mut around) = ([0; DEPTH], 0, place);
    while around != 0 && len < DEPTH && slot(around).number.load(Acquire) == 0 {
        chain[len] = around;
        len += 1;
        around = slot(around).parent.load(Relaxed);
    }
    let mut parent = if around == 0 || len == DEPTH { 0 } else { slot(around).number.load(Acquire) };
    for place in chain[..len].iter().rev() {
        let Some(number) = tell_one(slot(*place), parent) else { return parent };
        parent = number;
    }
    parent
}

fn tell_one(live: &Slot, parent: u32) -> Option<u32> {
    let address = live.metadata.load(Relaxed);
    // SAFETY: null, or what was stored from a reference that lives for ever.
    let metadata: &'static Metadata<'static> = unsafe { address.as_ref() }?;
    let words = live.id.each_ref().map(|word| word.load(Relaxed));
    let whole = [u64::from(parent), address.addr() as u64].into_iter().chain(words);
    let (place, new) = match NUMBERS.put(hash(whole)) {
        Put::New(place) => (place, true),
        Put::There(place) => (place, false),
        Put::Full => {
            memory::lost(Loss::Spans);
            return None;
        }
    };
    let number = place as u32 + 1;
    if new {
        let bytes = words.map(u64::to_le_bytes);
        let bytes = bytes.as_flattened();
        let id = &bytes[..bytes.iter().position(|byte| *byte == 0).unwrap_or(ID_BYTES)];
        // It may be cut within a character, or written anew meanwhile.
        let id = id.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        emit(&Event::Span {
            span: number.into(),
            parent: parent.into(),
            name: metadata.name().into(),
            target: metadata.target().into(),
            file: metadata.file().unwrap_or_default().into(),
            line: metadata.line().unwrap_or(0).into(),
            trace_id: id.into(),
        });
    }
    live.number.store(number, Release);
    Some(number)
}
