//! What comes from a trace, made fit to be shown: harmless for a terminal, and cut where the room ends.
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How the report is printed.
#[derive(Clone, Copy, Debug)]
pub struct TextOptions {
    /// Whether terminal colours are written.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { color: false, width: 120 }
    }
}

/// A text from the trace, made harmless for a terminal.
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// "file:line" without the column, and without the folders in front where they are many.
pub(crate) fn place(at: &str) -> String {
    let line = at.rsplit_once(':').map_or(at, |(line, _)| line);
    let parts: Vec<&str> = line.split('/').collect();
    let short =
        if parts.len() > 3 { format!("…/{}", parts[parts.len() - 2..].join("/")) } else { line.into() };
    shown(if short.is_empty() { "?" } else { &short })
}

/// The begin of a text that fits.
pub(crate) fn cut_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return shown(text);
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| {
        let wide = c.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    };
    shown(&format!("{}…", text.chars().take_while(fits).collect::<String>()))
}

/// The end of a place that fits; the line at least.
pub(crate) fn cut_begin(place: &str, width: usize) -> String {
    let line = place.rsplit_once(':').map_or(0, |(_, line)| line.width() + 1);
    let mut left = width.max(line + 1);
    if place.width() <= left {
        return shown(place);
    }
    left -= 1;
    let kept = place.char_indices().rev().take_while(|(_, c)| {
        let wide = c.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    });
    let from = kept.last().map_or(place.len(), |(at, _)| at);
    // A part of a folder's name says nothing.
    let from = place[from..].find('/').map_or(from, |slash| from + slash);
    shown(&format!("…{}", place[from..].trim_start_matches('…')))
}

#[cfg(test)]
mod tests {
    use super::{cut_begin, cut_end};

    #[test]
    fn places_keep_their_line() {
        assert_eq!(cut_begin("…/order_service/payment.rs:159", 18), "…/payment.rs:159");
        assert_eq!(cut_begin("blocking task …/order_service/main.rs:81", 28), "…/order_service/main.rs:81");
        assert_eq!(cut_begin("payment.rs:159", 3), "…:159");
        assert_eq!(cut_begin("a.rs:1", 80), "a.rs:1");
        assert_eq!(cut_end("parking_lot::Mutex", 8), "parking…");
        assert_eq!(cut_end("鍵鍵鍵鍵", 5), "鍵鍵…");
    }
}
