//! Waits, holds, tasks and time on a core by tracing span: whose they are, and what of them is told.
mod story;

use lockprof_engine::report::SpanReport;
use lockprof_trace::Operation::{Lock, Recv};
use lockprof_trace::{Event, HoldSource, Kind, Party, WaitEnd};
use story::{BEGIN, SECOND, Story};

/// A span of this number and name in another one, with a trace id of its own or none.
fn span(story: &mut Story, number: u64, parent: u64, name: &'static str, trace_id: &'static str) {
    story.add(Event::Span {
        span: number,
        parent,
        name: name.into(),
        target: "shop".into(),
        file: "shop.rs".into(),
        line: 7,
        trace_id: trace_id.into(),
    });
}

/// A task that was spawned in a span, or by a task that was.
fn task(story: &mut Story, within: u64, number: u64, parent: Party) -> Party {
    let (class, task) = (story.class(Kind::Task, 20), Party::task(number));
    if within != 0 {
        story.add(Event::Within { span: within });
    }
    story.add(Event::Task { at: BEGIN, task, parent, class, runtime: 0 });
    task
}

fn told<'a>(spans: &'a [SpanReport], name: &str) -> &'a SpanReport {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
}

#[test]
fn what_happens_in_a_span_is_told_of_it() {
    let mut story = Story::new();
    let lock = story.object(Kind::StdMutex, 10);
    let thread = story.thread(21);
    // Sites first: what a span is told with comes at once behind it.
    for line in [30, 31, 32] {
        story.line(line);
    }
    span(&mut story, 1, 0, "request", "one");
    span(&mut story, 2, 1, "load", "");
    span(&mut story, 3, 0, "request", "two");
    span(&mut story, 4, 3, "load", "");
    for (within, ms) in [(2, 5), (4, 9), (0, 100)] {
        if within != 0 {
            story.add(Event::Within { span: within });
        }
        story.waited(BEGIN + SECOND, ms * 1_000_000, thread, Lock, lock, 30, WaitEnd::Done, 0);
    }
    // An idle receiver costs nothing.
    story.add(Event::Within { span: 1 });
    story.waited(BEGIN + SECOND, SECOND, thread, Recv, lock, 31, WaitEnd::Done, 0);
    story.add(Event::Within { span: 1 });
    story.held(BEGIN + SECOND, 3_000_000, thread, lock, 32, HoldSource::Coarse);
    // The same hold by its sample.
    story.add(Event::Within { span: 1 });
    story.held(BEGIN + SECOND, 3_000_001, thread, lock, 32, HoldSource::Sampled);
    let report = story.report();

    let names: Vec<&str> = report.spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["request > load", "request"], "those first where waits cost most");
    let load = told(&report.spans, "request > load");
    assert_eq!((load.requests, load.waits, load.stood_ns), (2, 2, 14_000_000));
    assert_eq!((load.max_ns, &*load.longest), (9_000_000, "two"));
    let request = told(&report.spans, "request");
    assert_eq!((request.waits, request.wait_ns, request.stood_ns), (1, SECOND, 0));
    assert_eq!(request.hold_ns, 3_000_000, "a hold is counted once");
    let requests: Vec<(&str, &str, u64)> =
        report.requests.iter().map(|of| (&*of.trace_id, &*of.name, of.stood_ns)).collect();
    assert_eq!(requests, [("two", "request", 9_000_000), ("one", "request", 5_000_000)]);
    let line = "request;load;lock at shop.rs:30;std::sync::Mutex created at shop.rs:10 14000";
    assert!(report.folded.spans.iter().any(|of| of == line), "{:#?}", report.folded.spans);
}

