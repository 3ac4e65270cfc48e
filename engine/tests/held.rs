//! What lines held: the report, the flame graph and the exports tell the same.
mod story;

use lockprof_engine::findings::Context;
use lockprof_engine::model::{Doing, Model, Span};
use lockprof_engine::profile;
use lockprof_engine::symbols::NoSymbols;
use lockprof_engine::{Options, analyze, folded};
use lockprof_trace::{End, Event, HoldSource, Kind, Mode, Operation, WaitEnd};
use story::{BEGIN, FINISH, SECOND, Story};

fn model(events: &[Event<'static>]) -> Model {
    let mut model = Model::new();
    events.iter().for_each(|event| model.event(event));
    model
}

fn finished(mut story: Story) -> Vec<Event<'static>> {
    story.add(Event::Finish { at: FINISH, end: End::Finished, reason: "".into() });
    story.events
}

/// What is held at each line: by the report, by the exports, and by the flame graph in microseconds; and the class's total.
#[track_caller]
fn same(events: &[Event<'static>]) -> (Vec<(String, u64, u64)>, u64) {
    let (options, told) = (Options::default(), model(events).resolved());
    let context = [Context::new(0, &told, &options, &NoSymbols)];
    let longest: Vec<u64> = profile::holds(&context).iter().map(|sample| sample.max_ns).collect();
    let mut samples: Vec<_> =
        profile::holds(&context).into_iter().map(|sample| (sample.at, sample.count, sample.ns)).collect();
    samples.sort();
    let graph = folded::holds(&context);
    let weight = |line: &String| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap();
    let us: u64 = graph.iter().map(weight).sum();
    let total: u64 = samples.iter().map(|(.., ns)| *ns).sum();
    assert!(total / 1_000 - us <= samples.len() as u64, "{graph:?}");
    let report = analyze(vec![model(events)], &options, &NoSymbols);
    let sites = report.classes.iter().flat_map(|class| &class.holding_sites);
    let mut sites: Vec<_> = sites.map(|site| (site.at.clone(), site.count, site.ns)).collect();
    sites.sort();
    assert_eq!(sites, samples);
    assert!(longest.iter().all(|ns| *ns > 0), "each was timed");
    (sites, report.classes.iter().map(|class| class.hold_ns.total).sum())
}

#[test]
fn samples_stand_for_all_and_what_is_held_still_counts() {
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    let (one, other) = (story.thread(20), story.thread(21));
    story.counts(lock, 1_001, 0);
    for n in 1..=10 {
        story.held(BEGIN + n * SECOND / 100, 5_000, one, lock, 30, HoldSource::Sampled);
    }
    story.holds(other, lock, 40);
    let open = FINISH - BEGIN - 10;
    let (lines, total) = same(&finished(story));
    assert_eq!(lines, [("shop.rs:30:5".into(), 10, 5_000 * 1_000), ("shop.rs:40:5".into(), 1, open)]);
    assert_eq!(total, 5_000 * 1_000 + open);
}

#[test]
fn in_full_mode_nothing_is_estimated() {
    let mut story = Story::new();
    if let Some(Event::Session { mode, .. }) = story.events.first_mut() {
        *mode = Mode::Full;
    }
    let lock = story.object(Kind::Mutex, 10);
    let one = story.thread(20);
    // The coarse clock has drawn less than there was.
    story.add(Event::Counts {
        object: lock,
        count: 2,
        contended: 0,
        wait_ticks: 0,
        wait_max: 0,
        hold_ticks: 4_000_000,
        hold_max: 4_000_000,
        instances: 1,
        live: 1,
    });
    for ticks in [5_000_000, 1_000_000] {
        story.held(BEGIN + SECOND, ticks, one, lock, 30, HoldSource::Full);
    }
    story.held(BEGIN + SECOND, 4_000_000, one, lock, 30, HoldSource::Coarse);
    assert_eq!(same(&finished(story)), (vec![("shop.rs:30:5".into(), 2, 6_000_000)], 6_000_000));
}

#[test]
fn a_look_at_a_watched_value_is_timed_each_time() {
    let mut story = Story::new();
    let settings = story.object(Kind::TokioWatch, 10);
    let one = story.thread(20);
    // Of these some have waited for a change, and held nothing.
    story.counts(settings, 84, 0);
    story.counts(settings + 1, 7_140, 0);
    for n in 1..=10 {
        story.held(BEGIN + n * SECOND / 100, 5_000, one, settings, 30, HoldSource::Sampled);
    }
    assert_eq!(same(&finished(story)), (vec![("shop.rs:30:5".into(), 10, 50_000)], 50_000));
}

#[test]
fn a_timeline_has_what_is_held_still() {
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    let one = story.thread(20);
    story.holds(one, lock, 40);
    let model = model(&finished(story)).resolved();
    let open: Vec<_> =
        Span::open(&model).map(|span| (span.party, span.object, span.end, span.doing)).collect();
    assert_eq!(open, [(one, lock, FINISH, Doing::Keep)]);
}

#[test]
fn short_waits_alike_are_added_up_before_they_are_rounded() {
    let mut story = Story::new();
    let lock = story.object(Kind::Mutex, 10);
    let party = story.thread(20);
    for taken in 40..50 {
        story.waited(BEGIN + SECOND, 400, party, Operation::Lock, lock, 30, WaitEnd::Done, taken);
    }
    let (options, model) = (Options::default(), model(&finished(story)).resolved());
    let context = [Context::new(0, &model, &options, &NoSymbols)];
    let lines = folded::waits(&context);
    assert!(lines.len() == 1 && lines[0].ends_with(" 4"), "{lines:?}");
}

#[test]
fn samples_come_in_the_same_order_each_time() {
    let told = || {
        let mut story = Story::new();
        let lock = story.object(Kind::RwLock, 10);
        let party = story.thread(20);
        for taken in 40..60 {
            for operation in [Operation::Read, Operation::Write] {
                story.waited(BEGIN + SECOND, 400, party, operation, lock, 30, WaitEnd::Done, taken);
            }
        }
        let (options, model) = (Options::default(), model(&finished(story)).resolved());
        let context = [Context::new(0, &model, &options, &NoSymbols)];
        let samples = profile::waits(&context).into_iter();
        samples.map(|sample| (sample.operation, sample.holder)).collect::<Vec<_>>()
    };
    let first = told();
    assert!(first.len() == 40 && (0..5).all(|_| told() == first), "{first:?}");
}
