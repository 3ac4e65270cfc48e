//! Pressure that shows only from outside: polls that last while other tasks are ready, and messages that gather in channels.
//! The background thread looks at what the program writes anyway; the program does nothing for it.
//!
//! A thread without a core makes no long poll: the time that the system had it wait for one is taken off, and where that is
//! not known nothing is told. Nor does a thread that sleeps until another one has a core again, which may hold what it waits for,
//! if only the allocator: the time that any thread had to wait for one is taken off as well. So it is with a look that
//! comes late itself: what was seen before counts no longer.
use super::areas;
use super::memory::Mapped;
use crate::clock::ticks;
use crate::platform::{self, Progress, monotonic_ns};
use lockprof_trace::memory::{ENTRIES, counted, entry, header, record, used};
use lockprof_trace::{Event, Kind, Party, Role, TaskState};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A poll is long from here on, counted from the second look that saw it.
const LONG_NS: u64 = 10_000_000;
/// A look that comes later than this after the one before cannot tell what was in between.
const LATE_NS: u64 = 200_000_000;
/// Entries for which each turn is used; where there are more, a look at all of them is worth several turns.
const ENTRIES_A_TURN: usize = 16 << 10;
/// Ready tasks that are looked after, and channels.
const READY: usize = 1_024;
const CHANNELS: usize = 256;
/// Threads that are asked how long they have waited for a core: the oldest ones, since each takes some microseconds.
const ASKED: usize = 64;
/// Messages that wait in a channel, from which on it is told.
const GATHERED: u64 = 64;
/// And again where they are more, or less, by one in so many.
const CHANGED: u64 = 8;

/// Whether a look at all entries is due; `skipped` keeps how many were not.
pub(super) fn is_turn(memory: &Mapped, skipped: &mut usize) -> bool {
    let due = *skipped >= used(memory, header::ENTRIES, ENTRIES) / ENTRIES_A_TURN;
    *skipped = if due { 0 } else { *skipped + 1 };
    due
}

/// A poll that was running at a look: which of its task it is.
struct Poll {
    task: Party,
    polls: u64,
    /// From the second look on.
    seen: Option<Seen>,
}

struct Seen {
    os_id: u64,
    /// When that was, by both clocks, and how far its thread had come.
    first: (u64, u64, Progress),
    /// The same time that has passed since, by both clocks.
    passed: (u64, u64),
    /// How long its thread is known to have run since then.
    ran_ns: u64,
    /// How long it is known to last since its thread was seen asleep, without the time in which that had no core.
    slept_ns: u64,
    /// How long each thread had waited for a core by then.
    delays: Option<Arc<Delays>>,
    /// The most tasks that were ready and not polled all the while between two looks, and one of them.
    waiting: u64,
    waiter: Party,
}

/// How long threads have waited for a core, by the system's numbers of them.
type Delays = HashMap<u64, u64>;

fn delays() -> Delays {
    let threads = platform::threads().unwrap_or_default().into_iter().take(ASKED);
    threads.filter_map(|thread| Some((thread, platform::delayed_ns(thread)?))).collect()
}

/// What the looks have seen.
#[derive(Default)]
pub(super) struct Looks {
    running: HashMap<u32, Poll>,
    ready: HashMap<u32, u64>,
    last_ns: u64,
    skipped: usize,
    told: HashMap<u32, u64>,
}

