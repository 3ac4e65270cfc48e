//! Handles: guards that may travel between threads, and ends of channels. The entry of each tells who has it, as far as that was
//! seen: who made it or used it last, who was spawned with it, and whether it may lie where others find it.
use super::area::{Area, COARSE};
use super::areas::area;
use super::contained::contained;
use super::emit::emit;
use super::entry::{ABANDONING, free_from, head, take_from, write};
use super::hold::{Ending, tell_hold};
use super::local::LOCAL;
use super::memory::{self, Mapped, RECORDING};
use super::site::{Site, intern};
use crate::clock::ticks;
use crate::platform;
use lockprof_trace::memory::{COARSE_SHIFT, DROPPED, entry, record};
use lockprof_trace::{Event, Kind, Party, Role};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// A live guard that may travel between threads, or an end of a channel: the number of its entry, marked. 0 inside: not
/// recorded.
#[derive(Debug)]
pub(crate) struct Handle(u32);

/// Above the number in a handle, so that it is known where it lies among other bytes: see `moved`.
pub(super) const MARK: u32 = 0x2B64 << 18;
const _: () = assert!(lockprof_trace::memory::ENTRIES == 1 << 18);

/// Where the program's statics lie.
struct Image {
    start: AtomicUsize,
    len: AtomicUsize,
}
static IMAGE: Image = Image { start: AtomicUsize::new(0), len: AtomicUsize::new(0) };

/// Asks where the program's statics lie. Before a recording starts.
pub(crate) fn find_statics() {
    let image = platform::image();
    IMAGE.start.store(image.start, Relaxed);
    IMAGE.len.store(image.len(), Relaxed);
}

impl Handle {
    /// One that is not recorded.
    pub(crate) const NONE: Self = Self(0);

    /// The number of its entry; 0: there is none.
    #[inline(always)]
    fn number(&self) -> u32 {
        self.0 & !MARK
    }

    /// A guard is taken, or an end is made: `count` permits, at `site`, by who runs on this thread.
    #[inline]
    pub(crate) fn open(object: u32, role: Role, site: Site, count: u32) -> Self {
        if object == 0 || !RECORDING.load(Relaxed) {
            Self::NONE
        } else {
            Self::open_slow(object, role, site, count)
        }
    }

    #[inline(never)]
    fn open_slow(object: u32, role: Role, site: Site, count: u32) -> Self {
        let opened = Self::open_since(area(), ticks(), object, role, site, count);
        if matches!(role, Role::Sender | Role::Receiver) {
            opened.may_be_shelved();
        }
        opened
    }

