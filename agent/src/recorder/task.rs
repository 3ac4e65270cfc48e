//! Tasks and threads as parties: their births, polls and ends.
use super::area::COARSE;
use super::areas::{area, next_thread, party};
use super::emit::{emit, emit_fixed};
use super::entry::{self, ABANDONING};
use super::local::LOCAL;
use super::memory::{self, RECORDING};
use super::object::{class_at, class_of, population};
use super::site::{Site, site_of};
use crate::clock::ticks;
use lockprof_trace::memory::{COARSE_SHIFT, entry as words};
use lockprof_trace::{Event, Kind, Outcome, Party, TaskState};
use std::num::NonZeroU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};

/// Numbers of tasks are handed to threads in runs, so that spawning shares no counter.
const RUN: u64 = 1024;
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// A live task of the program. Dropped before [`Task::finish`], it was aborted, or its runtime has shut down.
///
/// All else stands in its entry, so that futures do not grow by it.
pub(crate) struct Task {
    entry: NonZeroU32,
    runtime: u32,
}

/// In the last word of a live task's entry, beside its party: it is a task's, and then, somebody asked for its end.
/// What else stands in that word, the number of a free entry, has neither.
const OWNED: u64 = 1 << 62;
const ABORTED: u64 = 1 << 63;
/// There besides: its wakers are counted in the entry, which is theirs too.
const WAKERS: u64 = 1 << 61;

/// A task as those know it who may ask for its end, or wait for it. It may have ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskRef {
    party: Party,
    entry: u32,
}

impl TaskRef {
    /// One that is not recorded.
    pub(crate) const NONE: Self = Self { party: Party::UNKNOWN, entry: 0 };

    /// Who it is.
    pub(crate) fn party(self) -> Party {
        self.party
    }

    /// It is asked to end early: if it is dropped unfinished from now on, it was aborted. Not where it is asked by what a
    /// shutdown drops, since it goes with the shutdown as well.
    pub(crate) fn abort(self) {
        let asked = self.entry != 0 && !super::is_abandoning();
        let Some(memory) = memory::get().filter(|_| asked) else { return };
        // The entry may be another's by now: then the word differs, and stays.
        let alive = |word: u64| word & !WAKERS == OWNED | self.party.0;
        let aborted = |word| alive(word).then_some(word | ABORTED);
        let _ = memory.entry(self.entry)[words::NEXT].fetch_update(Relaxed, Relaxed, aborted);
    }

    /// Counts the clones of its waker from now on, once. For the task itself, while it is polled.
    pub(crate) fn wakers(self) -> Wakers {
        if let Some(memory) = memory::get().filter(|_| self.entry != 0) {
            memory.entry(self.entry)[words::NEXT].fetch_or(WAKERS, Relaxed);
        }
        Wakers { entry: self.entry }
    }

    /// It is woken, while it is polled, by itself.
    pub(crate) fn woken(self) {
        woken(self.entry);
    }
}

/// The wakers of a task that are counted in its entry. The entry is free for others when the task has ended and this is
/// dropped.
pub(crate) struct Wakers {
    entry: u32,
}

impl Wakers {
    /// There is one more.
    #[inline]
    pub(crate) fn cloned(&self) {
        if let Some(memory) = memory::get().filter(|_| self.entry != 0) {
            memory.entry(self.entry)[words::HOLDER_SITE].fetch_add(1, Relaxed);
        }
    }

    /// There is one less.
    #[inline]
    pub(crate) fn dropped(&self) {
        if let Some(memory) = memory::get().filter(|_| self.entry != 0) {
            memory.entry(self.entry)[words::HOLDER_SITE].fetch_sub(1, Relaxed);
        }
    }

    /// The task is woken.
    #[inline]
    pub(crate) fn woken(&self) {
        woken(self.entry);
    }
}

impl Drop for Wakers {
    fn drop(&mut self) {
        let Some(memory) = memory::get().filter(|_| self.entry != 0) else { return };
        let before = memory.entry(self.entry)[words::NEXT].fetch_and(!WAKERS, AcqRel);
        if before & OWNED == 0 {
            entry::free(memory, self.entry);
        }
    }
}

/// Notes that a live task is woken: it is ready, until its next poll begins.
fn woken(number: u32) {
    let Some(memory) = memory::get().filter(|_| number != 0) else { return };
    let head = &memory.entry(number)[words::HEAD];
    if head.load(Relaxed) & (0xFF | words::WOKEN) == words::TASK {
        head.fetch_or(words::WOKEN, Relaxed);
    }
}

impl Task {
    /// A task is spawned at `site`; `None` where nothing is recorded.
    #[inline(always)]
    pub(crate) fn spawn(kind: Kind, site: Site) -> Option<Self> {
        if RECORDING.load(Relaxed) { Self::spawn_recorded(kind, site) } else { None }
    }

