//! Flame graphs as SVG; the only user of `inferno`, which escapes all names.
use inferno::differential;
use inferno::flamegraph::{Options, from_lines};
use std::io;

/// A space that separates nothing.
const BOUND: &str = "\u{a0}";

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
    draw_told(&lines.iter().map(|line| one_number(line)).collect::<Vec<_>>(), labels, out)
}

/// A folded line whose weight is its only number to readers of such lines: a second one before it, as in "task 17 3", says to
/// them that this is a difference. Names that end in a number get a space there that separates nothing; all of them, wherever
/// in the path, so that equal names stay equal.
pub fn one_number(line: &str) -> String {
    let Some((path, weight)) = line.rsplit_once(' ') else { return line.into() };
    let frames = path.split(';').map(|frame| match frame.trim_end().rsplit_once(' ') {
        Some((name, number)) if number.chars().all(|c| c.is_ascii_digit() || c == '.') => {
            format!("{name}{BOUND}{number}")
        }
        _ => frame.into(),
    });
    format!("{} {weight}", frames.collect::<Vec<_>>().join(";"))
}

/// Draws lines that are as `inferno` takes them, with one number each or with two.
fn draw_told(lines: &[String], labels: Labels, mut out: impl io::Write) -> io::Result<()> {
    if lines.is_empty() {
        return draw_nothing(labels, out);
    }
    let mut options = Options::default();
    options.title = labels.title.into();
    options.count_name = labels.unit.into();
    options.min_width = 0.05;
    let mut svg = vec![];
    from_lines(&mut options, lines.iter().map(String::as_str), &mut svg).map_err(io::Error::other)?;
    // Who searches for "task 17" types a plain space.
    let svg = String::from_utf8(svg).map_err(io::Error::other)?;
    out.write_all(svg.replace(BOUND, " ").as_bytes())
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
    let told = |lines: &[String]| lines.iter().map(|line| one_number(line) + "\n").collect::<String>();
    let [before, after] = [before, after].map(told);
    let mut both = vec![];
    let options = differential::Options::default();
    differential::from_readers(options, before.as_bytes(), after.as_bytes(), &mut both)?;
    let both = String::from_utf8(both).map_err(io::Error::other)?;
    draw_told(&both.lines().map(str::to_owned).collect::<Vec<_>>(), labels, out)
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

    /// The title of the frame of this name, and its colour.
    fn frame(svg: &str, name: &str) -> (String, Vec<u32>) {
        let named = |frame: &&str| frame.contains(&format!("<title>{name} ("));
        let mut frames = svg.split("<g>").filter(named);
        let frame = frames.next().unwrap_or_else(|| panic!("no {name}: {svg}"));
        assert!(frames.next().is_none(), "{name} twice: {svg}");
        let title = frame.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        let rgb = frame.split("rgb(").nth(1).unwrap().split(')').next().unwrap();
        (title.into(), rgb.split(',').map(|part| part.parse().unwrap()).collect())
    }

    #[test]
    fn a_name_that_ends_in_a_number_is_no_difference() {
        let mut svg = vec![];
        let lines = [
            "a;join on task 17 1",
            "a;join on task 18 1",
            "a;version 1.5 1",
            "a;trailing 7  1",
            "thread 3 4",
            "thread 3;run 5",
        ];
        draw(&lines.map(String::from), LABELS, &mut svg).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        let names = ["join on task 17", "join on task 18", "version 1.5", "trailing 7", "run"];
        for name in names {
            let (title, _) = frame(&svg, name);
            assert!(!title.contains("%; "), "{title}");
        }
        // What it does itself and what it calls are one frame.
        assert!(frame(&svg, "thread 3").0.contains("(9 µs"), "{svg}");
    }

    #[test]
    fn a_difference_is_red_and_blue() {
        let mut svg = vec![];
        let before = ["a;b 90", "a;c 10", "a;task 17 5"].map(String::from);
        let after = ["a;b 10", "a;c 90", "a;task 17 5"].map(String::from);
        draw_difference(&before, &after, LABELS, &mut svg).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        let ((_, shrank), (_, grew)) = (frame(&svg, "b"), frame(&svg, "c"));
        assert!(shrank[2] > shrank[0] && grew[0] > grew[2], "{shrank:?} {grew:?}");
        let (same, _) = frame(&svg, "task 17");
        assert!(same.contains("(5 µs") && same.ends_with("; 0.00%)"), "{same}");
    }
}
