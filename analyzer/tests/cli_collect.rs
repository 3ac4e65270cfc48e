//! What a killed process left in memory is appended to its trace; what is not its memory is left alone.
#![cfg(unix)]
mod traces;

use lockprof_trace::{End, Event};
use std::fs;
use std::path::{Path, PathBuf};
use traces::{Folder, analyze, dead, done, events_of, file_of, finish, lockprof, memory_of, session, thread};

/// A trace of a process that left memory; the number of bytes of the trace, and both places.
fn killed(folder: &Folder, pid: u32) -> (u64, PathBuf, PathBuf) {
    let memory = folder.path("recorder.mem");
    let trace = file_of(&[session(pid, &memory), thread(1)]);
    let length = trace.len() as u64;
    folder.file("recorder.mem", &memory_of(pid, length, &thread(2)));
    (length, folder.file("trace.bin", &trace), memory)
}

fn check(trace: &Path) -> Option<i32> {
    done(lockprof(["check".as_ref(), trace.as_os_str()])).code
}

fn ends(events: &[Event<'_>]) -> Vec<End> {
    let ends = events.iter().filter_map(|event| match event {
        Event::Finish { end, .. } => Some(*end),
        _ => None,
    });
    ends.collect()
}

#[test]
fn a_killed_process_is_completed_once() {
    let folder = Folder::new();
    let (_, trace, memory) = killed(&folder, dead());
    let done = analyze(&trace);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    assert!(done.out.contains("lost:     nothing"), "{}", done.out);
    assert_eq!(check(&trace), Some(0));
    let events = events_of(&trace);
    assert!(events.contains(&thread(1)) && events.contains(&thread(2)));
    assert_eq!(ends(&events), [End::Collected]);
    assert!(!memory.exists());
    let again = analyze(&trace);
    assert_eq!((again.code, &again.out), (Some(0), &done.out));
    assert_eq!(events_of(&trace), events);
}

#[test]
fn a_view_of_what_is_left_takes_nothing_from_it() {
    let folder = Folder::new();
    let (length, trace, memory) = killed(&folder, dead());
    let top = |place: &PathBuf| {
        let view = done(lockprof(["top", place.to_str().unwrap()]));
        assert_eq!((view.code, view.err.as_str()), (Some(0), ""));
        view.out
    };
    let whole = top(&trace);
    assert!(whole.starts_with("shop, process ") && whole.contains("2 threads live"), "{whole}");
    assert!(whole.contains("has ended; this is its last state"), "{whole}");
    let alone = top(&memory);
    assert!(
        alone.contains("1 threads live") && alone.contains("without its trace there are no names"),
        "{alone}"
    );
    assert_eq!((memory.exists(), fs::metadata(&trace).unwrap().len()), (true, length));
}

#[test]
fn what_was_half_written_is_cut_off() {
    let folder = Folder::new();
    let (_, trace, _) = killed(&folder, dead());
    let mut bytes = fs::read(&trace).unwrap();
    bytes.extend_from_slice(&file_of(&[thread(3)])[lockprof_trace::file::header().len()..][..10]);
    fs::write(&trace, bytes).unwrap();
    assert_eq!(analyze(&trace).code, Some(0));
    assert_eq!(ends(&events_of(&trace)), [End::Collected]);
}

#[test]
fn a_trace_that_is_shorter_than_told_keeps_its_whole_blocks() {
    let folder = Folder::new();
    let (length, trace, _) = killed(&folder, dead());
    fs::OpenOptions::new().write(true).open(&trace).unwrap().set_len(length - 3).unwrap();
    let done = analyze(&trace);
    assert_eq!(done.code, Some(0));
    assert!(done.err.contains("shorter than its recorder wrote it: of "), "{}", done.err);
    assert!(done.out.contains("lost:     unknown"), "{}", done.out);
    let events = events_of(&trace);
    assert!(!events.contains(&thread(1)) && events.contains(&thread(2)), "{events:?}");
}

#[test]
fn a_live_process_is_only_looked_at() {
    let folder = Folder::new();
    let (length, trace, memory) = killed(&folder, std::process::id());
    // SAFETY: nobody changes the file.
    let mapped = unsafe { memmap2::Mmap::map(&fs::File::open(&memory).unwrap()).unwrap() };
    assert_eq!(check(&trace), Some(0));
    let done = analyze(&trace);
    assert_eq!(done.code, Some(0));
    assert!(done.err.contains("still runs") && done.err.lines().count() == 1, "{}", done.err);
    assert!(memory.exists());
    assert_eq!(fs::metadata(&trace).unwrap().len(), length);
    drop(mapped);
    // Its number is used by another process now: this one maps nothing.
    let done = analyze(&trace);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    assert!(!memory.exists());
}

#[test]
fn what_is_not_its_memory_is_left_alone() {
    let folder = Folder::new();
    let (length, trace, memory) = killed(&folder, dead());
    let good = fs::read(&memory).unwrap();
    let mut of_another = good.clone();
    of_another[8] ^= 1;
    for (bytes, word) in [
        (b"keep me".to_vec(), "not the memory"),
        (of_another, "another process"),
        (good[..5000].to_vec(), "cut off"),
    ] {
        fs::write(&memory, &bytes).unwrap();
        let done = analyze(&trace);
        assert_eq!(done.code, Some(0));
        assert!(done.err.contains(word) && done.err.starts_with("note: "), "{}", done.err);
        assert_eq!(fs::read(&memory).unwrap(), bytes);
        assert_eq!(fs::metadata(&trace).unwrap().len(), length);
    }
    fs::remove_file(&memory).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &memory).unwrap();
    let done = analyze(&trace);
    assert!(done.code == Some(0) && done.err.contains("left memory in"), "{}", done.err);
}

#[test]
fn a_path_that_a_trace_names_does_nothing_to_a_terminal() {
    let folder = Folder::new();
    // No file, so that it is told of.
    let memory = folder.path("\u{1b}]0;title\u{7}");
    fs::create_dir(&memory).unwrap();
    let trace = folder.file("trace.bin", &file_of(&[session(dead(), &memory), thread(1), finish()]));
    let mut command = lockprof(["analyze".as_ref(), trace.as_os_str()]);
    // As a terminal has it.
    command.env("CLICOLOR_FORCE", "1");
    let done = done(command);
    assert!(done.err.contains("\u{fffd}]0;title\u{fffd}"), "{:?}", done.err);
    assert!(!done.err.contains("\u{1b}]") && !done.err.contains('\u{7}'), "{:?}", done.err);
}

#[test]
fn a_finished_recording_only_loses_its_memory() {
    let folder = Folder::new();
    let (_, trace, memory) = killed(&folder, dead());
    let mut bytes = fs::read(&memory).unwrap();
    bytes[lockprof_trace::memory::header::STATE * 8] = 2;
    fs::write(&memory, bytes).unwrap();
    let before = fs::read(&trace).unwrap();
    assert_eq!(analyze(&trace).code, Some(0));
    assert!(!memory.exists());
    assert_eq!(fs::read(&trace).unwrap(), before);
}
