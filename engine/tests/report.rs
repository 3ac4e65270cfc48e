//! The report as it is printed, and the folder that it is written to.
mod story;

use lockprof_engine::report::text::render;
use lockprof_engine::report::{TextOptions, fingerprint};
use lockprof_trace::Operation::{Lock, Send};
use lockprof_trace::{Event, HoldSource, Kind, Loss, Role, WaitEnd};
use story::{BEGIN, FINISH, SECOND, Story};

fn shop() -> Story {
    let mut story = Story::new();
    let (stock, orders) = (story.object(Kind::StdMutex, 10), story.object(Kind::Mutex, 11));
    let (clerk, packer, boss) = (story.thread(20), story.thread(21), story.thread(22));
    story.add(Event::Name { object: orders, name: "orders".into() });
    story.counts(stock, 1_200, 2);
    story.counts(orders, 900, 4);
    story.held(BEGIN + SECOND, 80, clerk, stock, 30, HoldSource::Sampled);
    story.held(BEGIN + SECOND, 7_000_000, packer, orders, 40, HoldSource::Coarse);
    story.waited(BEGIN + SECOND, 6_500_000, boss, Lock, orders, 50, WaitEnd::Done, 40);
    story.holds(clerk, stock, 30);
    story.waits(clerk, Lock, orders, 31);
    story.holds(packer, orders, 40);
    story.waits(packer, Lock, stock, 41);
    story.waits(boss, Lock, orders, 50);
    let (calls, gone) = (story.object(Kind::TokioChannel, 12), story.task(23));
    story.handle(gone, Role::Receiver, calls, 12, 3);
    story.ends(gone);
    for _ in 0..5 {
        let task = story.task(24);
        story.waits(task, Send, calls, 60);
    }
    story.lost(Loss::Events, 12);
    story
}

#[test]
fn cores_whose_clocks_are_apart_are_told() {
    let of = |ticks: u64, uncertain: u64| {
        let mut story = Story::new();
        story.add(Event::Skew { ticks, uncertain, cores: 2 });
        let report = story.report();
        assert_eq!(report.processes[0].clock_skew_ns, Some([ticks, uncertain]));
        render(&report, &TextOptions { color: false, width: 120 })
    };
    assert!(of(7_000, 50).contains("clock:    cores are up to 7.0 µs apart (give or take 50 ns)"));
    assert!(
        !of(40, 50).contains("clock:")
            && !of(7_000, 8_000).contains("clock:")
            && !of(76, 61).contains("clock:")
    );
    assert_eq!(shop().report().processes[0].clock_skew_ns, None);
}

#[test]
fn the_text_for_a_wide_terminal() {
    insta::assert_snapshot!(render(&shop().report(), &TextOptions { color: false, width: 120 }));
}

#[test]
fn tables_fit_and_break_no_place() {
    for width in 40..130 {
        let text = render(&shop().report(), &TextOptions { color: false, width });
        // Sentences are left to the terminal.
        let tables =
            text.split("\n\n").filter(|part| part.lines().nth(2).is_some_and(|line| line.starts_with('─')));
        let mut lines = tables.flat_map(|table| table.lines().skip(1)).peekable();
        assert!(lines.peek().is_some(), "{text}");
        for line in lines {
            assert!(line.chars().count() <= width, "{width}: {line}\n{text}");
            // Each place is whole: what begins a line number is a file.
            assert!(!line.trim_start().starts_with(|c: char| c.is_ascii_digit()), "{width}: {line}\n{text}");
        }
        for place in ["shop.rs:10", "shop.rs:24"] {
            assert!(text.contains(place), "{width}: no {place} in\n{text}");
        }
    }
}

#[test]
fn colours_only_where_asked_for() {
    let colour =
        |color: bool| render(&shop().report(), &TextOptions { color, width: 100 }).contains('\u{1b}');
    assert_eq!([colour(false), colour(true)], [false, true]);
}

#[test]
fn an_empty_recording() {
    let text = render(&Story::new().report(), &TextOptions::default());
    assert!(text.contains("lost:     nothing") && text.ends_with("findings: none\n"), "{text}");
}

