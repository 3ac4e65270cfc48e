//! What became of states and versions in maps: writes that were blind, illegal or refused; reads that were stale or torn; maps
//! that grew under their lock; and adds to wait groups that came late. Summed by where it happened, with one instance of each.
use super::Owner;
use crate::stats::add;
use lockprof_trace::{Change, Event, Party};
use std::collections::{BTreeMap, HashSet};

/// Sums that are kept: a program has as many as pairs of lines that write to maps.
const KEPT: usize = 1 << 14;
/// Keys of one sum that are told apart.
const KEYS: usize = 1 << 12;

/// Writes alike: what they came to, between which states, and by which lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeKey {
    /// The map's class.
    pub owner: Owner,
    /// What it came to.
    pub change: Change,
    /// Where it was written.
    pub site: u64,
    /// Where the state that was there had been written; 0 where not known.
    pub writer_site: u64,
    /// The state that was there.
    pub from: Box<str>,
    /// The state that was to be.
    pub to: Box<str>,
    /// Whether the state that was there was written by another party.
    pub by_other: bool,
}

/// Reads that were stale, by line and by the line whose write they missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StaleKey {
    /// The class of the versions.
    pub owner: Owner,
    /// Where it was read.
    pub site: u64,
    /// Where the newer value was written.
    pub writer_site: u64,
}

/// How often, on how many keys, and one instance.
#[derive(Clone, Debug, Default)]
pub struct Instances {
    /// How often.
    pub count: u64,
    keys: HashSet<u64>,
    /// One of them: who, when, by whom the other value was written, and when.
    pub first: Instance,
    /// The longest time between the two, in ticks.
    pub longest: u64,
}

/// One instance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Instance {
    /// Who writes or reads.
    pub party: Party,
    /// When, in ticks.
    pub at: u64,
    /// Who wrote what was there, or what was missed; of a wait group: who had waited.
    pub writer: Party,
    /// When that was written, or that wait returned; 0 where not known.
    pub written: u64,
}

impl Instances {
    fn add(&mut self, key: u64, instance: Instance) {
        if self.count == 0 || instance.at < self.first.at {
            self.first = instance;
        }
        self.count += 1;
        if instance.written != 0 {
            self.longest = self.longest.max(instance.at.saturating_sub(instance.written));
        }
        if self.keys.len() < KEYS {
            self.keys.insert(key);
        }
    }

    fn merge(&mut self, other: Self) {
        if self.count == 0 || other.first.at < self.first.at {
            self.first = other.first;
        }
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
        self.keys.extend(other.keys);
    }

    /// On how many keys: as many as were told apart.
    pub fn keys(&self) -> u64 {
        self.keys.len() as u64
    }
}

/// Passes that were torn, begun at one line.
#[derive(Clone, Debug, Default)]
pub struct Torn {
    /// How often.
    pub seen: Instances,
    /// One of which the write of the newest version that was found is known: where that was begun, and by whom.
    pub known: Option<(u64, Instance)>,
}

/// Adds to wait groups, by line and by the line whose wait had returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LateKey {
    /// The class of the groups.
    pub owner: Owner,
    /// Where somebody was added.
    pub site: u64,
    /// Where it was waited.
    pub waiter_site: u64,
}

/// How a map of some class has grown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grown {
    /// How often.
    pub count: u64,
    /// How long together, in ticks.
    pub ticks: u64,
    /// The longest, in ticks.
    pub max: u64,
    /// Keys that were there in the longest.
    pub keys: u64,
    /// Where the longest was.
    pub site: u64,
    /// The most keys that there was room for, in one of them.
    pub room: u64,
    /// Bytes of a key with its value, without what they point to; 0 where not known.
    pub entry_bytes: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Writes of states that are not as they should be.
    pub writes: BTreeMap<ChangeKey, Instances>,
    /// Stale reads.
    pub stale: BTreeMap<StaleKey, Instances>,
    /// Torn passes, by class and line.
    pub torn: BTreeMap<(Owner, u64), Torn>,
    /// Late adds: who added and when, who had waited and when that returned. The first of each line.
    pub late: BTreeMap<LateKey, Vec<Instance>>,
    /// Growth, by class.
    pub grown: BTreeMap<Owner, Grown>,
}

