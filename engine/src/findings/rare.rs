//! Long holds that are rare: not a long call, but a holder that lost its core.
//!
//! On a machine with more to do than cores, a thread is sometimes stopped with a lock held, and comes back tens of
//! milliseconds later. That happens to any line in proportion to its holds; a line that makes a long call under the lock is
//! long time and again.
use super::Context;
use crate::model::{HoldSum, Owner};
use std::collections::HashMap;

/// One hold in so many must last longer than two steps of the coarse clock, or the line's long holds are rare.
const ONE_IN: u128 = 1_000;

/// And of a line that is hardly used so many, or there is nothing that it does time and again.
const AGAIN: u64 = 4;

/// How often objects of each class were acquired, and how many of these holds were timed.
pub(super) struct Holders<'a> {
    context: &'a Context<'a>,
    acquired: HashMap<u64, u128>,
    timed: HashMap<u64, u128>,
}

impl<'a> Holders<'a> {
    pub(super) fn of(context: &'a Context<'a>) -> Self {
        let model = context.model;
        let (mut acquired, mut timed) = (HashMap::new(), HashMap::new());
        for (id, counted) in &model.counts {
            let own = model.own(*id);
            let Some((class, known)) = model.class_of(own) else { continue };
            if known.kind.count((id - own) as u32).is_acquisition() {
                *acquired.entry(class).or_default() += u128::from(counted.count);
            }
        }
        for ((owner, _), sum) in &model.holds {
            if let Owner::Class(class) = owner {
                *timed.entry(*class).or_default() += u128::from(sum.timed.0);
            }
        }
        Self { context, acquired, timed }
    }

    /// Whether the long holds of this class from this line on are rare; of a line that is not known, those of all lines.
    pub(super) fn are_rarely_long(&self, class: u64, site: u64) -> bool {
        let holds = &self.context.model.holds;
        if site != 0 {
            return holds.get(&(Owner::Class(class), site)).is_some_and(|sum| self.is_rare(class, sum));
        }
        let mut lines = holds.iter().filter(|((owner, _), _)| *owner == Owner::Class(class)).peekable();
        lines.peek().is_some() && lines.all(|(_, sum)| sum.coarse.0 == 0 || self.is_rare(class, sum))
    }

    /// Whether so many waits for objects of this class are no more than what holders that lost their core made others wait:
    /// few beside the uses, and no line holds long time and again.
    pub(super) fn are_accidents(&self, class: u64, waits: u64) -> bool {
        let uses = self.acquired.get(&class).copied().unwrap_or(0);
        let mut lines =
            self.context.model.holds.iter().filter(|((owner, _), _)| *owner == Owner::Class(class));
        u128::from(waits) * ONE_IN < uses
            && lines.all(|(_, sum)| sum.long < AGAIN || self.is_rare(class, sum))
    }

    /// All holds are counted, and the samples tell how many of them were this line's. First uses are sampled more often than
    /// later ones: so a line of few holds seems to have more of them, and what its samples last is asked too.
    fn is_rare(&self, class: u64, of_line: &HoldSum) -> bool {
        let mean = of_line.timed.1.checked_div(of_line.timed.0).unwrap_or(0);
        if mean >= self.context.model.session.coarse_ticks.max(1) {
            return false;
        }
        let [acquired, timed] = [&self.acquired, &self.timed].map(|of| of.get(&class).copied().unwrap_or(0));
        let holds = acquired * u128::from(of_line.timed.0) / timed.max(1);
        of_line.coarse.0 > 0 && u128::from(of_line.long) * ONE_IN < holds
    }
}