    /// It is noted what this thread has locked last: if it locks more, the handle may be left there for others to find.
    fn may_be_shelved(&self) {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            let area = area();
            memory.entry(self.number())[entry::HOLDER_SITE].store(area.locked_last(), Relaxed);
            area.made(self.number());
        }
    }

    /// A guard of `object` is taken that may travel between threads, and counted by `counted`, which is not 0: `count`
    /// permits, at `site`.
    ///
    /// As for locks that a thread holds, most holds are known by the coarse clock: only some of them read the other.
    #[inline(always)]
    pub(crate) fn guard((object, counted): (u32, u32), role: Role, site: Site, count: u32) -> Self {
        Self(guard_taken(object, counted, role, site, count))
    }

    #[inline(always)]
    fn open_since(area: &Area, since: u64, object: u32, role: Role, site: Site, count: u32) -> Self {
        let Some(memory) = memory::get() else { return Self::NONE };
        let Some(number) = take_from(area, memory) else { return Self::NONE };
        let site = std::ptr::from_ref(site).addr() as u64;
        let words = [area.party.load(Relaxed), site, since, u64::from(count) << 32, 0, 0];
        write(memory, number, words, head(entry::HANDLE, role as u8, object));
        Self(MARK | number)
    }

    /// It is used by who runs on this thread: so that one is its owner.
    #[inline]
    pub(crate) fn used(&self) {
        self.user().used();
    }

    /// It is about to be waited with, where it lies: in a static, it is everybody's.
    #[inline]
    pub(crate) fn lies_here(&self) {
        let at = std::ptr::from_ref(self).addr();
        if at.wrapping_sub(IMAGE.start.load(Relaxed)) < IMAGE.len.load(Relaxed) {
            self.is_global();
        }
    }

    /// It is a permit that was forgotten: nobody will give it back, whoever likes can add another.
    pub(crate) fn is_forgotten(&self) {
        self.is_global();
    }

    #[cold]
    fn is_global(&self) {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            memory.entry(self.number())[entry::HEAD].fetch_or(entry::GLOBAL, Relaxed);
        }
    }

    /// Whoever uses it from now on is not seen to.
    #[cfg(feature = "crossbeam-channel")]
    pub(crate) fn used_unseen(&self) {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            memory.entry(self.number())[entry::PARTY].store(Party::UNKNOWN.0, Relaxed);
        }
    }

    /// What is needed to tell that it is used, by who borrows what it belongs to.
    #[inline]
    pub(crate) fn user(&self) -> User {
        User(self.number())
    }

    /// What it belongs to owns its lock, and may be taken along by what is spawned.
    #[inline]
    pub(crate) fn travels(self) -> Self {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            memory.entry(self.number())[entry::HOLDER].store(entry::TRAVELS, Relaxed);
        }
        self.may_be_shelved();
        self
    }

    /// It stands for this many permits from now on.
    pub(crate) fn set_count(&self, count: u32) {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            memory.entry(self.number())[entry::COUNT].store(u64::from(count) << 32, Relaxed);
        }
    }

    /// Another role from now on: a lock is downgraded.
    pub(crate) fn set_role(&self, role: Role) {
        if let Some(memory) = memory::get().filter(|_| self.0 != 0) {
            let word = &memory.entry(self.number())[entry::HEAD];
            word.store(word.load(Relaxed) & !0xFF00 | (role as u64) << 8, Relaxed);
        }
    }

    /// Leaves the entry open for ever: the guard is forgotten, its lock stays taken.
    pub(crate) fn forget(self) {
        std::mem::forget(self);
    }

    /// It is gone. Of a guard the hold is told, where a tick of the coarse clock fell into it.
    #[inline(never)]
    extern "C" fn close(&self) {
        let Some(memory) = memory::get() else { return };
        let (area, number) = (area(), self.number());
        let words = memory.entry(number);
        let role = Role::from_number(words[entry::HEAD].load(Relaxed) >> 8 & 0xFF);
        let short = words[entry::SINCE].load(Relaxed) == COARSE.0.load(Relaxed) >> 32 << COARSE_SHIFT;
        if !(short && role.is_some_and(Role::is_guard)) || ABANDONING.load(Relaxed) {
            contained((), || self.tell_end(memory));
        }
        // Only now: if the recording ends in between, it is told as alive, not lost.
        free_from(area, memory, number);
        area.guard_closed(number);
    }

    #[cold]
    #[inline(never)]
    fn tell_end(&self, memory: &Mapped) {
        let words = memory.entry(self.number());
        let word = |which: usize| words[which].load(Relaxed);
        let (head, party, site) = (word(entry::HEAD), Party(word(entry::PARTY)), word(entry::SITE));
        let (since, count) = (word(entry::SINCE), word(entry::COUNT) >> 32);
        let moved = entry::moved(head, word(entry::HOLDER));
        let (role, object) = (Role::from_number(head >> 8 & 0xFF), (head >> 32) as u32);
        let Some(role) = role else { return };
        if !RECORDING.load(Relaxed) {
            return;
        }
        if role.is_guard() {
            held(memory, object, role, party, site, since);
        }
        let abandoning = ABANDONING.load(Relaxed);
        if let (Role::Sender | Role::Receiver, false) = (role, abandoning) {
            let counted = object + u32::from(role == Role::Receiver);
            let now = COARSE.0.load(Relaxed) >> 32;
            memory.record(counted, record::HOLD).store(now | DROPPED, Relaxed);
        }
        if abandoning {
            intern(site);
            let by = LOCAL.with(|local| local.abandoned.get());
            let object = object.into();
            emit(&Event::HandleEnd { at: ticks(), object, role, party, site, since, count, by, moved });
        }
    }
}

/// See [`Handle::guard`]; what the handle is made of.
#[inline(never)]
extern "C" fn guard_taken(object: u32, counted: u32, role: Role, site: Site, count: u32) -> u32 {
    let area = area();
    let timed = area.count(counted);
    if !RECORDING.load(Relaxed) {
        return 0;
    }
    let since = if timed { stamp() } else { COARSE.0.load(Relaxed) >> 32 << COARSE_SHIFT };
    let guard = Handle::open_since(area, since, object, role, site, count);
    if guard.0 != 0 {
        area.guard_opened(guard.number());
    }
    ManuallyDrop::new(guard).0
}

/// Tells the uses of a handle that is there as long as this is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User(u32);

impl User {
    /// Of a handle that is not recorded.
    pub(crate) const NONE: Self = Self(0);

