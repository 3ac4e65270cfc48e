//! Objects: their classes, their ids, and their records.
//!
//! Objects of one kind that are created at one site form a class. An id is given at the first use while recording, and
//! goes back to its class when the object is dropped: the next object of the class takes it, so that a program which
//! makes and drops locks all day needs no more ids than it has locks at a time, and counts never mix between classes.
use super::emit::emit;
use super::free_list::FreeList;
use super::local::LOCAL;
use super::memory::{self, Mapped, RECORDING, RECORDS, RUN};
use super::site::{Site, intern, is_of_library};
use crate::clock::ticks;
use lockprof_trace::memory::{IDS, header, record, used};
use lockprof_trace::{Event, Kind, Loss, Party};
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicU64};

/// Classes are few; the table is searched by kind and site.
const CLASSES: usize = 8192;

struct Class {
    /// Kind in the upper byte, address of the site below; 0: free.
    key: AtomicU64,
    free: FreeList,
    live: AtomicI64,
    /// `live` as it was last told.
    told: AtomicI64,
}

static TABLE: [Class; CLASSES] = [const {
    Class { key: AtomicU64::new(0), free: FreeList::new(), live: AtomicI64::new(0), told: AtomicI64::new(0) }
}; CLASSES];

/// A bit for each place of the table that is or is about to be a class's, for who looks at all classes: they are few.
static TAKEN: [AtomicU64; CLASSES / 64] = [const { AtomicU64::new(0) }; CLASSES / 64];

/// All classes that there are, with their numbers.
fn classes() -> impl Iterator<Item = (u32, &'static Class)> {
    TAKEN.iter().enumerate().flat_map(|(word, bits)| {
        let lowest_off = |bits: &u64| Some(bits & bits.wrapping_sub(1));
        let left = std::iter::successors(Some(bits.load(Relaxed)), lowest_off).take_while(|bits| *bits != 0);
        left.map(move |bits| word * 64 + bits.trailing_zeros() as usize)
            .map(|place| (place as u32 + 1, &TABLE[place]))
    })
}

/// The address of a site; 0: not known.
fn address(site: Option<Site>) -> u64 {
    site.map_or(0, |site| std::ptr::from_ref(site).addr() as u64)
}

/// What a class is known by.
fn key(kind: Kind, address: u64) -> u64 {
    (kind as u64) << 56 | address & (u64::MAX >> 8)
}

fn hash(key: u64) -> usize {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize
}

/// The class of objects of this kind created at this site, told in the trace; 0 where there is no room.
pub(crate) fn class_of(kind: Kind, site: Option<Site>) -> u32 {
    class_at(kind, address(site))
}

/// The same by the site's address.
pub(crate) fn class_at(kind: Kind, site: u64) -> u32 {
    let key = key(kind, site);
    for probe in 0..64 {
        let place = (hash(key) + probe) % CLASSES;
        // A load first: what is known must not cost a locked instruction.
        if TABLE[place].key.load(Relaxed) == key {
            return place as u32 + 1;
        }
        TAKEN[place / 64].fetch_or(1 << (place % 64), Relaxed);
        match TABLE[place].key.compare_exchange(0, key, Relaxed, Relaxed) {
            Ok(_) => {
                intern(site & !FIRST_USE);
                tell_class(place as u32 + 1, kind, site, emit);
                return place as u32 + 1;
            }
            Err(there) if there == key => return place as u32 + 1,
            Err(_) => {}
        }
    }
    memory::lost(Loss::Names);
    0
}

