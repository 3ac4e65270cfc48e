//! LP0020 and LP0021: states that one party overwrites of another, without looking.
//!
//! LP0020 is *proved* where the write went against the declared transitions: the state that it destroyed is known, and by
//! whom it was written. It is a *hazard* where the transition is allowed and the writer did not look. LP0021 is *suspected*:
//! two parties have written the same state of the same key, each as if it were the first; what follows from the write has
//! happened twice. Refused writes are told nowhere: they are what `compare_and_set` is for. False positives: of LP0021, a
//! write that may be repeated.
use super::context::duration;
use super::tell::plural;
use super::{Context, Finding, Place, Verdict};
use crate::model::{ChangeKey, Instances, Owner};
use lockprof_trace::Change;

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let writes = context.model.changes.writes.iter();
    writes
        .filter(|(write, _)| write.by_other)
        .filter_map(|(write, seen)| overwrite(context, write, seen))
        .collect()
}

fn overwrite(context: &Context<'_>, write: &ChangeKey, seen: &Instances) -> Option<Finding> {
    let twice = write.from == write.to && !write.to.is_empty();
    let (code, verdict) = match write.change {
        Change::Blind | Change::Illegal if twice => ("LP0021", Verdict::Suspected),
        Change::Illegal => ("LP0020", Verdict::Proved),
        Change::Blind => ("LP0020", Verdict::Hazard),
        _ => return None,
    };
    let Owner::Class(class) = write.owner else { return None };
    let (place, before) = (context.place(write.site), context.place(write.writer_site));
    let (map, keys) = (context.class_name(class), plural(seen.keys(), "key", "keys"));
    let state = |name: &str| if name.is_empty() { "a state".to_owned() } else { format!("`{name}`") };
    let (from, to) = (state(&write.from), state(&write.to));
    let message = match (code, write.change) {
        ("LP0021", _) => format!(
            "{keys} of the {map} became {to} twice, by two parties: at {before}, and again at {place} by one that took it for the first"
        ),
        (_, Change::Illegal) => format!(
            "{from}, written at {before}, was overwritten with {to} at {place} against the declared transitions, {} on {keys} of the {map}",
            plural(seen.count, "time", "times")
        ),
        _ => format!(
            "{from}, written at {before}, was overwritten with {to} at {place} by another party that did not look, {} on {keys} of the {map}",
            plural(seen.count, "time", "times")
        ),
    };
    let first = &seen.first;
    let mut notes = vec![format!(
        "first: {} wrote {from}, {} overwrote it with {to}{}",
        context.party_name(first.writer),
        context.party_name(first.party),
        match first.written {
            0 => String::new(),
            written => format!(", {} later", duration(context.model.ns(first.at.saturating_sub(written)))),
        }
    )];
    if seen.longest > 0 {
        notes.push(format!("the longest time between the two: {}", duration(context.model.ns(seen.longest))));
    }
    Some(Finding {
        verdict,
        message,
        count: seen.count,
        at: context.site(write.site),
        objects: vec![context.object(class, None)],
        places: vec![
            Place { at: context.site(write.site), label: format!("{to} is written here, whatever is there") },
            Place {
                at: context.site(write.writer_site),
                label: format!("{from} was written here by another"),
            },
        ],
        notes,
        help: match code {
            "LP0021" => {
                "let one call look and write: `insert`, which one of them wins, or `compare_and_set`".into()
            }
            _ => "write with `compare_and_set`, which says what it expects, and handle its refusal".into(),
        },
        ..Finding::hazard(context, code)
    })
}