#[test]
fn names_from_the_trace_do_not_harm_the_terminal() {
    let mut story = Story::new();
    let (lock, party) = (story.object(Kind::Mutex, 10), story.thread(20));
    story.add(Event::Name { object: lock, name: "\u{1b}[2J<script>alert(1)</script>;a\nb".into() });
    story.holds(party, lock, 30);
    story.waits(party, Lock, lock, 31);
    let site = 0x1000 + 10;
    story.add(Event::Site { site, file: "<script>;\u{1b}.rs".into(), line: 10, column: 1 });
    let report = story.report();
    assert!(!render(&report, &TextOptions::default()).contains('\u{1b}'));
}

#[test]
fn the_json_has_the_fields_of_its_schema() {
    let mut story = shop();
    story.waited(FINISH - 1, 10, story_party(), Lock, 4, 50, WaitEnd::Done, 0);
    let json = serde_json::to_value(story.report()).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["lost"]["events"], 12);
    let schema = include_str!("../SCHEMA.md");
    let mut missing = vec![];
    fields(&json, &mut |field| {
        if !schema.contains(&format!("`{field}`")) {
            missing.push(field.to_owned());
        }
    });
    assert!(missing.is_empty(), "not described in SCHEMA.md: {missing:?}");
}

fn story_party() -> lockprof_trace::Party {
    lockprof_trace::Party::thread(1)
}

/// Calls `tell` with each name of a field; the names in `counts` and `lost` are kinds.
fn fields(value: &serde_json::Value, tell: &mut impl FnMut(&str)) {
    match value {
        serde_json::Value::Array(values) => values.iter().for_each(|value| fields(value, tell)),
        serde_json::Value::Object(values) => values.iter().for_each(|(name, value)| {
            tell(name);
            if name != "counts" && name != "lost" {
                fields(value, tell);
            }
        }),
        _ => {}
    }
}

#[test]
fn quantiles_and_sites_of_a_class() {
    let mut story = Story::new();
    let (lock, party) = (story.object(Kind::Mutex, 10), story.thread(20));
    for n in 1..=100u64 {
        story.waited(BEGIN + n * SECOND / 100, n * 1_000, party, Lock, lock, 30, WaitEnd::Done, 40);
        story.held(BEGIN + n * SECOND / 100, 50, party, lock, 40, HoldSource::Sampled);
    }
    story.counts(lock, 25_600, 100);
    let report = story.report();
    let class = &report.classes[0];
    assert_eq!((class.acquisitions, class.contended), (25_600, 100));
    let waits = class.wait_ns;
    assert_eq!((waits.total, waits.p50, waits.p99, waits.max), (5_050_000, 50_000, 99_000, 100_000));
    assert_eq!((class.hold_ns.p50, class.hold_ns.total), (50, 50 * 25_600));
    let (wait, hold) = (&class.waiting_sites[0], &class.holding_sites[0]);
    assert_eq!((&*wait.at, wait.count, wait.ns), ("shop.rs:30:5", 100, 5_050_000));
    assert_eq!((&*hold.at, hold.ns, hold.caused_ns), ("shop.rs:40:5", 50 * 25_600, 5_050_000));
}

#[test]
fn what_is_held_in_the_end_counts_up_to_there() {
    let mut story = Story::new();
    let (lock, free) = (story.object(Kind::Mutex, 10), story.object(Kind::Mutex, 11));
    let (one, other) = (story.thread(20), story.thread(21));
    story.counts(lock, 3, 0);
    story.counts(free, 1, 0);
    story.held(BEGIN + SECOND, 7_000_000, one, lock, 30, HoldSource::Coarse);
    story.held(BEGIN + SECOND, 5_000_000, one, free, 31, HoldSource::Coarse);
    story.holds(one, lock, 30);
    story.holds(other, lock, 40);
    // An end of a channel is nothing that is held, and a guard that was dropped is not held any more.
    let calls = story.object(Kind::TokioChannel, 12);
    story.handle(one, Role::Receiver, calls, 12, 3);
    let report = story.report();
    let class = |line: u64| {
        let at = format!("shop.rs:{line}:5");
        report.classes.iter().find(|class| class.created_at == at).unwrap()
    };
    let open = FINISH - BEGIN - 10;
    let (held, free) = (class(10), class(11));
    assert_eq!((held.holding, held.hold_ns.max, held.hold_ns.p99), (2, open, open));
    assert_eq!(held.hold_ns.total, 7_000_000 + 2 * open);
    let sites: Vec<_> = held
        .holding_sites
        .iter()
        .map(|site| (&*site.at, site.count, site.still, site.ns, site.max_ns))
        .collect();
    assert_eq!(sites, [("shop.rs:30:5", 2, 1, 7_000_000 + open, open), ("shop.rs:40:5", 1, 1, open, open)]);
    assert_eq!((free.holding, free.hold_ns.max, free.holding_sites[0].still), (0, 5_000_000, 0));
    assert_eq!(report.classes.iter().map(|class| class.holding).sum::<u64>(), 2);
}

