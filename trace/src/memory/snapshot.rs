//! The state of a moment, as events: what is open, what is held, and what was counted.
use super::counts::Counters;
use super::{
    AREAS, COARSE_SHIFT, DROPPED, ENTRIES, ENTRY, HELD, HELD_ID, HELD_WORDS, IDS, IDS_PER_PAGE, Memory,
    RECORD, SAMPLED, UNSURE, UPGRADABLE, area, entry, header, page_at, record, region, used,
};
use crate::event::{Event, Party};
use crate::kind::{Kind, Loss, Operation, Role, TaskState, WaitEnd};
use std::collections::HashMap;

/// Gives the state of this moment to `emit`: open waits and those that are not told yet, live handles and tasks, counts, losses.
pub fn snapshot(memory: &(impl Memory + ?Sized), emit: &mut dyn FnMut(&Event<'_>)) {
    let entries = used(memory, header::ENTRIES, ENTRIES);
    let mut late: HashMap<u32, Waits> = HashMap::new();
    for number in 1..entries {
        let Some((head, event, span)) = entry_event(memory, number) else { continue };
        if span != 0 {
            emit(&Event::Within { span });
        }
        if let Event::Wait { ticks, .. } = event {
            late.entry(entry::counted(head)).or_default().add(ticks);
        }
        emit(&event);
    }
    for number in 0..used(memory, header::AREAS, AREAS) {
        let Some(area) = page_at(memory.half(region::DIRECTORY, number)) else { continue };
        if memory.word(area + area::THREAD) != 0 {
            held(memory, area, emit);
        }
    }
    counts(memory, &late, emit);
    for loss in Loss::ALL {
        let count = memory.word(header::LOST + *loss as usize);
        if count != 0 {
            emit(&Event::Lost { loss: *loss, count });
        }
    }
}

/// Waits that their records have not added up yet.
#[derive(Clone, Copy, Default)]
struct Waits {
    count: u64,
    ticks: u64,
    longest: u64,
}

impl Waits {
    fn add(&mut self, ticks: u64) {
        self.count += 1;
        self.ticks = self.ticks.wrapping_add(ticks);
        self.longest = self.longest.max(ticks);
    }
}

/// An entry's head, what it tells, and the tracing span that it stands in; 0: none.
fn entry_event(memory: &(impl Memory + ?Sized), number: usize) -> Option<(u64, Event<'static>, u64)> {
    let place = region::ENTRIES_ + number * ENTRY;
    let word = |which| memory.word(place + which);
    let head = word(entry::HEAD);
    let (detail, object) = (head >> 8 & 0xFF, head >> 32);
    let (party, site, since) = (Party(word(entry::PARTY)), word(entry::SITE), word(entry::SINCE));
    let (low, high) = (word(entry::COUNT) & 0xFFFF_FFFF, word(entry::COUNT) >> 32);
    let (holder, holder_site) = (word(entry::HOLDER), word(entry::HOLDER_SITE));
    let span = if matches!(head & 0xFF, entry::WAIT | entry::ENDED) { high >> 1 } else { 0 };
    let event = match head & 0xFF {
        entry::WAIT => Event::OpenWait {
            since,
            party,
            object,
            operation: Operation::from_number(detail)?,
            site,
            stack: low,
            holder: Party(holder),
            holder_site,
            limited: high & 1,
        },
        entry::ENDED => Event::Wait {
            at: word(entry::NEXT),
            ticks: word(entry::NEXT).saturating_sub(since),
            party,
            object,
            operation: Operation::from_number(detail)?,
            site,
            stack: low,
            end: WaitEnd::Done,
            holder: Party(holder),
            holder_site,
        },
        entry::HANDLE => {
            let (role, moved) = (Role::from_number(detail)?, entry::moved(head, holder));
            Event::Handle { object, role, party, site, since, count: high, moved }
        }
        entry::TASK => Event::OpenTask {
            task: party,
            state: match TaskState::from_number(detail)? {
                TaskState::Parked if head & entry::WOKEN != 0 => TaskState::Ready,
                state => state,
            },
            polls: word(entry::COUNT),
            polled: holder,
            wakers: holder_site,
        },
        _ => return None,
    };
    Some((head, event, span))
}

/// The locks that a thread holds.
fn held(memory: &(impl Memory + ?Sized), area: usize, emit: &mut dyn FnMut(&Event<'_>)) {
    let len = (memory.word(area + area::HELD_LEN) as usize).min(HELD);
    let (base, now) = (memory.word(area + area::BASE) as usize, memory.word(area + area::PARTY));
    for number in 0..len {
        let place = area + area::HELD + number * HELD_WORDS;
        let [site, what, timed, by] = [0, 1, 2, 3].map(|word| memory.word(place + word));
        let id = what & HELD_ID;
        if id == 0 {
            continue;
        }
        let meta = memory.word(region::RECORDS + (id as usize % IDS) * RECORD + record::META);
        let offset = meta >> 8 & 0xFF;
        let role = match (what & UPGRADABLE != 0, offset) {
            (true, _) => Role::Upgradable,
            (_, 0) => Role::Exclusive,
            _ => Role::Shared,
        };
        let since =
            if what & SAMPLED != 0 { timed } else { coarse_to_ticks(what >> 32, memory.word(header::SEEN)) };
        let party = match what & UNSURE {
            0 => Party(if number < base { by } else { now }),
            _ => Party::UNKNOWN,
        };
        emit(&Event::Handle { object: id - offset.min(id), role, party, site, since, count: 1, moved: 0 });
    }
}

/// The time that the lower 32 bits of the coarse clock stand for, the last one before `now`.
pub fn coarse_to_ticks(low: u64, now: u64) -> u64 {
    let steps = now >> COARSE_SHIFT;
    let back = (steps as u32).wrapping_sub(low as u32);
    // What lies ahead of the background thread's last look is as good as now.
    if back > 1 << 31 { now } else { (steps - u64::from(back)) << COARSE_SHIFT }
}

fn counts(memory: &(impl Memory + ?Sized), late: &HashMap<u32, Waits>, emit: &mut dyn FnMut(&Event<'_>)) {
    let mut counters = Counters::beside(memory, 0);
    for id in 1..used(memory, header::IDS, IDS) {
        if id.is_multiple_of(IDS_PER_PAGE) {
            counters = Counters::beside(memory, id as u32);
        }
        let place = region::RECORDS + id * RECORD;
        let word = |which| memory.word(place + which);
        let meta = word(record::META);
        let Some(kind) = Kind::from_number(meta & 0xFF).filter(|kind| *kind != Kind::Unknown) else {
            continue;
        };
        let (offset, held) = (meta >> 8 & 0xFF, word(record::HOLD));
        if kind.is_channel()
            && held & DROPPED != 0
            && let Some(role) = [Role::Sender, Role::Receiver].get(offset as usize)
        {
            let at = coarse_to_ticks(held & (DROPPED - 1), memory.word(header::SEEN));
            emit(&Event::EndDropped { at, object: id as u64 - offset, role: *role });
        }
        let late = late.get(&(id as u32)).copied().unwrap_or_default();
        emit(&Event::Counts {
            object: id as u64,
            count: counters.count(memory, id as u32),
            contended: (word(record::WAITS) & 0xFFFF_FFFF) + late.count,
            wait_ticks: word(record::WAIT).wrapping_add(late.ticks),
            wait_max: ((word(record::LONGEST) & 0xFFFF_FFFF) << 10).max(late.longest >> 10 << 10),
            hold_ticks: if kind.is_channel() { 0 } else { held },
            hold_max: word(record::LONGEST) >> 32 << 10,
            instances: word(record::WAITS) >> 32,
            live: meta >> 16 & 1,
        });
    }
}
