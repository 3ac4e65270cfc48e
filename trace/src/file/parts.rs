//! A block taken apart: its holds by what they have in common, and what else it tells in the order of the block.
//!
//! Of a trace of full mode nearly all is holds, and what they are summed into does not ask in which order they came. So
//! blocks can be decoded side by side, and whoever sums looks at each group of holds once instead of at each hold.
use super::Error;
use super::again::{FIRST, HoldKey, PLACES, Places};
use super::coding::Fields;
use super::events::{corrupt, decode};
use super::schema::{How, Schema};
use crate::event::{Event, Get};
use std::sync::Arc;

/// A block that was read and checked, and is not decoded yet.
pub struct RawBlock {
    pub(super) bytes: Vec<u8>,
    pub(super) schema: Arc<Schema>,
    /// Where it ends in the file.
    pub(super) end: u64,
}

/// When a hold ended and how long it lasted, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HoldTime {
    /// When it ended.
    pub at: u64,
    /// How long it lasted.
    pub ticks: u64,
}

/// What a block tells. One is used for many blocks: what it needs of memory, it keeps.
#[derive(Default)]
pub struct Parts {
    /// All but the holds. A hold that happened in a tracing span is among them, behind its [`Event::Within`].
    pub others: Vec<Event<'static>>,
    /// The event that breaks the rules, if one does; what is behind it is lost.
    pub error: Option<Error>,
    /// Events passed over because this version does not know them.
    pub skipped: u64,
    /// What the holds of a group have in common.
    keys: Vec<HoldKey>,
    /// The times of the holds of each group, and of groups of blocks before, which are empty.
    times: Vec<Vec<HoldTime>>,
}

/// Times of holds for which memory is kept.
const KEPT: usize = 1 << 18;

impl Parts {
    /// The holds that happened in no tracing span, by what they have in common; a key may come more than once.
    pub fn holds(&self) -> impl Iterator<Item = (HoldKey, &[HoldTime])> {
        self.keys.iter().copied().zip(self.times.iter().map(Vec::as_slice))
    }

    fn clear(&mut self) {
        self.others.clear();
        self.keys.clear();
        self.times.iter_mut().for_each(Vec::clear);
        if self.times.iter().map(Vec::capacity).sum::<usize>() > KEPT {
            self.times.clear();
        }
        (self.error, self.skipped) = (None, 0);
    }

    /// Takes a hold of this group, which is made where there is none.
    #[inline(always)]
    fn hold(&mut self, group: &mut u32, key: HoldKey, time: HoldTime) {
        if *group == NONE {
            *group = self.keys.len() as u32;
            self.keys.push(key);
            if self.times.len() < self.keys.len() {
                self.times.push(vec![]);
            }
        }
        self.times[*group as usize].push(time);
    }

    /// Takes holds told again, nearly all that there is, up to what is anything else; whether there were any.
    #[inline(never)]
    fn take_again(&mut self, fields: &mut Fields<'_>, schema: &Schema, group_at: &[u32; PLACES]) -> bool {
        let mut left = *fields;
        loop {
            let mut ahead = left;
            let Some(number) = ahead.byte().filter(|number| schema.how(*number) == How::Again) else { break };
            let group = group_at[usize::from(number - FIRST) % PLACES];
            let (Ok(at), Ok(ticks)) = (ahead.time(), ahead.number()) else { break };
            let Some(times) = self.times.get_mut(group as usize) else { break };
            times.push(HoldTime { at, ticks });
            left = ahead;
        }
        left.bytes.len() < std::mem::replace(fields, left).bytes.len()
    }
}

/// No group.
const NONE: u32 = u32::MAX;

impl RawBlock {
    /// Decodes it into `parts`, whose contents are lost. Gives its memory back for the next one.
    pub fn apart(self, parts: &mut Parts) -> Vec<u8> {
        parts.clear();
        let mut fields = Fields::new(&self.bytes);
        let mut places = Places::new();
        let mut group_at = [NONE; PLACES];
        let mut within = false;
        while let Some(&number) = fields.bytes.first() {
            if !within && parts.take_again(&mut fields, &self.schema, &group_at) {
                continue;
            }
            let left = fields.bytes.len();
            let event = match decode(&self.schema, &mut fields, &places) {
                Ok(event) => event,
                Err(malformed) => {
                    parts.error = Some(corrupt(self.end - left as u64, malformed));
                    break;
                }
            };
            let mut place = places.learn(number, event.as_ref());
            place.iter().for_each(|place| group_at[*place] = NONE);
            if self.schema.how(number) == How::Again {
                place = Some(usize::from(number - FIRST));
            }
            let alone = !std::mem::take(&mut within);
            match (event, place) {
                (None, _) => parts.skipped += 1,
                (Some(event), Some(place)) if alone && let Some((key, at, ticks)) = HoldKey::of(&event) => {
                    parts.hold(&mut group_at[place], key, HoldTime { at, ticks });
                }
                (Some(event), _) => {
                    within = matches!(event, Event::Within { .. });
                    parts.others.push(event.into_owned());
                }
            }
        }
        self.bytes
    }
}
