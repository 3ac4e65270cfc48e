//! One view as text, all tables of it: for scripts, and where no terminal reads.
use super::draw::{headline, state};
use super::frame::Frame;
use super::table::{Tab, rows};
use std::fmt::Write;

/// The view, in lines as wide as they need.
pub fn plain(frame: &Frame) -> String {
    let mut text = format!("{}\n{}\n", headline(frame), state(frame));
    for tab in Tab::ALL {
        let (columns, rows) = (tab.columns(), rows(frame, tab, None, ""));
        if rows.is_empty() {
            continue;
        }
        let wide = |column: usize| {
            let cells = rows.iter().map(|row| row.cells[column].text.chars().count());
            cells.chain([columns[column].0.len()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns.len()).map(wide).collect();
        let line = |cells: Vec<&str>| {
            let mut line = String::new();
            for ((cell, (_, right)), width) in cells.iter().zip(columns).zip(&widths) {
                // Writing to a string does not fail.
                let _ = match right {
                    true => write!(line, "{cell:>width$}  "),
                    false => write!(line, "{cell:<width$}  "),
                };
            }
            line.trim_end().to_owned() + "\n"
        };
        text += &format!("\n{}\n", tab.name());
        text += &line(columns.iter().map(|column| column.0).collect());
        for row in &rows {
            text += &line(row.cells.iter().map(|cell| &*cell.text).collect());
        }
    }
    text
}
