//! A program whose allocator takes a recorded lock: the recorder is entered from wherever anything allocates, itself
//! included.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::{Scene, line_of};
use lockprof::sync::Mutex;
use lockprof_trace::{Event, Kind};
use std::alloc::{GlobalAlloc, Layout, System};

struct Locked;

static HEAP: Mutex<()> = Mutex::new(());

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Locked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _guard = HEAP.lock();
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        let _guard = HEAP.lock();
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Locked = Locked;

#[test]
fn recorded_lock_in_the_allocator() {
    const THREADS: u64 = 4;
    const TIMES: u64 = 20_000;
    if child::is("recorded_lock_in_the_allocator") {
        let work = || (0..TIMES).for_each(|n| drop(std::hint::black_box(Box::new(n))));
        for _ in 0..THREADS {
            std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
        }
        return;
    }
    let ended = Scene::new("recorded_lock_in_the_allocator").run("");
    assert!(ended.status.success(), "{}", ended.status);
    let counted = ended.counts()[&(Kind::StdMutex, line_of(include_str!("allocator.rs"), "static HEAP"), 0)];
    let least = THREADS * THREADS * TIMES * 2;
    assert!(counted >= least, "{counted} of {least} and more");
    assert!(ended.events.iter().any(|event| matches!(event, Event::Wait { .. })), "waits in the allocator");
}
