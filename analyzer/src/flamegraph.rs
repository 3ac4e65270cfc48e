//! Flame graphs as SVG; the only user of `inferno`, which escapes all names.
use inferno::flamegraph::{Options, from_lines};
use std::io;

/// What a graph shows.
#[derive(Clone, Copy, Debug)]
pub struct Labels {
    /// Above it.
    pub title: &'static str,
    /// What a frame's width counts: "µs", "tasks".
    pub unit: &'static str,
    /// What it says where there is nothing.
    pub empty: &'static str,
}

/// Draws folded lines.
///
/// # Errors
/// Writing to `out` fails, or a line is malformed.
pub fn draw(lines: &[String], labels: Labels, out: impl io::Write) -> io::Result<()> {
    if lines.is_empty() {
        return draw_nothing(labels, out);
    }
    let mut options = Options::default();
    options.title = labels.title.into();
    options.count_name = labels.unit.into();
    options.min_width = 0.05;
    from_lines(&mut options, lines.iter().map(String::as_str), out).map_err(io::Error::other)
}

fn draw_nothing(Labels { title, empty, .. }: Labels, mut out: impl io::Write) -> io::Result<()> {
    writeln!(
        out,
        r##"<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="120" viewBox="0 0 1200 120" font-family="sans-serif">
<rect width="1200" height="120" fill="#f8f8f8"/>
<text x="600" y="40" font-size="20" text-anchor="middle">{title}</text>
<text x="600" y="80" font-size="14" text-anchor="middle" fill="#555">{empty}</text>
</svg>"##
    )
}

#[cfg(test)]
mod tests {
    use super::{Labels, draw};

    const LABELS: Labels = Labels { title: "Time waited", unit: "µs", empty: "Nobody waited." };

    #[test]
    fn names_are_escaped_and_nothing_is_drawn_as_such() {
        let mut svg = vec![];
        draw(&["main;<script>alert(1)</script> & \"co\" 7".into()], LABELS, &mut svg).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        assert!(!svg.contains("<script>alert"), "{svg}");
        assert!(svg.contains("&lt;script&gt;"));
        let mut svg = vec![];
        draw(&[], LABELS, &mut svg).unwrap();
        assert!(String::from_utf8(svg).unwrap().contains("Nobody waited."));
    }
}