    /// It is used by who runs on this thread.
    #[inline]
    pub(crate) fn used(self) {
        self.used_by(area());
    }

    /// The same, and it is counted by `id`, which is not 0.
    #[inline(always)]
    pub(crate) fn counted(self, id: u32) {
        let area = area();
        area.count(id);
        self.used_by(area);
    }

    /// It is used by who runs on the thread that has this area.
    #[inline(always)]
    fn used_by(self, area: &Area) {
        if self.0 == 0 {
            return;
        }
        if let Some(memory) = memory::get() {
            let words = memory.entry(self.0);
            words[entry::PARTY].store(area.party.load(Relaxed), Relaxed);
            // One owner at a time writes; where two share an end, a lost use does no harm.
            let count = &words[entry::COUNT];
            count.store(count.load(Relaxed).wrapping_add(1 << 32), Relaxed);
        }
    }
}

/// When it is, in ticks: of a guard that is timed, whose begin is not on a tick of the coarse clock.
#[cold]
fn stamp() -> u64 {
    ticks() | 1
}

impl Drop for Handle {
    #[inline(always)]
    fn drop(&mut self) {
        if self.0 != 0 {
            self.close();
        }
    }
}

/// The hold of a guard whose holder stands in its entry ends. It is told where a tick of the coarse clock fell into it, or
/// where it was timed: then its begin is not on a tick.
fn held(memory: &Mapped, object: u32, role: Role, party: Party, site: u64, since: u64) {
    let now = (COARSE.0.load(Relaxed) >> 32) as u32;
    let began = (since >> COARSE_SHIFT) as u32;
    let timed = if since & ((1 << COARSE_SHIFT) - 1) == 0 { 0 } else { since };
    if timed == 0 && began == now {
        return;
    }
    // The clock stands still between its ticks, so that a timed hold may have begun after what it shows.
    let began = if now.wrapping_sub(began).cast_signed() < 0 { now } else { began };
    tell_hold(Ending { id: counted(memory, object, role), at: ticks(), began, timed, party, site });
}

/// The id that counts the holds of an object by guards of this role: the one behind a lock's own counts its readers.
pub(super) fn counted(memory: &Mapped, object: u32, role: Role) -> u32 {
    let kind = Kind::from_number(memory.record(object, record::META).load(Relaxed) & 0xFF);
    object + u32::from(role == Role::Shared && kind.is_some_and(|kind| kind.ids() == 2))
}

/// What `from` owned by this entry is `to`'s from now on: it goes along with its spawn, `how` tells as what.
pub(super) fn hand_over(memory: &Mapped, number: u32, from: Party, to: Party, how: u64) {
    let words = memory.entry(number);
    let is_handle = words[entry::HEAD].load(Relaxed) & 0xFF == entry::HANDLE;
    if is_handle && words[entry::PARTY].load(Relaxed) == from.0 {
        words[entry::PARTY].store(to.0, Relaxed);
        words[entry::HOLDER].store(how, Relaxed);
    }
}

/// The channel of which this entry is an end that `maker` has made, and that nobody has used: whoever uses one is known by that.
pub(super) fn own_end(memory: &Mapped, number: u32, maker: Party) -> Option<u32> {
    let words = memory.entry(number);
    let word = |which: usize| words[which].load(Relaxed);
    let head = word(entry::HEAD);
    let is_end = matches!(Role::from_number(head >> 8 & 0xFF), Some(Role::Sender | Role::Receiver));
    let is_own = word(entry::PARTY) == maker.0 && word(entry::COUNT) >> 32 == 0;
    (head & 0xFF == entry::HANDLE && is_end && is_own).then_some((head >> 32) as u32)
}

/// The handle with this number may be where others find it, if `party` has it and its thread has locked anything but what it
/// had locked as the handle was made. Whether that has to be asked again.
pub(super) fn shelve(memory: &Mapped, number: u32, party: Party, locked: &impl Deref<Target = u64>) -> bool {
    let words = memory.entry(number);
    let word = |which: usize| words[which].load(Relaxed);
    let head = word(entry::HEAD);
    if head & 0xFF != entry::HANDLE || head & entry::SHELVED != 0 {
        return false;
    }
    if word(entry::PARTY) != party.0 || word(entry::HOLDER_SITE) == **locked {
        return true;
    }
    // Another thread may drop it now, and use the entry for something else.
    let marked = head | entry::SHELVED;
    let _ = words[entry::HEAD].compare_exchange(head, marked, Relaxed, Relaxed);
    false
}