fn tell_class(number: u32, kind: Kind, site: u64, mut tell: impl FnMut(&Event<'_>)) {
    let class = number.into();
    tell(&Event::Class { class, kind, site: site & !FIRST_USE, type_name: "".into() });
    if site & FIRST_USE != 0 {
        tell(&Event::MadeByLibrary { class });
    }
}

/// Tells all classes and objects once more, as far as their sites are addresses: some of what told them was lost.
pub(super) fn tell_again(memory: &Mapped, mut tell: impl FnMut(&Event<'_>)) {
    for (number, class) in classes() {
        let key = class.key.load(Relaxed);
        let site = key & (u64::MAX >> 8);
        if let Some(kind) = Kind::from_number(key >> 56).filter(|_| site >> 48 == 0) {
            tell_class(number, kind, site, &mut tell);
        }
    }
    let at = ticks();
    for id in 1..used(memory, header::IDS, IDS) as u32 {
        let meta = memory.record(id, record::META).load(Relaxed);
        let Some(kind) = Kind::from_number(meta & 0xFF).filter(|_| meta >> 8 & 0xFF == 0) else { continue };
        if kind != Kind::Unknown {
            let capacity = memory.record(id, record::CAPACITY).load(Relaxed);
            let capacity = if is_signalled(kind) { 0 } else { capacity };
            tell(&Event::Object { at, object: id.into(), class: meta >> 32, capacity });
        }
    }
}

fn class(number: u32) -> Option<&'static Class> {
    TABLE.get((number as usize).wrapping_sub(1))
}

/// One more, or one less, of a class is alive.
#[inline]
pub(crate) fn population(number: u32, change: i64) {
    if let Some(class) = class(number) {
        class.live.fetch_add(change, Relaxed);
    }
}

/// An id for an object that is used for the first time.
pub(super) fn first_id(kind: Kind, made: Option<Site>, used: Site) -> u32 {
    // Most often an object of the class was dropped here just before: its id needs no look at the class.
    kept(key(kind, address(made))).map_or_else(|| id_by_use(kind, made, used), renewed)
}

/// The same, where this thread kept none. What a library has made (`Arc::default()`, `map(Mutex::new)`), or nobody knows
/// who, is told from others by the line where it is used first.
fn id_by_use(kind: Kind, made: Option<Site>, used: Site) -> u32 {
    if made.is_some_and(|site| !is_of_library(site.file())) || is_of_library(used.file()) {
        return new(kind, made, 0);
    }
    let site = address(Some(used)) | FIRST_USE;
    kept(key(kind, site)).map_or_else(|| new_at(kind, site, 0), renewed)
}

/// In a class's site, which is at an even address: it is where one was used first.
const FIRST_USE: u64 = 1;

/// Gives an id to an object; 0 where there is none.
pub(crate) fn new(kind: Kind, site: Option<Site>, capacity: u64) -> u32 {
    new_at(kind, address(site), capacity)
}

/// The same by the site's address.
pub(crate) fn new_at(kind: Kind, site: u64, capacity: u64) -> u32 {
    let Some(memory) = memory::get() else { return 0 };
    let number = class_at(kind, site);
    let Some(class) = class(number) else { return 0 };
    let id = kept(key(kind, site)).or_else(|| class.free.pop(|id| memory.record(id, record::NEXT)));
    let Some(id) = id.or_else(|| first(memory, kind, number)) else {
        memory.lost(Loss::Objects);
        return 0;
    };
    memory.record(id, record::NEXT).store(0, Relaxed);
    let is_first = begin(memory, id) == 1;
    let told = memory.record(id, record::CAPACITY);
    if is_first || told.load(Relaxed) != capacity {
        told.store(capacity, Relaxed);
        emit(&Event::Object { at: ticks(), object: id.into(), class: number.into(), capacity });
    }
    if counts_population(kind) {
        class.live.fetch_add(1, Relaxed);
    }
    id
}

/// An object begins to have this id; which of its objects that is, from 1.
#[inline]
fn begin(memory: &Mapped, id: u32) -> u64 {
    // Nobody else has the id now, so plain stores do.
    let instances = memory.record(id, record::WAITS);
    let now = instances.load(Relaxed).wrapping_add(1 << 32);
    instances.store(now, Relaxed);
    let meta = memory.record(id, record::META);
    meta.store(meta.load(Relaxed) | LIVE, Release);
    now >> 32
}

/// Another object of the same class has an id that this thread kept.
fn renewed(id: u32) -> u32 {
    memory::get().map_or(0, |memory| {
        begin(memory, id);
        id
    })
}

/// The id was given to no object after all.
pub(super) fn hand_back(id: u32) {
    if let Some(memory) = memory::get().filter(|_| id != 0) {
        let instances = memory.record(id, record::WAITS);
        instances.store(instances.load(Relaxed).wrapping_sub(1 << 32), Relaxed);
    }
    drop_id(id);
}

/// In a record's first word: an object has the id.
const LIVE: u64 = 1 << 16;
/// There besides: it is told how many there are of its class.
const COUNTED: u64 = 1 << 17;
/// There besides: the last signal stands in the record, see [`signalled`].
const SIGNALLED: u64 = 1 << 18;

/// Whether it is waited for by signals.
const fn is_signalled(kind: Kind) -> bool {
    matches!(kind, Kind::Condvar | Kind::StdCondvar | Kind::TokioNotify)
}

/// Of locks and cells it is not told how many there are as time goes on, only at the end: they come and go at a rate at
/// which a shared counter would be the dearest part.
const fn counts_population(kind: Kind) -> bool {
    kind.is_channel() || matches!(kind, Kind::Watcher)
}

/// An id of the class with this key that this thread kept.
fn kept(key: u64) -> Option<u32> {
    LOCAL.with(|local| {
        let slot = &local.kept[hash(key) % local.kept.len()];
        (slot.get().0 == key).then(|| slot.replace((0, 0)).1)
    })
}

/// An id that no object had before, with those behind it for its further counts.
fn first(memory: &Mapped, kind: Kind, class: u32) -> Option<u32> {
    let count = kind.ids();
    let flags = if counts_population(kind) { COUNTED } else { 0 };
    let flags = if is_signalled(kind) { SIGNALLED } else { flags };
    let (mut next, mut end) = LOCAL.with(|local| local.ids.get());
    if end - next < count {
        next = memory.take(RECORDS, RUN)? as u32;
        end = next + RUN as u32;
    }
    LOCAL.with(|local| local.ids.set((next + count, end)));
    for offset in 0..count {
        let meta = u64::from(class) << 32 | u64::from(offset) << 8 | flags | kind as u64;
        memory.record(next + offset, record::META).store(meta, Release);
    }
    Some(next)
}

/// An object is dropped: its id is free for the next of its class.
#[cold]
#[inline(never)]
pub(crate) fn drop_id(id: u32) {
    let Some(memory) = memory::get().filter(|_| id != 0) else { return };
    let meta = memory.record(id, record::META);
    let before = meta.load(Relaxed);
    meta.store(before & !LIVE, Relaxed);
    let number = (before >> 32) as u32;
    let Some(class) = class(number) else { return };
    if before & (COUNTED | SIGNALLED) != 0 || !keep(class.key.load(Relaxed), id) {
        give_back(memory, class, before, id);
    }
}

/// An id goes back to its class; `meta`: the first word of its record.
#[cold]
#[inline(never)]
fn give_back(memory: &Mapped, class: &Class, meta: u64, id: u32) {
    if meta & COUNTED != 0 {
        class.live.fetch_sub(1, Relaxed);
    }
    if meta & SIGNALLED != 0 {
        // The next one has not been signalled.
        memory.record(id, record::CAPACITY).store(0, Relaxed);
    }
    class.free.push(id, |id| memory.record(id, record::NEXT));
}

/// Keeps an id for the next object of the class with this key that this thread makes, if there is room.
#[inline]
fn keep(key: u64, id: u32) -> bool {
    LOCAL.with(|local| {
        let slot = &local.kept[hash(key) % local.kept.len()];
        let keeps = slot.get().0 == 0 && !super::areas::is_nowhere();
        if keeps {
            slot.set((key, id));
        }
        keeps
    })
}

/// What this thread kept goes back to the classes. What is left of its run of ids is lost with it; ids are many, and a
/// run is small.
pub(crate) fn give_back_ids() {
    let Some(memory) = memory::get() else { return };
    LOCAL.with(|local| {
        local.ids.set((0, 0));
        for (_, id) in local.kept.iter().map(|slot| slot.replace((0, 0))).filter(|kept| kept.0 != 0) {
            let number = (memory.record(id, record::META).load(Relaxed) >> 32) as u32;
            if let Some(class) = class(number) {
                class.free.push(id, |id| memory.record(id, record::NEXT));
            }
        }
    });
}

/// The object's own id, of one that stands for one of its counts.
pub(crate) fn own(memory: &Mapped, id: u32) -> u32 {
    id - ((memory.record(id, record::META).load(Relaxed) >> 8 & 0xFF) as u32).min(id)
}

/// Notes who signals, and where, in the record of what is waited for by signals: it has no capacity, nor is it on a list.
pub(crate) fn signalled(id: u32, site: Site, by: Party) {
    if let Some(memory) = memory::get().filter(|_| id != 0 && RECORDING.load(Relaxed)) {
        memory.record(id, record::CAPACITY).store(std::ptr::from_ref(site).addr() as u64, Relaxed);
        memory.record(id, record::NEXT).store(by.0, Relaxed);
    }
}

/// The last signal that was given on an object, if any: by whom, and where.
pub(crate) fn last_signal(memory: &Mapped, id: u32) -> (Party, u64) {
    let word = |which| memory.record(id, which).load(Relaxed);
    (Party(word(record::NEXT)), word(record::CAPACITY))
}

/// How many of this kind are alive, of those whose number is told as time goes on.
pub(super) fn alive(kind: Kind) -> u64 {
    let of_kind = |class: &&Class| class.key.load(Relaxed) >> 56 == kind as u64;
    classes()
        .map(|(_, class)| class)
        .filter(of_kind)
        .map(|class| class.live.load(Relaxed).max(0) as u64)
        .sum()
}

/// Tells how many of each class are alive, where that has changed. For the background thread.
pub(crate) fn tell_populations(at: u64, mut tell: impl FnMut(&Event<'_>)) {
    for (number, class) in classes() {
        let live = class.live.load(Relaxed);
        if class.told.swap(live, Relaxed) != live {
            tell(&Event::Population { at, class: number.into(), live: live.max(0) as u64 });
        }
    }
}
