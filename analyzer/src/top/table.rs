//! The tables: their columns, the rows of a frame, and the order they stand in.
use super::frame::{ClassNow, Frame, PopulationNow};
use lockprof_engine::findings::duration;
use lockprof_engine::now::WaitNow;
use lockprof_engine::report::shown;
use std::cmp::Ordering;
use std::collections::HashMap;

/// What there is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// Locks and all that is acquired, hottest first.
    Locks,
    /// Who waits for whom.
    Waits,
    /// Tasks and threads by spawn line.
    Tasks,
    /// Channels.
    Channels,
}

impl Tab {
    /// All of them, in their order.
    pub const ALL: [Tab; 4] = [Tab::Locks, Tab::Waits, Tab::Tasks, Tab::Channels];

    /// What stands above it.
    pub const fn name(self) -> &'static str {
        match self {
            Tab::Locks => "locks",
            Tab::Waits => "waits",
            Tab::Tasks => "tasks",
            Tab::Channels => "channels",
        }
    }

    /// Its columns, and whether numbers stand in them.
    pub const fn columns(self) -> &'static [(&'static str, bool)] {
        match self {
            Tab::Locks => &[
                ("WAIT/s", true),
                ("WAITS/s", true),
                ("ACQUIRED/s", true),
                ("WAITING", true),
                ("LIVE", true),
                ("LOCK", false),
                ("CREATED AT", false),
            ],
            Tab::Waits => &[
                ("AGE", true),
                ("COUNT", true),
                ("WHO", false),
                ("DOES", false),
                ("AT", false),
                ("ON", false),
                ("HELD BY", false),
                ("SPAWNED AT", false),
            ],
            Tab::Tasks => &[
                ("LIVE", true),
                ("BLOCKED", true),
                ("SPAWNED/s", true),
                ("ENDED/s", true),
                ("SPAWNED", true),
                ("KIND", false),
                ("SPAWNED AT", false),
            ],
            Tab::Channels => &[
                ("SENDS/s", true),
                ("WAIT/s", true),
                ("WAITING", true),
                ("SENDS", true),
                ("FAILED", true),
                ("CHANNEL", false),
                ("CREATED AT", false),
            ],
        }
    }
}

/// One cell: what it shows, and what it is sorted by.
#[derive(Clone, Debug)]
pub struct Cell {
    /// What is shown.
    pub text: String,
    number: Option<f64>,
}

impl Cell {
    fn number(number: f64, text: String) -> Self {
        Self { text, number: Some(number) }
    }

    fn count(count: u64) -> Self {
        Self::number(count as f64, count.to_string())
    }

