//! Waits on what tokio is used for plainly: who could end them is not recorded, so nothing is said of them but their length.
mod story;

use lockprof_trace::Kind;
use lockprof_trace::Operation::{Acquire, Lock};
use story::Story;

#[test]
fn a_wait_that_others_may_end_is_never_called_stuck() {
    for (operation, stuck) in [(Lock, Kind::TokioMutex), (Acquire, Kind::TokioSemaphore)] {
        let told = |kind| {
            let mut story = Story::new();
            let (resource, task) = (story.object(kind, 10), story.task(20));
            story.parked(task, 0);
            story.waits(task, operation, resource, 30);
            story.report()
        };
        let (plain, wrapped) = (told(Kind::TokioResource), told(stuck));
        assert_eq!(plain.findings.len(), 0, "{operation}: {:?}", plain.findings);
        assert!(!wrapped.findings.is_empty(), "{operation}: of a wrapper's it would be known");
        let class = plain.classes.iter().find(|class| class.kind == "tokio resource").unwrap();
        assert!(class.waiting == 1 && class.wait_ns.total > 0);
    }
}
