//! What a library has made, as `Arc::default` does, is told by the line where it is used first: locks that are used at different
//! lines are not taken for one another. What the program has made is told by that line, wherever it is used.
#![cfg(all(target_os = "linux", feature = "full"))]
mod recording;

use lockprof::{once_cell, parking_lot, sync, tokio};
use lockprof_trace::{Event, Kind};
use recording::record;
use std::collections::HashMap;
use std::sync::Arc;

/// What is derived is made where it says so.
const MADE: u32 = line!() + 2;

#[derive(Default)]
struct Made {
    here: parking_lot::Mutex<u32>,
}

#[test]
fn what_a_library_has_made_is_told_by_its_first_use() {
    let mut first = vec![];
    let mut note = |kind: Kind, line: u32| first.push((kind, line));
    let trace = record(|| {
        let by_arc = Arc::<parking_lot::Mutex<u32>>::default();
        note(Kind::Mutex, line!() + 1);
        *by_arc.lock() += 1;
        *by_arc.lock() += 1;
        let by_map: Vec<sync::Mutex<u32>> = (0..3).map(sync::Mutex::new).collect();
        note(Kind::StdMutex, line!() + 1);
        by_map.iter().for_each(|lock| *lock.lock().unwrap() += 1);
        let mut by_entry: HashMap<u32, parking_lot::RwLock<u32>> = HashMap::new();
        note(Kind::RwLock, line!() + 1);
        *by_entry.entry(1).or_default().write() += 1;
        let mut by_take = sync::RwLock::new(1);
        drop(std::mem::take(&mut by_take));
        note(Kind::StdRwLock, line!() + 1);
        assert_eq!(*by_take.read().unwrap(), 0);
        let by_arc = Arc::<parking_lot::ReentrantMutex<u32>>::default();
        note(Kind::Mutex, line!() + 1);
        drop((by_arc.lock(), by_arc.lock()));
        let by_constant = <parking_lot::RawMutex as parking_lot::lock_api::RawMutex>::INIT;
        note(Kind::Mutex, line!() + 1);
        assert!(parking_lot::lock_api::RawMutex::try_lock(&by_constant).is_some());
        let by_arc = Arc::<once_cell::sync::OnceCell<u32>>::default();
        note(Kind::OnceCell, line!() + 1);
        by_arc.get_or_init(|| 1);
        let by_arc = Arc::<tokio::sync::Mutex<u32>>::default();
        note(Kind::TokioMutex, line!() + 1);
        assert!(by_arc.try_lock().is_ok());
        let by_arc = Arc::<tokio::sync::Notify>::default();
        note(Kind::TokioNotify, line!() + 1);
        by_arc.notify_one();
        *Made::default().here.lock() += 1;
    });
    for (kind, line) in first {
        let class = trace.class(kind, line);
        let told = trace
            .events()
            .iter()
            .any(|event| matches!(event, Event::MadeByLibrary { class: of } if *of == class));
        assert!(told, "a {kind} of line {line}");
    }
    let told = trace.events().iter().filter(|event| matches!(event, Event::MadeByLibrary { .. })).count();
    assert_eq!(told, 9);
    trace.class(Kind::Mutex, MADE);
}
