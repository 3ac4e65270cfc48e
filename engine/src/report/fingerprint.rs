//! What a finding is known by from one build to the next: its code, its file and the text of its line, so that it is the
//! same finding where lines above it come and go. Of a circle it is all of its lines, in an order of their own: who came
//! first, and so where it is told, is another one from run to run.
use crate::findings::{Finding, PartyRole};
use lockprof_trace::Operation;
use std::collections::BTreeSet;

/// The fingerprint of a finding: one line of text. Where the source is not there, it is the line's number that counts.
pub fn fingerprint(finding: &Finding) -> String {
    let lines: BTreeSet<String> = places(finding).into_iter().map(line).collect();
    let lines: Vec<String> = lines.into_iter().collect();
    format!("{} {}", finding.code, lines.join(" | "))
}

/// The places that make a finding what it is.
fn places(finding: &Finding) -> BTreeSet<&str> {
    let mut places = BTreeSet::from([finding.at.as_str()]);
    match finding.code {
        "LP0001" => {
            let members = finding.parties.iter().filter(|party| party.role == PartyRole::Member);
            // What a thread runs waits, not it.
            let waits = members.flat_map(|party| &party.waits);
            let waits = waits.filter(|wait| wait.operation != Operation::BlockOn.name());
            places.extend(waits.map(|wait| wait.at.as_str()).filter(|at| !at.is_empty()));
        }
        "LP0010" => places.extend(finding.places.iter().map(|place| place.at.as_str())),
        _ => {}
    }
    places
}

/// A place as its file and the text of its line.
fn line(at: &str) -> String {
    let mut parts = at.rsplitn(3, ':').skip(1);
    let (line, file) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let source = line.parse().ok().and_then(|line| super::diagnostic::source(file, line));
    let text = source.as_deref().map(|text| text.split("//").next().unwrap_or_default().trim());
    match text.filter(|text| !text.is_empty()) {
        Some(text) => format!("{file}: {text}"),
        None => format!("{file}:{line}"),
    }
}
