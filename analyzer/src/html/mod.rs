//! `report.html`: one file with all that was found, for any browser, without a network.
//!
//! The page's own files lie beside this one; here the data are put in. They go in as JSON in a block of data, in which no
//! `<` stands, and the scripts make texts of them, never markup: whatever a name is, it is shown.
use crate::flamegraph::Labels;
use lockprof_engine::folded::{Tree, tree};
use lockprof_engine::report::{Drawn, Report, Spot, spots};
use serde::Serialize;
use std::io::{self, Write};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPTS: [&str; 6] = [
    include_str!("dom.js"),
    include_str!("table.js"),
    include_str!("findings.js"),
    include_str!("timeline.js"),
    include_str!("flame.js"),
    include_str!("page.js"),
];

/// Objects, findings and spawn lines that the page shows: more than anybody reads, and a bound for its size.
const MOST: usize = 500;
/// Frames of a flame graph that are narrower than this share of it are left out.
const LEAST: f64 = 1e-4;

/// A flame graph.
#[derive(Serialize)]
pub struct Graph<'a> {
    title: &'a str,
    unit: &'a str,
    empty: &'a str,
    /// The file beside the page that has it alone.
    file: &'a str,
    tree: Tree,
}

impl<'a> Graph<'a> {
    /// Of folded lines, which are drawn in `file` as well.
    pub fn new(labels: Labels, file: &'a str, lines: &[String]) -> Self {
        let Labels { title, unit, empty } = labels;
        Self { title, unit, empty, file, tree: tree(lines, LEAST) }
    }
}

#[derive(Serialize)]
struct Data<'a> {
    report: &'a Report,
    cards: Vec<Card<'a>>,
    drawn: &'a Drawn,
    graphs: Vec<Graph<'a>>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Card<'a> {
    finding: &'a lockprof_engine::findings::Finding,
    spots: Vec<Spot>,
}

/// Writes the page.
///
/// # Errors
/// Writing to `out` fails.
pub fn write(report: &Report, graphs: Vec<Graph<'_>>, out: &mut impl Write) -> io::Result<()> {
    let mut notes = vec![];
    let mut short = report.clone();
    for (list, all) in [("objects", short.classes.len()), ("findings", short.findings.len())] {
        if all > MOST {
            notes.push(format!("{} more {list} are in report.json alone.", all - MOST));
        }
    }
    short.classes.truncate(MOST);
    short.tasks.truncate(MOST);
    short.threads.truncate(MOST);
    short.spans.truncate(MOST);
    // They stand in the cards.
    short.findings = vec![];
    let cards = report.findings.iter().take(MOST);
    let cards = cards.map(|finding| Card { finding, spots: spots(finding) }).collect();
    let data = Data { report: &short, cards, drawn: &report.drawn, graphs, notes };
    let data = serde_json::to_string(&data)?.replace('<', "\\u003c");
    let script = SCRIPTS.join("\n");
    let mut rest = PAGE;
    for (mark, text) in [("{css}", STYLE), ("{data}", &data), ("{script}", &script)] {
        let (before, after) =
            rest.split_once(mark).ok_or_else(|| io::Error::other("the page has no such mark"))?;
        out.write_all(before.as_bytes())?;
        out.write_all(text.as_bytes())?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}