#[test]
fn a_tasks_work_is_that_of_the_span_it_was_spawned_in() {
    let mut story = Story::new();
    let lock = story.object(Kind::StdMutex, 10);
    story.line(30);
    span(&mut story, 1, 0, "request", "one");
    span(&mut story, 2, 1, "own", "");
    let child = task(&mut story, 1, 100, Party::UNKNOWN);
    let grandchild = task(&mut story, 0, 101, child);
    let stranger = task(&mut story, 0, 102, Party::UNKNOWN);
    for party in [child, grandchild, stranger] {
        story.waited(BEGIN + SECOND, 1_000_000, party, Lock, lock, 30, WaitEnd::Done, 0);
    }
    story.add(Event::Within { span: 2 });
    story.waited(BEGIN + SECOND, 7_000_000, grandchild, Lock, lock, 30, WaitEnd::Done, 0);
    // What never ends counts up to the end.
    story.waits(child, Lock, lock, 31);
    let report = story.report();
    let stuck: Vec<&str> = report
        .findings
        .iter()
        .flat_map(|of| &of.parties)
        .flat_map(|of| &of.waits)
        .map(|of| &*of.within)
        .collect();
    assert_eq!(stuck, ["request (trace one)"], "a finding names the request");
    let request = told(&report.spans, "request");
    assert_eq!((request.waits, request.tasks, request.stood_ns), (3, 1, 8 * SECOND + 2_000_000));
    assert_eq!(told(&report.spans, "request > own").stood_ns, 7_000_000);
    assert_eq!((report.requests.len(), report.requests[0].waits), (1, 4));
}

#[test]
fn samples_and_waits_of_a_task_are_told_by_span() {
    let mut story = Story::new();
    let lock = story.object(Kind::StdMutex, 10);
    story.line(30);
    for (number, id) in [(1, "one"), (3, "two")] {
        span(&mut story, number, 0, "request", id);
        span(&mut story, number + 1, number, "load", "");
    }
    let worker = task(&mut story, 0, 100, Party::UNKNOWN);
    let child = task(&mut story, 3, 101, Party::UNKNOWN);
    // Requests alike are one frame; a task's time outside of any span is that of the span it was spawned in.
    for (party, within, ms) in [(worker, 2, 3), (worker, 4, 4), (worker, 0, 5), (child, 0, 6)] {
        let mut inside = |event| {
            if within != 0 {
                story.add(Event::Within { span: within });
            }
            story.add(event);
        };
        let (at, ticks) = (BEGIN + SECOND, ms * 1_000_000);
        inside(Event::CpuSample { at, party, os_id: 1, stack: 0, ticks });
        inside(Event::Wait {
            at,
            ticks: ticks * 10,
            party,
            object: lock,
            operation: Lock,
            site: 0x1000 + 30,
            stack: 0,
            end: WaitEnd::Done,
            holder: Party::UNKNOWN,
            holder_site: 0,
        });
    }
    let report = story.report();
    let (load, request) = (told(&report.spans, "request > load"), told(&report.spans, "request"));
    assert_eq!((load.cpu_ns, request.cpu_ns), (7_000_000, 6_000_000));
    let requests: Vec<(&str, u64)> = report.requests.iter().map(|of| (&*of.trace_id, of.cpu_ns)).collect();
    assert_eq!(requests, [("two", 10_000_000), ("one", 3_000_000)]);

    let who = "task spawned at shop.rs:20";
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    let (outer, inner) = (format!("{who};span request"), format!("{who};span request;span load"));
    let cpu = [format!("{who} 5000"), format!("{outer} 6000"), format!("{inner} 7000")];
    assert_eq!(sorted(report.folded.cpu), cpu);
    let wait = "waits;lock at shop.rs:30;std::sync::Mutex created at shop.rs:10";
    let time = [
        format!("{who};runs 5000"),
        format!("{outer};runs 6000"),
        format!("{inner};runs 7000"),
        format!("{inner};{wait} 70000"),
        format!("{outer};{wait} 60000"),
        format!("{who};{wait} 50000"),
    ];
    assert_eq!(sorted(report.folded.time), sorted(time.into()));
}
