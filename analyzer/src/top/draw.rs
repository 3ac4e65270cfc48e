//! How the view is painted: two lines above, a table or what was opened of it, and a line of keys.
use super::app::{App, KEYS};
use super::frame::Frame;
use super::table::{Row as Line, Tab};
use lockprof_engine::findings::duration;
use lockprof_engine::report::shown;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style, Stylize};
use ratatui::text::Line as Text;
use ratatui::widgets::{Block, Cell, Clear, Paragraph, Row, Table, TableState, Wrap};

/// Columns of a text that is shown whole, however narrow the terminal is.
const SHORT: u16 = 28;

/// Columns between two of the table's.
const SPACING: u16 = 2;

/// Paints all of it.
pub fn draw(app: &App, to: &mut ratatui::Frame<'_>) {
    let parts = [Constraint::Length(2), Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)];
    let [above, tabs, middle, below] = Layout::vertical(parts).areas(to.area());
    let troubled = app.frame.findings.iter().sum::<usize>() > 0 || app.frame.note.is_some();
    let state = Text::from(state(&app.frame));
    let state = if troubled { state.yellow() } else { state.dim() };
    to.render_widget(Paragraph::new(vec![Text::from(headline(&app.frame)).bold(), state]), above);
    to.render_widget(tab_line(app), tabs);
    match &app.open {
        Some((lines, scrolled)) => {
            let lines: Vec<Text<'_>> = lines.iter().skip(*scrolled).map(|line| Text::from(&**line)).collect();
            to.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), middle);
        }
        None => table(app, to, middle),
    }
    to.render_widget(Paragraph::new(last_line(app)).dim(), below);
    if app.help {
        help(to, middle);
    }
}

/// What is looked at, and how much there is of it.
pub fn headline(frame: &Frame) -> String {
    let session = &frame.model.session;
    let program = session.exe.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("unknown program");
    let live = |thread: bool| -> u64 {
        let of = frame.populations.iter().filter(|of| (of.all.kind == "thread") == thread);
        of.map(|of| of.all.live).sum()
    };
    let sends = frame.rate(frame.classes.iter().map(|class| class.sends).sum());
    format!(
        "{}, process {}, recorded for {}: {} tasks and {} threads live, {sends:.0} sends/s",
        shown(program),
        session.pid,
        duration(frame.recorded_ns),
        live(false),
        live(true)
    )
}

/// Who waits, and what is found.
pub fn state(frame: &Frame) -> String {
    let idle = frame.waits.iter().filter(|wait| wait.idle).count();
    let [proved, suspected] = frame.findings;
    let mut state = format!("{} blocked, {idle} idle", frame.waits.len() - idle);
    if proved + suspected > 0 {
        state +=
            &format!("; findings: {proved} proved, {suspected} suspected (`lockprof analyze` tells them)");
    }
    if frame.lost > 0 {
        state += &format!("; {} events lost", frame.lost);
    }
    if let Some(note) = &frame.note {
        state += &format!("; {}", shown(note));
    }
    state
}

fn tab_line(app: &App) -> Paragraph<'static> {
    let mut line = Text::default();
    for (number, tab) in (1..).zip(Tab::ALL) {
        let style = if tab == app.tab { Style::new().reversed() } else { Style::new() };
        line.push_span(ratatui::text::Span::styled(format!(" {number} {} ", tab.name()), style));
    }
    if app.typing || !app.filter.is_empty() {
        line.push_span(format!("  /{}{}", app.filter, if app.typing { "_" } else { "" }));
    }
    if app.paused {
        line.push_span("  paused".yellow());
    }
    Paragraph::new(line)
}

fn table(app: &App, to: &mut ratatui::Frame<'_>, area: Rect) {
    let (columns, rows) = (app.tab.columns(), app.rows());
    let header = columns.iter().enumerate().map(|(number, (name, right))| {
        let text = Text::from(*name).style(if number == app.sorted_by() {
            Style::new().bold().underlined()
        } else {
            Style::new().bold()
        });
        Cell::from(if *right { text.right_aligned() } else { text })
    });
    let wide = |column: usize| {
        let cells = rows.iter().map(|row| row.cells[column].text.chars().count());
        cells.chain([columns[column].0.len()]).max().unwrap_or(0) as u16
    };
    // Numbers and short texts are whole; the others share what is left.
    let widths = columns.iter().enumerate().map(|(number, (_, right))| match wide(number) {
        width if *right || width <= SHORT => Constraint::Length(width),
        width => Constraint::Max(width),
    });
    let widths: Vec<Constraint> = widths.collect();
    let places = Layout::horizontal(&widths).spacing(SPACING).split(area);
    let lines = rows.iter().map(|row| line(row, columns, &places));
    let table = Table::new(lines, widths)
        .header(Row::new(header))
        .column_spacing(SPACING)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::default().with_selected((!rows.is_empty()).then_some(app.chosen));
    to.render_stateful_widget(table, area, &mut state);
}

fn line(row: &Line, columns: &[(&str, bool)], places: &[Rect]) -> Row<'static> {
    let cells = row.cells.iter().zip(columns).zip(places).map(|((cell, (_, right)), place)| {
        let text = Text::from(fit(&cell.text, place.width.into()));
        Cell::from(if *right { text.right_aligned() } else { text })
    });
    let cells = Row::new(cells);
    if row.dim { cells.dim() } else { cells }
}

/// The text in so many columns: of one that is too long its end, where file and line stand, and some of its begin.
fn fit(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width || width < 4 {
        return text.into();
    }
    let begin = (width - 1) / 4;
    let head = text.chars().take(begin);
    head.chain(['…']).chain(text.chars().skip(count - (width - 1 - begin))).collect()
}

fn last_line(app: &App) -> String {
    match &*app.message {
        "" if app.open.is_some() => "Esc back  j k scroll  ? help  q quit".into(),
        "" => "Enter stacks  s sort  / filter  Space pause  w snapshot  ? help  q quit".into(),
        message => message.into(),
    }
}

fn help(to: &mut ratatui::Frame<'_>, area: Rect) {
    let lines: Vec<Text<'_>> =
        KEYS.iter().map(|(keys, does)| Text::from(format!(" {keys:<14} {does}"))).collect();
    let size = Rect { height: (lines.len() as u16 + 2).min(area.height), ..area };
    to.render_widget(Clear, size);
    to.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys ")), size);
}
