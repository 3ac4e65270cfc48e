//! What comes of a start: an error that says why, and no trace that was not there before; or the recording that runs already.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::Scene;
use lockprof::{Status, builder, status};
use lockprof_trace::{End, Event, Mode};
use std::fs;
use std::process::Stdio;

/// What the child of this scene says when it is started with these options.
fn said(scene: &Scene, options: &str) -> String {
    let output = scene.recorded(options).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "the program runs on");
    let text = String::from_utf8(output.stderr).unwrap();
    let refused = text.lines().find(|line| line.starts_with("lockprof: nothing is recorded: "));
    refused.unwrap_or_else(|| panic!("{text}")).into()
}

#[test]
fn too_little_memory_leaves_no_trace() {
    if child::is("too_little_memory_leaves_no_trace") {
        return;
    }
    let scene = Scene::new("too_little_memory_leaves_no_trace");
    let error = said(&scene, ",memory=1000");
    assert!(error.contains("1000 bytes of memory are too few") && error.contains("memory=8M"), "{error}");
    assert!(!scene.trace().exists());
    // One that was there before stays as it was.
    fs::write(scene.trace(), "an older one").unwrap();
    said(&scene, ",memory=1000");
    assert_eq!(fs::read(scene.trace()).unwrap(), b"an older one");
    // This is enough.
    assert!(!scene.run(",memory=1M").events.is_empty());
}

#[test]
fn a_wrong_value_is_told_as_one() {
    if child::is("a_wrong_value_is_told_as_one") {
        return;
    }
    let scene = Scene::new("a_wrong_value_is_told_as_one");
    let error = said(&scene, ",memory=foo");
    assert!(error.ends_with("memory= takes a number of bytes, as in 48M"), "{error}");
    assert!(!scene.trace().exists());
}

#[test]
fn an_empty_path_is_told() {
    if child::is("an_empty_path_is_told") {
        let error = builder().path("").start().unwrap_err();
        assert!(error.is_trace() && error.to_string() == "the trace cannot be written: its path is empty");
        return;
    }
    assert!(Scene::new("an_empty_path_is_told").unrecorded().status().unwrap().success());
}

#[test]
fn too_little_memory_is_a_matter_of_memory() {
    if child::is("too_little_memory_is_a_matter_of_memory") {
        let path = child::folder().join("trace.bin");
        let error = builder().path(&path).memory_bytes(1_000).start().unwrap_err();
        assert!(error.is_memory() && !path.exists(), "{error}");
        return;
    }
    let scene = Scene::new("too_little_memory_is_a_matter_of_memory");
    assert!(scene.unrecorded().status().unwrap().success());
}

#[test]
fn the_environment_comes_first() {
    if child::is("the_environment_comes_first") {
        let (trace, other) = (child::folder().join("trace.bin"), child::folder().join("other.bin"));
        let recording = builder().path(&other).full().start().unwrap();
        assert_eq!(status(), Status::Recording(fs::canonicalize(trace).unwrap()));
        assert!(!other.exists());
        return recording.finish();
    }
    let ended = Scene::new("the_environment_comes_first").run("");
    assert!(ended.status.success());
    let mode = ended.events.iter().find_map(|event| match event {
        Event::Session { mode, .. } => Some(*mode),
        _ => None,
    });
    assert_eq!((mode, ended.end()), (Some(Mode::Profile), End::Finished));
}

#[test]
fn what_a_killed_one_left_goes_with_its_trace() {
    if child::is("what_a_killed_one_left_goes_with_its_trace") {
        if std::env::var_os("ABORTS").is_some() {
            std::process::abort();
        }
        return;
    }
    let scene = Scene::new("what_a_killed_one_left_goes_with_its_trace");
    assert!(!scene.recorded("").env("ABORTS", "1").status().unwrap().success());
    let left = child::memory(&scene.trace());
    assert!(fs::exists(&left).unwrap(), "nobody has collected it yet");
    // The next one overwrites the trace that named it.
    assert!(scene.recorded("").status().unwrap().success());
    assert!(child::memory(&scene.trace()) != left && !fs::exists(&left).unwrap());
}
