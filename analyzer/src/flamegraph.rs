//! Flame graphs as SVG; the only user of `inferno`, which escapes all names.
use inferno::differential;
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

/// Draws what changed between folded lines before and after: widths are those after, red grew and blue shrank.
///
/// # Errors
/// As [`draw`].
pub fn draw_difference(
    before: &[String],
    after: &[String],
    labels: Labels,
    out: impl io::Write,
) -> io::Result<()> {
    let [before, after] = [before, after].map(|lines| lines.join("\n"));
    let mut both = vec![];
    let options = differential::Options::default();
    differential::from_readers(options, before.as_bytes(), after.as_bytes(), &mut both)?;
    let both = String::from_utf8(both).map_err(io::Error::other)?;
    draw(&both.lines().map(str::to_owned).collect::<Vec<_>>(), labels, out)
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
    use super::{Labels, draw, draw_difference};

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

    #[test]
    fn a_difference_is_red_and_blue() {
        let mut svg = vec![];
        let (before, after) = (["a;b 90".into(), "a;c 10".into()], ["a;b 10".into(), "a;c 90".into()]);
        draw_difference(&before, &after, LABELS, &mut svg).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        let rect = |name: &str| {
            let frame = svg.split("<g>").find(|frame| frame.contains(&format!("<title>{name} ("))).unwrap();
            let rgb = frame.split("rgb(").nth(1).unwrap().split(')').next().unwrap();
            rgb.split(',').map(|part| part.parse::<u32>().unwrap()).collect::<Vec<_>>()
        };
        let (shrank, grew) = (rect("b"), rect("c"));
        assert!(shrank[2] > shrank[0] && grew[0] > grew[2], "{shrank:?} {grew:?}");
    }
}