impl Looks {
    /// Looks at the tasks, where it is time for that.
    pub(super) fn at_tasks(&mut self, memory: &Mapped, tell: impl FnMut(&Event<'_>)) {
        if !is_turn(memory, &mut self.skipped) {
            return;
        }
        let entries = used(memory, header::ENTRIES, ENTRIES);
        let (now, now_ns) = (ticks(), monotonic_ns());
        if now_ns - std::mem::replace(&mut self.last_ns, now_ns) > LATE_NS {
            self.running.clear();
            self.ready.clear();
        }
        let (mut running, mut ready) = (HashMap::new(), HashMap::new());
        let (mut waiting, mut waiter) = (0, Party::UNKNOWN);
        for number in 1..entries as u32 {
            let head = memory.entry(number)[entry::HEAD].load(Relaxed);
            if head & 0xFF != entry::TASK {
                continue;
            }
            let words = memory.entry(number);
            let word = |which: usize| words[which].load(Relaxed);
            let (task, polls) = (Party(word(entry::PARTY)), word(entry::COUNT));
            match TaskState::from_number(head >> 8 & 0xFF) {
                Some(TaskState::Running) => {
                    running.insert(number, Poll { task, polls, seen: None });
                }
                Some(TaskState::Parked) if head & entry::WOKEN == 0 => {}
                // Whether a task is ready matters while another one is polled for long.
                Some(_) if !self.running.is_empty() && ready.len() < READY => {
                    if self.ready.get(&number) == Some(&polls) {
                        (waiting, waiter) = (waiting + 1, task);
                    }
                    ready.insert(number, polls);
                }
                _ => {}
            }
        }
        self.ready = ready;
        let mut asked = None;
        let mut delays = || asked.get_or_insert_with(|| Arc::new(delays())).clone();
        for (number, poll) in &mut running {
            let before = self.running.get_mut(number);
            let before = before.filter(|before| (before.task, before.polls) == (poll.task, poll.polls));
            match before.map(|before| before.seen.take()) {
                Some(Some(mut seen)) => {
                    seen.again(now, now_ns, &mut delays);
                    if waiting > seen.waiting {
                        (seen.waiting, seen.waiter) = (waiting, waiter);
                    }
                    poll.seen = Some(seen);
                }
                Some(None) => poll.seen = Seen::first(memory, poll.task, now, now_ns, &mut delays),
                None => {}
            }
        }
        // What is still in the old map has ended: where it runs on, it was taken over.
        tell_long(std::mem::replace(&mut self.running, running), now, tell);
    }

    /// The recording ends: polls that run are told as long as they were seen.
    pub(super) fn end(&mut self, tell: impl FnMut(&Event<'_>)) {
        tell_long(std::mem::take(&mut self.running), ticks(), tell);
    }

    /// Looks at the channels that are received from, and tells how many messages wait in them, where that has changed much.
    pub(super) fn at_channels(&mut self, memory: &Mapped, mut tell: impl FnMut(&Event<'_>)) {
        let mut channels = vec![];
        for number in 1..used(memory, header::ENTRIES, ENTRIES) as u32 {
            let head = memory.entry(number)[entry::HEAD].load(Relaxed);
            let object = (head >> 32) as u32;
            let receives = head & 0xFF == entry::HANDLE && head >> 8 & 0xFF == Role::Receiver as u64;
            if receives && channels.len() < CHANNELS && is_queue(memory, object) {
                channels.push(object);
            }
        }
        channels.sort_unstable();
        channels.dedup();
        self.told.retain(|object, _| channels.binary_search(object).is_ok());
        for object in channels {
            let [sent, received] = [object, object + 1].map(|id| counted(memory, id));
            let (waiting, told) = (sent.saturating_sub(received), self.told.get(&object).copied());
            let matters = waiting >= GATHERED || told.is_some();
            let before = told.unwrap_or(0);
            if matters && waiting.abs_diff(before) > before / CHANGED {
                self.told.insert(object, waiting);
                tell(&Event::Backlog { at: ticks(), object: object.into(), waiting });
            }
        }
    }
}

impl Seen {
    /// The second look at a poll; `None` where it is not known whether its thread has a core.
    fn first(
        memory: &Mapped,
        task: Party,
        now: u64,
        now_ns: u64,
        delays: impl FnOnce() -> Arc<Delays>,
    ) -> Option<Self> {
        let os_id = areas::system_thread(memory, task)?;
        let progress = platform::progress(os_id)?;
        let (first, delays) = ((now, now_ns, progress), progress.sleeps.then(delays));
        let (waiting, waiter) = (0, Party::UNKNOWN);
        Some(Self { os_id, first, passed: (0, 0), ran_ns: 0, slept_ns: 0, delays, waiting, waiter })
    }

    fn again(&mut self, now: u64, now_ns: u64, delays: impl FnOnce() -> Arc<Delays>) {
        let Some(progress) = platform::progress(self.os_id) else { return };
        let (first, first_ns, then) = self.first;
        let passed_ns = now_ns - first_ns;
        let ran_ns = progress.ran_ns.saturating_sub(then.ran_ns).min(passed_ns);
        self.ran_ns = self.ran_ns.max(ran_ns);
        self.passed = (now - first, passed_ns);
        if progress.sleeps && self.delays.is_none() {
            // How long it sleeps is counted from here on: till now nobody has asked who had a core.
            self.first = (now, now_ns, progress);
            self.delays = Some(delays());
        } else if progress.sleeps {
            // A thread that could run and does not is not told of by the sum of its delays before it has a core again.
            let delayed_ns = progress.delayed_ns.saturating_sub(then.delayed_ns);
            self.slept_ns = self.slept_ns.max(passed_ns.saturating_sub(delayed_ns));
        }
    }

    /// How long it is known to have lasted, if by `now`, after its end, threads have waited so long for a core: whoever has kept it
    /// waiting has had one again, so that all of that is in the sum.
    fn lasted_ns(&self, now: impl FnOnce() -> Delays) -> u64 {
        let Some(before) = self.delays.as_ref().filter(|_| self.slept_ns >= LONG_NS) else {
            return self.ran_ns;
        };
        let waited =
            |(thread, now): (u64, u64)| now.saturating_sub(before.get(&thread).copied().unwrap_or(0));
        let others = now().into_iter().filter(|(thread, _)| *thread != self.os_id);
        let starved_ns = others.map(waited).max().unwrap_or(0);
        self.ran_ns.max(self.slept_ns.saturating_sub(starved_ns))
    }
}

/// Tells the polls that were long, and that others waited for, of those that have ended.
fn tell_long(ended: HashMap<u32, Poll>, at: u64, mut tell: impl FnMut(&Event<'_>)) {
    for Poll { task, seen, .. } in ended.into_values() {
        let Some(seen) = seen.filter(|seen| seen.waiting > 0) else { continue };
        let lasted_ns = seen.lasted_ns(delays);
        if lasted_ns >= LONG_NS {
            // The clocks' rate is that of this very time.
            let (ticks, ns) = seen.passed;
            let ticks = (u128::from(ticks) * u128::from(lasted_ns) / u128::from(ns.max(1))) as u64;
            tell(&Event::LongPoll { at, ticks, task, waiting: seen.waiting, waiter: seen.waiter });
        }
    }
}

/// Whether messages can gather in a channel without end.
fn is_queue(memory: &Mapped, object: u32) -> bool {
    let kind = Kind::from_number(memory.record(object, record::META).load(Relaxed) & 0xFF);
    let capacity = memory.record(object, record::CAPACITY).load(Relaxed);
    match kind {
        Some(Kind::TokioUnbounded) => true,
        Some(Kind::StdChannel | Kind::CrossbeamChannel) => capacity == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn seen(ran_ns: u64, slept_ns: u64, delays: &[(u64, u64)]) -> Seen {
        let progress = Progress { ran_ns: 0, delayed_ns: 0, sleeps: true };
        let delays = Some(Arc::new(delays.iter().copied().collect()));
        let (first, passed) = ((0, 0, progress), (slept_ns, slept_ns));
        Seen { os_id: 1, first, passed, ran_ns, slept_ns, delays, waiting: 1, waiter: Party::UNKNOWN }
    }

    #[test]
    fn who_sleeps_until_another_has_a_core_makes_no_long_poll() {
        let lasted = |seen: Seen, now: &[(u64, u64)]| seen.lasted_ns(|| now.iter().copied().collect()) / MS;
        let asleep = || seen(0, 30 * MS, &[(1, 0), (2, 40 * MS)]);
        // The one that has most of it kept it waiting for 25 ms; one that is new, for 10.
        assert_eq!(lasted(asleep(), &[(1, 0), (2, 65 * MS), (3, 10 * MS)]), 5);
        assert_eq!(lasted(asleep(), &[(1, 0), (2, 40 * MS), (3, 10 * MS)]), 20);
        // Its own was taken off already.
        assert_eq!(lasted(asleep(), &[(1, 50 * MS), (2, 40 * MS)]), 30);
        // What it has run, nobody else can have kept from it.
        assert_eq!(lasted(seen(20 * MS, 30 * MS, &[]), &[(2, 30 * MS)]), 20);
    }
}
