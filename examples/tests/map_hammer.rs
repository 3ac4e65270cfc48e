//! Ten thousand tasks in one map: the report names the map, who waits for it, and how much of the time.

mod support;

use support::{Planted, record};

fn planted(marker: &str) -> Planted {
    Planted::find("map_hammer.rs", marker)
}

#[test]
fn the_hammered_map_is_named_with_its_waiting_lines() {
    let report = record("hammered", "map_hammer", &["--faulty", "--visits", "40"]);
    assert_eq!(report.lost(), 0);

    let map = report.class(&planted("one-map"));
    assert_eq!(map["kind"], "lockprof::map::SafeMap");
    assert_eq!(map["instances"], 1, "many tasks give it its id at once: {map:#}");
    assert!(map["contended"].as_u64() > Some(0), "{map:#}");
    assert!(map["wait_ns"]["total"].as_u64() > Some(0), "{map:#}");
    assert!(planted("map-write").is_in(&map["waiting_sites"], "at"), "{map:#}");
    // A task counts a visit and reads a total, and main reads the total of each of 64 pages.
    assert_eq!(map["acquisitions"], 10_000 * 40 * 2 + 64, "{map:#}");

    let tasks = planted("hammering-task");
    let tasks = report.list("tasks").iter().find(|class| tasks.is(&class["spawned_at"])).unwrap();
    assert_eq!(tasks["finished"], 10_000, "{tasks:#}");
    assert_eq!(report.firm().count(), 0);
}

#[test]
fn the_fixed_one_does_not_wait() {
    let report = record("gathered", "map_hammer", &["--fixed", "--visits", "40"]);
    let map = report.class(&planted("one-map"));
    assert_eq!(map["contended"], 0, "{map:#}");
    assert_eq!(map["acquisitions"], 10_000 + 64, "{map:#}");
    assert_eq!(report.list("findings").len(), 0);
}
