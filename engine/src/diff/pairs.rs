//! What is the same thing in two builds of a program.
//!
//! A thing is known by what it is and by its place. Between two builds lines move: what has no counterpart at its line is
//! paired with what is the same in the same file, in the order of lines, where there are as many before as after.
use std::collections::BTreeMap;

/// What a thing is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    /// What it is: everything but its line.
    what: (String, String),
    line: u64,
}

impl Identity {
    /// Of something of this sort at "file:line:column". The column is left out: a name before it may have changed.
    pub(super) fn new(what: String, at: &str) -> Self {
        let (place, _) = at.rsplit_once(':').unwrap_or((at, ""));
        let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
        Self { what: (what, file.into()), line: line.parse().unwrap_or(0) }
    }
}

/// Pairs of what is the same; one side is missing where something is gone or new.
pub(super) fn pairs<T>(
    before: BTreeMap<Identity, T>,
    mut after: BTreeMap<Identity, T>,
) -> Vec<(Option<T>, Option<T>)> {
    let (mut pairs, mut left) = (vec![], vec![]);
    for (identity, thing) in before {
        match after.remove(&identity) {
            Some(same) => pairs.push((Some(thing), Some(same))),
            None => left.push((identity, thing)),
        }
    }
    let by_what = |things: Vec<(Identity, T)>| {
        let mut sorts: BTreeMap<(String, String), Vec<T>> = BTreeMap::new();
        // They come in the order of lines.
        things.into_iter().for_each(|(identity, thing)| sorts.entry(identity.what).or_default().push(thing));
        sorts
    };
    let (before, mut after) = (by_what(left), by_what(after.into_iter().collect()));
    for (what, things) in before {
        match after.remove(&what) {
            Some(others) if others.len() == things.len() => {
                pairs.extend(things.into_iter().zip(others).map(|(one, other)| (Some(one), Some(other))));
            }
            others => {
                pairs.extend(things.into_iter().map(|thing| (Some(thing), None)));
                pairs.extend(others.into_iter().flatten().map(|thing| (None, Some(thing))));
            }
        }
    }
    pairs.extend(after.into_values().flatten().map(|thing| (None, Some(thing))));
    pairs
}

#[cfg(test)]
mod tests {
    use super::{Identity, pairs};

    fn paired(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<String> {
        let side = |things: &[(&str, &str)]| {
            things
                .iter()
                .map(|(what, at)| (Identity::new((*what).into(), at), at.to_string()))
                .collect::<std::collections::BTreeMap<_, _>>()
        };
        let told = |thing: Option<String>| thing.unwrap_or("-".into());
        let pairs = pairs(side(before), side(after));
        let mut told: Vec<String> =
            pairs.into_iter().map(|(one, other)| format!("{} {}", told(one), told(other))).collect();
        told.sort();
        told
    }

    #[test]
    fn lines_may_move() {
        let before = [("mutex", "a.rs:10:5"), ("mutex", "a.rs:20:5"), ("map", "a.rs:30:5")];
        let after = [("mutex", "a.rs:10:9"), ("mutex", "a.rs:25:5"), ("map", "b.rs:30:5")];
        let pairs = paired(&before, &after);
        assert_eq!(pairs, ["- b.rs:30:5", "a.rs:10:5 a.rs:10:9", "a.rs:20:5 a.rs:25:5", "a.rs:30:5 -"]);
    }

    #[test]
    fn what_cannot_be_told_apart_is_not_paired() {
        let pairs = paired(&[("mutex", "a.rs:1:1"), ("mutex", "a.rs:2:1")], &[("mutex", "a.rs:3:1")]);
        assert_eq!(pairs, ["- a.rs:3:1", "a.rs:1:1 -", "a.rs:2:1 -"]);
    }
}
