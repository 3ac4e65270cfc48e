//! Comparisons of told recordings: what changed, what did not, and what only looks so.
mod story;

use lockprof_engine::diff::{Change, Diff, Fate, diff, text};
use lockprof_engine::findings::{Finding, Verdict};
use lockprof_engine::report::Report;
use lockprof_trace::Operation::{Lock, Send};
use lockprof_trace::{HoldSource, Kind, Role, WaitEnd};
use story::{BEGIN, SECOND, Story};

const MS: u64 = 1_000_000;

/// A lock made at this line, and waited for so long, by so many.
fn waiting(line: u64, ms: u64, count: u64) -> Report {
    let mut story = Story::new();
    let stock = story.object(Kind::Mutex, line);
    let clerk = story.thread(20);
    story.counts(stock, 1_000, count);
    story.held(BEGIN + SECOND, 3 * MS, clerk, stock, 30, HoldSource::Full);
    for number in 0..count {
        let at = BEGIN + SECOND + number;
        story.waited(at, ms * MS, clerk, Lock, stock, 40, WaitEnd::Done, 30);
    }
    story.report()
}

/// A task that waits for ever for room in a channel, whose receiver was left by one that has ended.
fn stuck() -> Report {
    let mut story = Story::new();
    let (calls, gone) = (story.object(Kind::TokioChannel, 12), story.task(23));
    story.handle(gone, Role::Receiver, calls, 12, 3);
    story.ends(gone);
    let task = story.task(24);
    story.waits(task, Send, calls, 60);
    story.report()
}

fn compared(before: &[u64], after: &[u64]) -> Diff {
    let runs = |waits: &[u64]| waits.iter().map(|ms| waiting(10, *ms, 4)).collect::<Vec<_>>();
    diff(&runs(before), &runs(after))
}

#[test]
fn one_run_to_a_side_is_told_without_intervals() {
    let diff = compared(&[100], &[38]);
    assert!(
        diff.sentence.starts_with("Waiting fell by 62 %, from 400.0 ms to 152.0 ms."),
        "{}",
        diff.sentence
    );
    assert_eq!(diff.waited_ns.difference, None);
    let text = text::render(&diff);
    assert!(text.contains("One run to a side"), "{text}");
    assert!(text.contains("wait p99             100.0 ms →    38.0 ms   −62 %"), "{text}");
    let same = compared(&[100], &[95]);
    assert!(same.sentence.starts_with("Waiting is about the same: 400.0 ms before, 380.0 ms after."));
    // Of ten seconds.
    let little = compared(&[2], &[1]);
    assert!(little.sentence.starts_with("Next to nothing is waited, before or after: 8.0 ms and 4.0 ms."));
}

#[test]
fn several_runs_tell_a_change_from_noise() {
    let noise = compared(&[100, 140, 120], &[130, 110, 90]);
    assert!(noise.sentence.starts_with("No significant change in waiting"), "{}", noise.sentence);
    assert_eq!(noise.classes[0].wait_p99_ns.change, Change::None);
    let text = text::render(&noise);
    assert!(text.contains("1 object without a significant change"), "{text}");

    let change = compared(&[100, 104, 102], &[52, 50, 48]);
    let [low, high] = change.waited_ns.difference.unwrap();
    assert!(low < high && high < 0.0, "{low} {high}");
    assert!(
        change.sentence.starts_with("Waiting fell by 51 %, from 408.0 ms to 200.0 ms (−"),
        "{}",
        change.sentence
    );
}

#[test]
fn a_lock_is_known_again_where_its_line_has_moved() {
    let diff = diff(&[waiting(10, 100, 4)], &[waiting(17, 100, 4)]);
    assert_eq!(diff.classes.len(), 1);
    let class = &diff.classes[0];
    assert_eq!(class.created_at, [10, 17].map(|line| Some(format!("shop.rs:{line}:5"))));
    assert_eq!([&class.waited_ns, &class.uses_per_s].map(|measure| measure.change), [Change::None; 2]);
    assert_eq!(class.contended_share.after.mean, 0.004);
}

#[test]
fn findings_come_and_go() {
    let (well, ill) = (|| waiting(10, 1, 1), stuck);
    let fates = |diff: Diff| diff.findings.into_iter().map(|of| (of.fate, of.runs)).collect::<Vec<_>>();
    assert_eq!(fates(diff(&[ill()], &[well()])), [(Fate::Gone, [1, 0])]);
    assert_eq!(fates(diff(&[well()], &[ill()])), [(Fate::New, [0, 1])]);
    assert_eq!(fates(diff(&[ill(), well()], &[ill(), ill()])), [(Fate::Kept, [1, 2])]);
    let sentence = diff(&[ill()], &[well()]).sentence;
    assert!(sentence.ends_with("1 finding is gone, no finding is new."), "{sentence}");
    let mut worse = ill();
    let hazard = Finding { code: "LP0010", verdict: Verdict::Hazard, ..worse.findings[0].clone() };
    worse.findings.push(hazard);
    let sentence = diff(&[worse], &[well()]).sentence;
    assert!(sentence.ends_with("2 findings are gone (1 of them a hazard), no finding is new."), "{sentence}");
}

#[test]
fn nothing_is_compared_with_nothing() {
    let text = text::render(&diff(&[Story::new().report()], &[Story::new().report()]));
    assert!(
        text.starts_with("Nobody waited, before or after. No finding is gone, no finding is new."),
        "{text}"
    );
}