    #[inline(never)]
    fn spawn_recorded(kind: Kind, site: Site) -> Option<Self> {
        // A future's wakers are counted: none is cloned yet. A blocking job has none.
        let task = Self::spawn_at(kind, site_of(site), u64::from(kind == Kind::Task))?;
        super::plain::spawns();
        Some(task)
    }

    /// The same at a site by its address, with so many wakers as an entry has them.
    pub(crate) fn spawn_at(kind: Kind, site: u64, wakers: u64) -> Option<Self> {
        let memory = memory::get().filter(|_| RECORDING.load(Relaxed))?;
        let entry = NonZeroU32::new(entry::take(memory)?)?;
        let task = Party::task(number());
        let class = class_at(kind, site);
        let (parent, at) = (party(), ticks());
        let runtime = here();
        let polled_by = (runtime & !DRIVEN).into();
        let event = Event::Task { at, task, parent, class: class.into(), runtime: polled_by };
        emit_fixed::<6>(super::span::current(), event);
        population(class, 1);
        let head = words::TASK | (TaskState::New as u64) << 8 | u64::from(class) << 32;
        memory.entry(entry.get())[words::NEXT].store(OWNED | task.0, Relaxed);
        entry::write(memory, entry.get(), [task.0, site, at, 0, 0, wakers], head);
        Some(Self { entry, runtime })
    }

    /// Its entry: there is one, since the memory stays once it was made.
    #[inline(always)]
    fn open(&self) -> Option<&'static [AtomicU64]> {
        Some(memory::get()?.entry(self.entry.get()))
    }

    #[inline(always)]
    fn word(&self, which: usize) -> u64 {
        self.open().map_or(0, |words| words[which].load(Relaxed))
    }

    fn party(&self) -> Party {
        Party(self.word(words::PARTY))
    }

    fn class(&self) -> u32 {
        (self.word(words::HEAD) >> 32) as u32
    }

    /// What others may keep of it.
    pub(crate) fn reference(&self) -> TaskRef {
        TaskRef { party: self.party(), entry: self.entry.get() }
    }

    /// A poll begins: until the result is dropped, what this thread does is done by the task.
    #[inline]
    pub(crate) fn poll(&mut self) -> Option<Polling> {
        let open = self.open()?;
        let polls = open[words::COUNT].load(Relaxed) + 1;
        open[words::COUNT].store(polls, Relaxed);
        open[words::HOLDER].store(COARSE.0.load(Relaxed) >> 32 << COARSE_SHIFT, Relaxed);
        runs(open);
        if self.runtime == 0 && polls == 1 {
            self.first_polled();
        }
        let _works = InRuntime::enter(if self.runtime == 0 { here() } else { self.runtime });
        let before = area().switch(Party(open[words::PARTY].load(Relaxed)));
        Some(Polling { before, entry: self.entry.get(), _works })
    }

    /// A task that was spawned on a set of local tasks is known to be polled by a runtime where that has no other threads.
    #[cold]
    fn first_polled(&mut self) {
        let runtime = here();
        if runtime & DRIVEN != 0 {
            self.runtime = runtime;
            let (at, task, class, runtime) =
                (ticks(), self.party(), self.class().into(), (runtime & !DRIVEN).into());
            emit(&Event::Task { at, task, parent: Party::UNKNOWN, class, runtime });
        }
    }

    fn is_aborted(&self) -> bool {
        self.word(words::NEXT) & ABORTED != 0
    }

    /// It returned or panicked.
    pub(crate) fn finish(mut self, outcome: Outcome) {
        self.end(outcome);
        std::mem::forget(self);
    }

    /// It is about to be dropped unfinished. Until the result is dropped, what this thread does belongs to that: guards
    /// and waits that go with a task whose runtime shuts down count as held and blocked to the end.
    pub(crate) fn dropping(&self) -> Dropping {
        let shutdown = !self.is_aborted();
        let abandoned = if shutdown { self.party() } else { Party::UNKNOWN };
        if shutdown {
            ABANDONING.store(true, Relaxed);
            self.tell_open();
        }
        Dropping {
            before: area().switch(self.party()),
            abandoned: LOCAL.with(|local| local.abandoned.replace(abandoned)),
        }
    }

    /// Tells what the task was doing, unless it has been woken: the shutdown may have done that.
    fn tell_open(&self) {
        let parked = (TaskState::Parked as u64) << 8;
        if self.word(words::HEAD) & (0xFF00 | words::WOKEN) == parked {
            let (task, state, polls) = (self.party(), TaskState::Parked, self.word(words::COUNT));
            let (polled, wakers) = (self.word(words::HOLDER), self.word(words::HOLDER_SITE));
            emit(&Event::OpenTask { task, state, polls, polled, wakers });
        }
    }

    fn end(&mut self, outcome: Outcome) {
        let Some(memory) = memory::get() else { return };
        let (task, class, polls) = (self.party(), self.class(), self.word(words::COUNT));
        let open = memory.entry(self.entry.get());
        // Nobody else's abort may hit what comes after.
        open[words::HEAD].store(0, Release);
        let before = open[words::NEXT].fetch_and(WAKERS, AcqRel);
        // Else its wakers still count there, and free it.
        if before & WAKERS == 0 {
            entry::free(memory, self.entry.get());
        }
        population(class, -1);
        emit_fixed::<5>(0, Event::TaskEnd { at: ticks(), task, outcome, polls });
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.end(if self.is_aborted() { Outcome::Aborted } else { Outcome::Dropped });
    }
}

