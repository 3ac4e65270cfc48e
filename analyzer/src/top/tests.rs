//! The view of a fixed recording, as it is painted and as its keys change it.
use super::table::Tab;
use super::{App, Does, Frame, Reading, draw, plain};
use lockprof_engine::model::Model;
use lockprof_engine::symbols::NoSymbols;
use lockprof_trace::{Event, Kind, Mode, Operation, Party};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

const SECOND: u64 = 1_000_000_000;

/// A service after so many seconds: a mutex that two tasks wait for, a channel that one task waits to send into, and a
/// receiver that is idle.
fn after(seconds: u64) -> Reading {
    let mut model = Model::new();
    let site = |site: u64| Event::Site { site, file: "src/shop.rs".into(), line: site, column: 5 };
    let class = |class, kind, site| Event::Class { class, kind, site, type_name: "Cart".into() };
    let task = |number| Event::Task {
        at: SECOND,
        task: Party::task(number),
        parent: Party::thread(1),
        class: 3,
        runtime: 0,
    };
    let wait = |party, object, operation, site, holder: u64| Event::OpenWait {
        since: SECOND * 2,
        party: Party::task(party),
        object,
        operation,
        site,
        stack: 0,
        holder: if holder == 0 { Party::UNKNOWN } else { Party::task(holder) },
        holder_site: if holder == 0 { 0 } else { 11 },
        limited: 0,
    };
    let counts = |object, count, contended| Event::Counts {
        object,
        count,
        contended,
        wait_ticks: 0,
        wait_max: 0,
        hold_ticks: 0,
        hold_max: 0,
        instances: 1,
        live: 1,
    };
    let events = [
        Event::Session {
            at: SECOND,
            unix_ns: 0,
            ticks_per_4s: 1 << 32,
            coarse_ticks: 1_000_000,
            mode: Mode::Profile,
            pid: 4711,
            exe: "/usr/bin/shop".into(),
            memory: "".into(),
            stacks: "none".into(),
            agent: "0.1.0".into(),
        },
        class(1, Kind::Mutex, 10),
        class(2, Kind::TokioChannel, 20),
        class(3, Kind::Task, 30),
        Event::Object { at: SECOND, object: 1, class: 1, capacity: 0 },
        Event::Object { at: SECOND, object: 2, class: 2, capacity: 8 },
        wait(1, 1, Operation::Lock, 12, 3),
        wait(2, 1, Operation::Lock, 12, 3),
        wait(3, 2, Operation::Send, 21, 0),
        wait(4, 2, Operation::Recv, 22, 0),
        counts(1, seconds * 100, 2),
        counts(2, seconds * 10, 1),
    ];
    [10, 11, 12, 20, 21, 22, 30].map(site).iter().for_each(|event| model.event(event));
    events.iter().for_each(|event| model.event(event));
    (1..=4).map(task).for_each(|event| model.event(&event));
    let end = lockprof_trace::End::Cut;
    model.event(&Event::Finish { at: SECOND * (1 + seconds), end, reason: "".into() });
    Reading { model: model.resolved(), note: None }
}

/// What is shown after five seconds to who has looked after four.
fn frame() -> Frame {
    let before = Frame::of(after(4), None, &NoSymbols);
    Frame::of(after(5), Some(&before), &NoSymbols)
}

fn press(app: &mut App, code: KeyCode) -> Does {
    app.key(KeyEvent::new(code, KeyModifiers::NONE), &NoSymbols)
}

fn screen(app: &App) -> String {
    let mut terminal = Terminal::new(TestBackend::new(120, 20)).unwrap();
    terminal.draw(|to| draw(app, to)).unwrap();
    let text = terminal.backend().to_string();
    text.lines().map(|line| line.trim_matches('"').trim_end().to_owned() + "\n").collect()
}

#[test]
fn each_table_is_drawn() {
    let mut app = App::new(frame());
    for (tab, name) in Tab::ALL.into_iter().zip(["locks", "waits", "tasks", "channels"]) {
        assert_eq!(app.tab, tab);
        insta::assert_snapshot!(name, screen(&app));
        press(&mut app, KeyCode::Tab);
    }
}

#[test]
fn rates_are_those_of_the_interval() {
    let frame = frame();
    assert_eq!(frame.interval_ns, SECOND);
    let lock =
        frame.classes.iter().find(|class| class.all.created_at.starts_with("src/shop.rs:10:")).unwrap();
    assert_eq!((lock.acquisitions, lock.stood_ns), (100, 2 * SECOND), "two parties wait all the time");
    let channel =
        frame.classes.iter().find(|class| class.all.created_at.starts_with("src/shop.rs:20:")).unwrap();
    assert_eq!((channel.sends, channel.stood_ns), (10, SECOND), "the receiver is idle");
}