    fn rate(frame: &Frame, count: u64) -> Self {
        let rate = frame.rate(count);
        Self::number(rate, if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") })
    }

    /// Time in a second: above one second it is that of several parties.
    fn share(frame: &Frame, ns: u64) -> Self {
        let rate = frame.rate(ns);
        Self::number(rate, if rate < 1.0 { "-".into() } else { duration(rate as u64) })
    }

    /// Texts are from the trace: harmless for a terminal, since all of them come by here.
    fn text(text: impl AsRef<str>) -> Self {
        Self { text: shown(text.as_ref()), number: None }
    }

    /// Greater numbers come first, and texts by the alphabet.
    fn order(&self, other: &Self) -> Ordering {
        match (self.number, other.number) {
            (Some(one), Some(other)) => other.total_cmp(&one),
            _ => self.text.cmp(&other.text),
        }
    }
}

/// A row, and what it is about.
#[derive(Clone, Debug)]
pub struct Row {
    /// A cell for each column.
    pub cells: Vec<Cell>,
    /// The place of what it shows, in the frame's list.
    pub place: usize,
    /// Nobody is troubled by it.
    pub dim: bool,
}

/// The rows of a table: those that the filter leaves, by the column asked for; `None` for the table's own order.
pub fn rows(frame: &Frame, tab: Tab, by: Option<usize>, filter: &str) -> Vec<Row> {
    let filter = filter.to_lowercase();
    let mut rows: Vec<Row> = match tab {
        Tab::Locks => {
            let classes = frame.classes.iter().enumerate().filter(|(_, class)| !is_channel(class));
            classes.map(|(place, class)| lock(frame, place, class)).collect()
        }
        Tab::Channels => {
            let classes = frame.classes.iter().enumerate().filter(|(_, class)| is_channel(class));
            classes.map(|(place, class)| channel(frame, place, class)).collect()
        }
        Tab::Tasks => {
            frame.populations.iter().enumerate().map(|(place, of)| tasks(frame, place, of)).collect()
        }
        Tab::Waits => waits(&frame.waits),
    };
    rows.retain(|row| row.cells.iter().any(|cell| cell.text.to_lowercase().contains(&filter)));
    // What the frame lists in no order needs one; waits come in theirs.
    let by = by.or((tab != Tab::Waits).then_some(0));
    if let Some(column) = by {
        let rest = |row: &Row| row.cells.iter().rev().map(|cell| cell.text.clone()).collect::<Vec<_>>();
        rows.sort_by(|one, other| {
            one.cells[column].order(&other.cells[column]).then_with(|| rest(one).cmp(&rest(other)))
        });
    }
    rows
}

fn is_channel(class: &ClassNow) -> bool {
    class.all.counts.contains_key("sends")
}

fn object(class: &ClassNow) -> Cell {
    let (kind, name) = (&class.all.kind, &class.all.name);
    Cell::text(if name.is_empty() { kind.clone() } else { format!("{kind} {name}") })
}

fn lock(frame: &Frame, place: usize, class: &ClassNow) -> Row {
    let cells = vec![
        Cell::share(frame, class.stood_ns),
        Cell::rate(frame, class.waits),
        Cell::rate(frame, class.acquisitions),
        Cell::count(class.all.waiting),
        Cell::count(class.all.live),
        object(class),
        Cell::text(&*class.all.created_at),
    ];
    Row { cells, place, dim: class.stood_ns == 0 && class.all.waiting == 0 }
}

fn channel(frame: &Frame, place: usize, class: &ClassNow) -> Row {
    let cells = vec![
        Cell::rate(frame, class.sends),
        Cell::share(frame, class.stood_ns),
        Cell::count(class.all.waiting),
        Cell::count(super::frame::sends(&class.all)),
        Cell::count(class.all.counts.get("failed sends").copied().unwrap_or(0)),
        object(class),
        Cell::text(&*class.all.created_at),
    ];
    Row { cells, place, dim: class.sends == 0 && class.stood_ns == 0 }
}

fn tasks(frame: &Frame, place: usize, of: &PopulationNow) -> Row {
    let cells = vec![
        Cell::count(of.all.live),
        Cell::count(of.all.blocked),
        Cell::rate(frame, of.spawned),
        Cell::rate(frame, of.ended),
        Cell::count(of.all.spawned),
        Cell::text(&*of.all.kind),
        Cell::text(&*of.all.spawned_at),
    ];
    Row { cells, place, dim: of.all.live == 0 }
}

/// Waits alike in one row, with the oldest of them.
fn waits(waits: &[WaitNow]) -> Vec<Row> {
    let mut alike: HashMap<_, usize> = HashMap::new();
    let mut groups: Vec<(usize, u64)> = vec![];
    for (place, wait) in waits.iter().enumerate() {
        let what = (wait.operation, &wait.at, &wait.object, &wait.holders, &wait.spawned_at);
        let group = *alike.entry(what).or_insert(groups.len());
        match groups.get_mut(group) {
            Some((_, count)) => *count += 1,
            None => groups.push((place, 1)),
        }
    }
    groups.into_iter().map(|(place, count)| wait(place, &waits[place], count)).collect()
}

fn wait(place: usize, of: &WaitNow, count: u64) -> Row {
    let cells = vec![
        Cell::number(of.since_ns as f64, duration(of.since_ns)),
        Cell::count(count),
        Cell::text(&*of.who),
        Cell::text(of.operation.name()),
        Cell::text(&*of.at),
        Cell::text(&*of.object),
        Cell::text(of.holders.join(", ")),
        Cell::text(&*of.spawned_at),
    ];
    Row { cells, place, dim: of.idle }
}