impl Changes {
    /// The same by `owner` of each owner: a class has become known.
    pub(super) fn by(self, owner: impl Fn(Owner) -> Owner) -> Self {
        let mut changes = Self::default();
        for (key, instances) in self.writes {
            let key = ChangeKey { owner: owner(key.owner), ..key };
            changes.writes.entry(key).or_default().merge(instances);
        }
        for (key, instances) in self.stale {
            let key = StaleKey { owner: owner(key.owner), ..key };
            changes.stale.entry(key).or_default().merge(instances);
        }
        for ((of, site), torn) in self.torn {
            let into = changes.torn.entry((owner(of), site)).or_default();
            into.seen.merge(torn.seen);
            into.known = into.known.or(torn.known);
        }
        for (key, adds) in self.late {
            let key = LateKey { owner: owner(key.owner), ..key };
            changes.late.entry(key).or_default().extend(adds);
        }
        for (of, grown) in self.grown {
            let into = changes.grown.entry(owner(of)).or_default();
            into.count += grown.count;
            add(&mut into.ticks, grown.ticks);
            into.room = into.room.max(grown.room);
            into.entry_bytes = into.entry_bytes.max(grown.entry_bytes);
            if grown.max >= into.max {
                (into.max, into.keys, into.site) = (grown.max, grown.keys, grown.site);
            }
        }
        changes
    }

    /// Takes an event of a map of this class.
    pub(super) fn event(&mut self, owner: Owner, event: &Event<'_>) {
        match event {
            Event::StateChange {
                at,
                key,
                change,
                party,
                site,
                from,
                to,
                writer,
                writer_site,
                written,
                ..
            } => {
                let (change, site, writer_site) = (*change, *site, *writer_site);
                let (from, to) = (from.as_ref().into(), to.as_ref().into());
                let by_other = writer != party && *writer != Party::UNKNOWN;
                let write = ChangeKey { owner, change, site, writer_site, from, to, by_other };
                let instance = Instance { party: *party, at: *at, writer: *writer, written: *written };
                if self.writes.len() < KEPT || self.writes.contains_key(&write) {
                    self.writes.entry(write).or_default().add(*key, instance);
                }
            }
            Event::StaleRead { at, key, party, site, writer, writer_site, written, .. } => {
                let read = StaleKey { owner, site: *site, writer_site: *writer_site };
                let instance = Instance { party: *party, at: *at, writer: *writer, written: *written };
                if self.stale.len() < KEPT || self.stale.contains_key(&read) {
                    self.stale.entry(read).or_default().add(*key, instance);
                }
            }
            Event::TornRead { at, key, party, site, writer, writer_site, written, .. } => {
                let instance = Instance { party: *party, at: *at, writer: *writer, written: *written };
                if self.torn.len() < KEPT || self.torn.contains_key(&(owner, *site)) {
                    let torn = self.torn.entry((owner, *site)).or_default();
                    torn.seen.add(*key, instance);
                    torn.known = torn.known.or((*writer_site != 0).then_some((*writer_site, instance)));
                }
            }
            Event::LateAdd { at, party, site, waiter, waiter_site, returned, .. } => {
                let add = LateKey { owner, site: *site, waiter_site: *waiter_site };
                let instance = Instance { party: *party, at: *at, writer: *waiter, written: *returned };
                if self.late.len() < KEPT || self.late.contains_key(&add) {
                    let adds = self.late.entry(add).or_default();
                    if adds.len() < KEYS {
                        adds.push(instance);
                    }
                }
            }
            Event::Growth { ticks, site, keys, to, entry_bytes, .. } => {
                let grown = self.grown.entry(owner).or_default();
                grown.count += 1;
                add(&mut grown.ticks, *ticks);
                grown.room = grown.room.max(*to);
                grown.entry_bytes = grown.entry_bytes.max(*entry_bytes);
                if *ticks >= grown.max {
                    (grown.max, grown.keys, grown.site) = (*ticks, *keys, *site);
                }
            }
            _ => {}
        }
    }
}
