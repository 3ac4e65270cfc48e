//! One finding in the shape of a rustc diagnostic, with source lines where the files are there.
use super::shown::{TextOptions, shown};
use crate::findings::{Finding, PartyReport, PartyRole, Verdict, duration};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use lockprof_trace::is_library;
use serde::Serialize;
use std::fs::File;
use std::io::Read;

/// A source file larger than this is not shown.
const MAX_SOURCE: u64 = 4 << 20;
/// Parties whose lines are shown.
const PARTIES: usize = 6;
/// What is told of one place, and what stands between.
const AT_ONE_PLACE: usize = 4;
const AND: &str = "; ";
/// Stacks that are shown, where parties wait on different ones.
const STACKS: usize = 4;

/// A line of source, and what happened there. Texts are free of control characters.
#[derive(Clone, Debug, Serialize)]
pub struct Spot {
    /// The file, as the compiler knew it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The line itself, where the file is there.
    pub source: Option<String>,
    /// What happened there.
    pub label: String,
}

impl Spot {
    fn new(at: &str, label: String) -> Option<Self> {
        let mut parts = at.rsplitn(3, ':');
        let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let file = parts.next()?;
        Some(Self { file: shown(file), line, column, source: source(file, line), label: shown(&label) })
    }

    /// What is underlined: the name at the column, to where it ends.
    fn span(&self) -> std::ops::Range<usize> {
        let Some(source) = &self.source else { return 0..0 };
        let start =
            source.char_indices().nth(self.column.saturating_sub(1)).map_or(source.len(), |(at, _)| at);
        let word =
            source[start..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(source.len() - start);
        start..(start + word.max(1)).min(source.len())
    }
}

/// A line of a source file, if it can be read. The path comes from the trace: only Rust files of some size are opened.
pub(super) fn source(file: &str, line: usize) -> Option<String> {
    if !file.ends_with(".rs") {
        return None;
    }
    let metadata =
        std::fs::metadata(file).ok().filter(|metadata| metadata.is_file() && metadata.len() <= MAX_SOURCE);
    metadata?;
    let mut text = String::new();
    File::open(file).ok()?.take(MAX_SOURCE).read_to_string(&mut text).ok()?;
    text.lines().nth(line.checked_sub(1)?).map(|line| shown(&line.replace('\t', "    ")))
}

/// The finding as a diagnostic, without a newline at its end.
pub(super) fn render(finding: &Finding, options: &TextOptions) -> String {
    let level = match finding.verdict {
        Verdict::Proved => Level::ERROR,
        _ => Level::WARNING,
    };
    let level = level.with_name(finding.verdict.name());
    let spots = spots(finding);
    let message = shown(&finding.message);
    let mut group = Group::with_title(level.primary_title(&message).id(finding.code));
    for (number, spot) in spots.iter().enumerate() {
        let kind = if number == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        group = match &spot.source {
            Some(source) => group.element(
                Snippet::source(source.as_str())
                    .path(&spot.file)
                    .line_start(spot.line)
                    .annotation(kind.span(spot.span()).label(&spot.label)),
            ),
            None if number == 0 => {
                let origin = Origin::path(&spot.file).line(spot.line).char_column(spot.column);
                group.element(origin).element(Level::NOTE.message(&spot.label))
            }
            None => {
                group.element(Level::NOTE.message(format!("{}:{}: {}", spot.file, spot.line, spot.label)))
            }
        };
    }
    let notes = notes(finding);
    for note in &notes {
        group = group.element(Level::NOTE.message(note));
    }
    group = group.element(Level::HELP.message(&finding.help));
    let renderer = if options.color { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(options.width).render(&[group])
}

/// The places of a finding: where its parties wait, and where they took what they hold.
pub fn spots(finding: &Finding) -> Vec<Spot> {
    let mut places: Vec<(String, String)> = vec![];
    // Those on a circle may meet in a function that all of them call; of others at one place one stands for all.
    let together = if finding.code == "LP0001" { AT_ONE_PLACE } else { 1 };
    let mut add = |at: &str, label: String| match places.iter_mut().find(|(known, _)| known == at) {
        Some((_, there)) if !there.contains(&label) && there.split(AND).count() < together => {
            there.push_str(AND);
            there.push_str(&label);
        }
        None if !at.is_empty() => places.push((at.into(), label)),
        _ => {}
    };
    let members = finding.parties.iter().filter(|party| party.role != PartyRole::Bystander);
    let wanted: Vec<&str> = finding
        .parties
        .iter()
        .filter(|party| party.role != PartyRole::Holder)
        .flat_map(|party| &party.waits)
        .map(|wait| &*wait.object)
        .collect();
    for party in
        members.chain(finding.parties.iter().filter(|party| party.role == PartyRole::Bystander)).take(PARTIES)
    {
        let who = who(party);
        for wait in &party.waits {
            let behind = if party.role == PartyRole::Bystander { "behind them, " } else { "" };
            let since = duration(wait.since_ns);
            let within = if wait.within.is_empty() { String::new() } else { format!(", in {}", wait.within) };
            add(
                &wait.at,
                format!(
                    "{behind}{who} waits here for {since}: {} on {}{within}",
                    wait.operation, wait.object
                ),
            );
        }
        for held in party.holds.iter().filter(|held| wanted.contains(&&*held.object)) {
            let taken = ["guard", "permit"].iter().any(|guard| held.role.ends_with(guard));
            add(
                &held.at,
                match taken {
                    true => format!("{who} took the {} here ({})", held.object, held.role),
                    false => format!("its {} was made here, and last used by {who}", held.role),
                },
            );
        }
    }
    for place in &finding.places {
        add(&place.at, place.label.clone());
    }
    for object in &finding.objects {
        let what = match object.first_used {
            true => "is first used here, made by a library",
            false => "is created here",
        };
        if !places.iter().any(|(at, _)| *at == object.created_at) && !object.created_at.is_empty() {
            places.push((object.created_at.clone(), format!("the {} {what}", object.kind)));
        }
    }
    match places.iter().position(|(at, _)| *at == finding.at) {
        Some(first) => places.swap(0, first),
        None if !finding.at.is_empty() => places.insert(0, (finding.at.clone(), here(finding.code).into())),
        None => {}
    }
    places.into_iter().filter_map(|(at, label)| Spot::new(&at, label)).collect()
}

/// What happens at the first place of a finding that names no party.
fn here(code: &str) -> &'static str {
    match code {
        "LP0006" => "registered here",
        "LP0001" | "LP0005" | "LP0007" => "spawned here",
        "LP0008" => "taken here",
        _ => "most of the time is waited here",
    }
}

fn who(party: &PartyReport) -> String {
    match party.name.starts_with(party.kind) {
        true => party.name.clone(),
        false => format!("{} {} ({})", party.kind, party.id, party.name),
    }
}

fn notes(finding: &Finding) -> Vec<String> {
    let mut notes: Vec<String> = finding.notes.iter().map(|note| shown(note)).collect();
    if finding.blocked_ns > 0 {
        notes.push(format!("cost: {} waited, all parties together", duration(finding.blocked_ns)));
    }
    let spawned: std::collections::BTreeSet<&str> =
        finding.parties.iter().map(|party| &*party.spawned_at).filter(|at| !at.is_empty()).collect();
    if !spawned.is_empty() {
        notes.push(shown(&format!("spawned at {}", spawned.into_iter().collect::<Vec<_>>().join(", "))));
    }
    if finding.more_parties > 0 {
        let more = if finding.more_parties == 1 { "more party is" } else { "more parties are" };
        notes.push(format!("{} {more} like these", finding.more_parties));
    }
    let stacks = stacks(finding);
    for (who, frames) in stacks.iter().take(STACKS) {
        let of = if stacks.len() > 1 { format!(" of {who}") } else { String::new() };
        notes.push(format!("stack{of}: {}", frames.join("\n  ← ")));
    }
    notes
}

/// The stacks on which parties wait, each once: with who was met there first.
fn stacks(finding: &Finding) -> Vec<(String, Vec<String>)> {
    let mut stacks: Vec<(String, Vec<String>)> = vec![];
    for party in finding.parties.iter().filter(|party| party.role != PartyRole::Holder) {
        for wait in &party.waits {
            let frames = wait.stack.iter().filter(|frame| !is_library(frame)).take(8);
            let frames: Vec<String> = frames.map(|frame| shown(frame)).collect();
            if !frames.is_empty() && !stacks.iter().any(|(_, known)| *known == frames) {
                stacks.push((shown(&who(party)), frames));
            }
        }
    }
    stacks
}