#[test]
fn rates_of_one_line_are_those_of_each_type() {
    // Generic code has its line at another address for each type.
    let of = |seconds: u64| {
        let Reading { mut model, note } = after(seconds);
        let twin = |class, kind, type_name: &'static str| Event::Class {
            class,
            kind,
            site: 50,
            type_name: type_name.into(),
        };
        model.event(&Event::Site { site: 50, file: "src/shop.rs".into(), line: 10, column: 5 });
        model.event(&twin(5, Kind::Mutex, "Bill"));
        model.event(&Event::Object { at: SECOND, object: 9, class: 5, capacity: 0 });
        model.event(&Event::Counts {
            object: 9,
            count: 7_000 + seconds,
            contended: 0,
            wait_ticks: 0,
            wait_max: 0,
            hold_ticks: 0,
            hold_max: 0,
            instances: 1,
            live: 1,
        });
        Reading { model: model.resolved(), note }
    };
    let before = Frame::of(of(4), None, &NoSymbols);
    let frame = Frame::of(of(5), Some(&before), &NoSymbols);
    let at_line = frame.classes.iter().filter(|class| class.all.created_at.starts_with("src/shop.rs:10:"));
    let mut rates: Vec<(&str, u64)> = at_line.map(|class| (&*class.all.name, class.acquisitions)).collect();
    rates.sort_unstable();
    assert_eq!(rates, [("Bill", 1), ("Cart", 100)]);
}

#[test]
fn behind_a_row_stands_who_waits() {
    let mut app = App::new(frame());
    press(&mut app, KeyCode::Enter);
    insta::assert_snapshot!("behind_a_lock", screen(&app));
    press(&mut app, KeyCode::Char('j'));
    assert_eq!(app.open.as_ref().map(|open| open.1), Some(1), "it scrolls");
    press(&mut app, KeyCode::Esc);
    assert!(app.open.is_none());
    press(&mut app, KeyCode::Char('2'));
    press(&mut app, KeyCode::Enter);
    insta::assert_snapshot!("behind_a_wait", screen(&app));
}

#[test]
fn keys_sort_filter_pause_and_help() {
    let mut app = App::new(frame());
    press(&mut app, KeyCode::Char('2'));
    let all = app.rows().len();
    press(&mut app, KeyCode::Char('j'));
    assert_eq!(app.chosen, 1);
    press(&mut app, KeyCode::Char('/'));
    "SEND".chars().for_each(|letter| assert_eq!(press(&mut app, KeyCode::Char(letter)), Does::Draw));
    press(&mut app, KeyCode::Enter);
    let rows = app.rows();
    assert!(
        rows.len() < all && rows.iter().all(|row| row.cells.iter().any(|cell| cell.text.contains("send")))
    );
    assert_eq!(app.chosen, 0, "a row that is there");
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.rows().len(), all);
    press(&mut app, KeyCode::Char('s'));
    assert_eq!(app.rows()[0].cells[1].text, "2", "by count: two tasks wait alike");
    press(&mut app, KeyCode::Char('?'));
    insta::assert_snapshot!("help", screen(&app));
    press(&mut app, KeyCode::Esc);
    assert!(!app.help);
    press(&mut app, KeyCode::Char(' '));
    let shown = app.frame.recorded_ns;
    app.update(Frame::of(after(6), None, &NoSymbols));
    assert_eq!(app.frame.recorded_ns, shown, "paused");
    press(&mut app, KeyCode::Char(' '));
    app.update(Frame::of(after(6), None, &NoSymbols));
    assert!(app.frame.recorded_ns > shown);
    // What a terminal sends where its other end has nothing to say.
    app.key(KeyEvent::new(KeyCode::Char(' '), KeyModifiers::CONTROL), &NoSymbols);
    assert!(!app.paused);
    assert_eq!(press(&mut app, KeyCode::Char('w')), Does::Save);
    assert_eq!(press(&mut app, KeyCode::Char('q')), Does::Quit);
    assert_eq!(app.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL), &NoSymbols), Does::Quit);
}

#[test]
fn the_same_as_text() {
    insta::assert_snapshot!("plain", plain(&frame()));
}

#[test]
fn names_do_nothing_to_a_terminal() {
    let mut frame = frame();
    let nasty = || "\u{1b}]0;title\u{7}\u{9b}2J".to_owned();
    frame.model.session.exe = nasty();
    frame.note = Some(nasty());
    for class in &mut frame.classes {
        (class.all.name, class.all.created_at) = (nasty(), nasty());
    }
    frame.populations.iter_mut().for_each(|of| of.all.spawned_at = nasty());
    for wait in &mut frame.waits {
        [&mut wait.who, &mut wait.at, &mut wait.object, &mut wait.spawned_at]
            .into_iter()
            .for_each(|text| *text = nasty());
        wait.holders = vec![nasty()];
    }
    let text = plain(&frame);
    assert!(text.contains("\u{fffd}]0;title\u{fffd}"), "{text}");
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}

#[test]
fn nothing_recorded_yet_is_drawn_as_well() {
    let mut app = App::new(Frame::default());
    for code in [KeyCode::Enter, KeyCode::Down, KeyCode::Char('s'), KeyCode::Tab, KeyCode::PageDown] {
        assert_eq!(press(&mut app, code), Does::Draw);
        assert!(screen(&app).contains("unknown program"));
    }
}
