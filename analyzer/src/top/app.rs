//! What is looked at, and what the keys change of it.
use super::detail::detail;
use super::frame::Frame;
use super::table::{Row, Tab, rows};
use lockprof_engine::symbols::Resolve;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key asks of whoever runs the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// To draw again.
    Draw,
    /// To write a snapshot.
    Save,
    /// To end.
    Quit,
}

/// The state of the view.
pub struct App {
    /// What is shown.
    pub frame: Frame,
    /// Which table.
    pub tab: Tab,
    /// The column that sorts; `None` for the table's own order.
    pub by: Option<usize>,
    /// What rows must contain.
    pub filter: String,
    /// Whether the filter is being typed.
    pub typing: bool,
    /// The row that is chosen.
    pub chosen: usize,
    /// What stands behind a row that was opened, and how far it is scrolled.
    pub open: Option<(Vec<String>, usize)>,
    /// Whether the keys are explained.
    pub help: bool,
    /// Whether the frame stays as it is.
    pub paused: bool,
    /// What has happened, for the last line.
    pub message: String,
}

/// The keys, and what they do.
pub const KEYS: [(&str, &str); 12] = [
    ("1 2 3 4, Tab", "locks, waits, tasks, channels"),
    ("up down, j k", "choose a row; scroll what is open"),
    ("PgUp PgDn", "the same by ten"),
    ("Enter", "stacks and holders behind the row"),
    ("Esc", "back; takes the filter out"),
    ("s", "sort by the next column"),
    ("/", "filter rows by a text, Enter when it is typed"),
    ("Space", "pause, and go on"),
    ("w", "write a snapshot, a trace that `lockprof analyze` reads"),
    ("?", "this help"),
    ("q, Ctrl-C", "quit"),
    ("WAIT/s", "time waited in a second, all parties together: 2.00 s is two that wait all the time"),
];

impl App {
    /// Shows this first.
    pub fn new(frame: Frame) -> Self {
        Self {
            frame,
            tab: Tab::Locks,
            by: None,
            filter: String::new(),
            typing: false,
            chosen: 0,
            open: None,
            help: false,
            paused: false,
            message: String::new(),
        }
    }

    /// The rows that are shown.
    pub fn rows(&self) -> Vec<Row> {
        rows(&self.frame, self.tab, self.by, &self.filter)
    }

    /// Takes a newer frame, unless it is paused.
    pub fn update(&mut self, frame: Frame) {
        if !self.paused {
            self.frame = frame;
            self.choose(0);
        }
    }

    /// Does what a key asks for; names of addresses come from `symbols`.
    pub fn key(&mut self, key: KeyEvent, symbols: &dyn Resolve) -> Does {
        self.message.clear();
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => return Does::Quit,
            KeyCode::Char(_) if control => {}
            code if self.typing => self.typed(code),
            KeyCode::Char('q') => return Does::Quit,
            KeyCode::Char('w') => return Does::Save,
            KeyCode::Char('?') => self.help = !self.help,
            KeyCode::Char(' ') => self.paused = !self.paused,
            KeyCode::Char('s') => self.by = Some((self.sorted_by() + 1) % self.tab.columns().len()),
            KeyCode::Char('/') => {
                (self.typing, self.open) = (true, None);
                self.filter.clear();
            }
            KeyCode::Char(digit @ '1'..='4') => self.go(Tab::ALL[digit as usize - '1' as usize]),
            KeyCode::Tab => {
                let place = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or(0);
                self.go(Tab::ALL[(place + 1) % Tab::ALL.len()]);
            }
            KeyCode::Up | KeyCode::Char('k') => self.choose(-1),
            KeyCode::Down | KeyCode::Char('j') => self.choose(1),
            KeyCode::PageUp => self.choose(-10),
            KeyCode::PageDown => self.choose(10),
            KeyCode::Enter => {
                let rows = self.rows();
                self.open = rows.get(self.chosen).map(|row| (detail(&self.frame, self.tab, row, symbols), 0));
            }
            KeyCode::Esc if self.help => self.help = false,
            KeyCode::Esc if self.open.is_some() => self.open = None,
            KeyCode::Esc => self.filter.clear(),
            _ => {}
        }
        Does::Draw
    }

    /// The column that sorts now.
    pub fn sorted_by(&self) -> usize {
        self.by.unwrap_or(0)
    }

    fn typed(&mut self, code: KeyCode) {
        match code {
            KeyCode::Char(letter) => self.filter.push(letter),
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.filter.clear();
            }
            _ => {}
        }
        self.choose(0);
    }

    fn go(&mut self, tab: Tab) {
        (self.tab, self.by, self.chosen, self.open) = (tab, None, 0, None);
    }

    /// Moves by so many rows, and stays among those there are.
    fn choose(&mut self, by: isize) {
        let count = self.rows().len();
        let (place, last) = match &mut self.open {
            Some((lines, scrolled)) => (scrolled, lines.len().saturating_sub(1)),
            None => (&mut self.chosen, count.saturating_sub(1)),
        };
        *place = place.saturating_add_signed(by).min(last);
    }
}
