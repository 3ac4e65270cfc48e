//! What each line held, told alike by the report, the flame graph and the exports.
//!
//! What the coarse clock says of a line is without bias; where it says nothing, the samples stand for all holds that have
//! ended. In `full` mode, and of channels, each hold is timed, and stands for itself. What is held still counts up to the end.
use crate::model::{HoldSum, Model, Owner};
use crate::stats::add;
use lockprof_trace::{Count, Mode};
use std::collections::{BTreeMap, HashMap};

/// Holds of one owner's objects that were taken at one line. Lengths in ticks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AtLine {
    /// How many were noticed, with those that go on in the end.
    pub(crate) count: u64,
    /// How long together.
    pub(crate) ticks: u64,
    /// The longest that is known.
    pub(crate) max: u64,
    /// How many go on in the end.
    pub(crate) still: u64,
}

/// Whether this counts uses of an object, and not what became of one.
pub(crate) fn is_use(what: Count) -> bool {
    !matches!(what, Count::Inserts | Count::Removes | Count::Failures | Count::Lags)
}

/// What is held in the end, by class: the site that took it, and for how long, in ticks.
pub(crate) fn still(model: &Model) -> HashMap<u64, Vec<(u64, u64)>> {
    let mut held: HashMap<u64, Vec<(u64, u64)>> = HashMap::new();
    for handle in model.handles.iter().filter(|handle| handle.role.is_guard() && handle.until.is_none()) {
        if let Some((class, _)) = model.class_of(handle.object) {
            let ticks = model.end().saturating_sub(handle.since);
            held.entry(class).or_default().push((handle.site, ticks));
        }
    }
    held
}

/// How many holds of a class have ended, by its uses and by how many were timed.
pub(crate) fn ended(model: &Model, class: u64, uses: u64, still: u64, timed: u64) -> u64 {
    let is_each_timed = model.session.mode == Some(Mode::Full)
        // Their uses are of both ends, and hold nothing but where one looks at a value.
        || model.classes.get(&class).is_some_and(|class| class.kind.is_channel());
    if is_each_timed { timed } else { uses.saturating_sub(still).max(timed) }
}

/// All lines that held something.
pub(crate) fn lines(model: &Model) -> BTreeMap<(Owner, u64), AtLine> {
    let still = still(model);
    let mut timed: HashMap<Owner, u64> = HashMap::new();
    for ((owner, _), sum) in &model.holds {
        add(timed.entry(*owner).or_default(), sum.timed.0);
    }
    let uses = uses(model);
    let mut lines: BTreeMap<(Owner, u64), AtLine> = BTreeMap::new();
    for ((owner, site), sum) in &model.holds {
        let timed = timed[owner];
        let ended = match owner {
            Owner::Class(class) => {
                let still = still.get(class).map_or(0, |held| held.len() as u64);
                ended(model, *class, uses.get(class).copied().unwrap_or(0), still, timed)
            }
            _ => timed,
        };
        lines.insert((*owner, *site), of(model, sum, ended, timed));
    }
    for (class, held) in still {
        for (site, ticks) in held {
            let line = lines.entry((Owner::Class(class), site)).or_default();
            line.count += 1;
            line.still += 1;
            add(&mut line.ticks, ticks);
            line.max = line.max.max(ticks);
        }
    }
    lines
}

/// The holds of a line that have ended, where of its class so many have, and so many were timed.
fn of(model: &Model, sum: &HoldSum, ended: u64, timed: u64) -> AtLine {
    let scaled = u128::from(sum.timed.1) * u128::from(ended) / u128::from(timed.max(1));
    let scaled = u64::try_from(scaled).unwrap_or(u64::MAX);
    let is_full = model.session.mode == Some(Mode::Full) && sum.timed.0 > 0;
    let ticks = if sum.coarse.0 > 0 && !is_full { sum.coarse.1 } else { scaled };
    AtLine { count: sum.timed.0.max(sum.coarse.0), ticks, max: sum.max.max(sum.max_timed), still: 0 }
}

/// How often objects were used, by class.
fn uses(model: &Model) -> HashMap<u64, u64> {
    let mut uses = HashMap::new();
    for (id, counted) in &model.counts {
        let own = model.own(*id);
        let Some((class, known)) = model.class_of(own) else { continue };
        if is_use(known.kind.count((id - own) as u32)) {
            add(uses.entry(class).or_default(), counted.count);
        }
    }
    uses
}