#[test]
fn a_circle_is_the_same_whoever_comes_first() {
    // Two threads that wait for each other; the one that waits at line 31 came first, or the other one.
    let circle = |first: bool| {
        let mut story = Story::new();
        let (one, other) = (story.object(Kind::Mutex, 10), story.object(Kind::Mutex, 11));
        let (clerk, packer) = (story.thread(20), story.thread(21));
        story.holds(clerk, one, 30);
        story.holds(packer, other, 40);
        let since = [BEGIN + SECOND, BEGIN + 2 * SECOND];
        story.waits_since(since[usize::from(!first)], clerk, Lock, other, 31);
        story.waits_since(since[usize::from(first)], packer, Lock, one, 41);
        story.report().findings
    };
    let (one, other) = (circle(true), circle(false));
    assert_eq!([one.len(), other.len()], [1, 1]);
    assert_ne!(one[0].at, other[0].at, "it is told where it began");
    assert_eq!(fingerprint(&one[0]), "LP0001 shop.rs:31 | shop.rs:41");
    assert_eq!(fingerprint(&one[0]), fingerprint(&other[0]));
    // What has one line is known by that, as it ever was.
    let mut story = Story::new();
    let (lock, clerk) = (story.object(Kind::Mutex, 10), story.thread(20));
    story.holds(clerk, lock, 30);
    story.waits(clerk, Lock, lock, 31);
    assert_eq!(fingerprint(&story.report().findings[0]), "LP0001 shop.rs:31");
    let sends = shop().report().findings.into_iter().find(|finding| finding.code == "LP0003").unwrap();
    assert_eq!(fingerprint(&sends), "LP0003 shop.rs:60");
}

#[test]
fn two_orders_are_the_same_whichever_lock_was_made_first() {
    let orders = |swapped: bool| {
        let mut story = Story::new();
        let (mut one, mut other) = (story.object(Kind::Mutex, 10), story.object(Kind::Mutex, 10));
        if swapped {
            (one, other) = (other, one);
        }
        let (clerk, packer) = (story.thread(20), story.thread(21));
        story.nested(clerk, Lock, (other, 31), &[(one, 30)]);
        story.nested(packer, Lock, (one, 41), &[(other, 40)]);
        let findings = story.report().findings;
        fingerprint(findings.iter().find(|finding| finding.code == "LP0010").unwrap())
    };
    assert_eq!(orders(false), "LP0010 shop.rs:30 | shop.rs:31 | shop.rs:40 | shop.rs:41");
    assert_eq!(orders(true), orders(false));
}

#[test]
fn on_a_narrow_terminal_no_line_of_numbers_is_broken() {
    for width in [60, 77, 80] {
        let text = render(&shop().report(), &TextOptions { color: false, width });
        let sites = text.lines().skip_while(|line| !line.contains("wall time")).filter(|line| {
            ["  waiting  ", "  holding  ", "    lock ", "    held ", "    send "]
                .iter()
                .any(|begin| line.starts_with(begin))
        });
        let widths: Vec<usize> = sites.map(|line| line.chars().count()).collect();
        assert!(widths.len() >= 4 && widths.iter().all(|wide| *wide <= width), "{width}: {widths:?}\n{text}");
    }
}

#[test]
fn what_is_left_out_is_told() {
    let mut story = Story::new();
    for line in 100..115 {
        story.object(Kind::Watcher, line);
    }
    let lock = story.object(Kind::Mutex, 10);
    story.counts(lock, 1, 0);
    story.add(Event::Name { object: lock, name: "n".repeat(50).into() });
    let text = render(&story.report(), &TextOptions { color: false, width: 200 });
    assert!(text.contains("and 3 more lines that register watchers: see report.json"), "{text}");
    assert!(text.contains(&format!("{}… ", "n".repeat(39))), "{text}");
}