/// A poll begins: what has woken the task until now is answered by it.
fn runs(open: &[AtomicU64]) {
    let head = &open[words::HEAD];
    let kept = head.load(Relaxed) & !(0xFF00 | words::WOKEN);
    head.store(kept | (TaskState::Running as u64) << 8, Release);
}

/// A poll is over. Who wakes the task at this very moment must not be missed: nobody else may do so again.
fn parks(open: &[AtomicU64]) {
    let flipped = (TaskState::Running as u64 ^ TaskState::Parked as u64) << 8;
    open[words::HEAD].fetch_xor(flipped, AcqRel);
}

fn number() -> u64 {
    LOCAL.with(|local| {
        let (mut next, mut end) = local.tasks.get();
        if next == end {
            next = NUMBERS.fetch_add(RUN, Relaxed);
            end = next + RUN;
        }
        local.tasks.set((next + 1, end));
        next
    })
}

/// While this lives, the thread works for a task; put back on a panic too.
pub(crate) struct Polling {
    before: Party,
    entry: u32,
    _works: InRuntime,
}

impl Drop for Polling {
    #[inline]
    fn drop(&mut self) {
        area().switch(self.before);
        if let Some(memory) = memory::get() {
            parks(memory.entry(self.entry));
        }
    }
}

/// Beside the number of a runtime: it has no threads of its own, and whoever blocks on it polls its tasks.
pub(crate) const DRIVEN: u32 = 1 << 31;

/// The runtime that this thread works for, as an object and with [`DRIVEN`]; 0: none that is known.
pub(crate) fn here() -> u32 {
    LOCAL.with(|local| local.runtime.get())
}

/// While this lives, the thread works for a runtime: what it spawns belongs there.
pub(crate) struct InRuntime(u32);

impl InRuntime {
    /// For this one from now on, as [`here`] tells it.
    #[inline]
    pub(crate) fn enter(runtime: u32) -> Self {
        Self(LOCAL.with(|local| local.runtime.replace(runtime)))
    }
}

impl Drop for InRuntime {
    #[inline]
    fn drop(&mut self) {
        LOCAL.with(|local| local.runtime.set(self.0));
    }
}

/// While this lives, an unfinished task is being dropped.
pub(crate) struct Dropping {
    before: Party,
    abandoned: Party,
}

impl Drop for Dropping {
    fn drop(&mut self) {
        area().switch(self.before);
        LOCAL.with(|local| local.abandoned.set(self.abandoned));
    }
}

/// A thread that is to be spawned: made by the parent, begun by the thread itself.
pub(crate) struct NewThread {
    class: u32,
    parent: Party,
    thread: Party,
    at: u64,
}

impl NewThread {
    /// Of a thread that is spawned at `site`; `None` where nothing is recorded.
    pub(crate) fn spawn(site: Site) -> Option<Self> {
        if !RECORDING.load(Relaxed) {
            return None;
        }
        let class = class_of(Kind::Thread, Some(site));
        population(class, 1);
        Some(Self { class, parent: party(), thread: next_thread(), at: ticks() })
    }

    /// Who it will be, for who waits for its end.
    pub(crate) fn party(&self) -> Party {
        self.thread
    }

    /// The thread runs.
    pub(crate) fn begin(&self) {
        LOCAL.with(|local| {
            local.spawned.set((self.class, self.parent, self.thread));
            local.spawned_at.set(self.at);
        });
        super::unseen::enter();
        party();
    }
}

impl Drop for NewThread {
    fn drop(&mut self) {
        // Where it was not begun, the thread could not be spawned, and this is its parent.
        let here = LOCAL.with(|local| local.spawned.get()).2 == self.thread;
        if here && std::thread::panicking() {
            // When the thread ends, the panic will have been caught.
            LOCAL.with(|local| local.panicked.set(true));
        }
        population(self.class, -1);
    }
}
