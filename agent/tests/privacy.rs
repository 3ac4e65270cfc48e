//! What a program locks, sends and keys its maps by is its own: none of it is in the trace or in shared memory, which
//! nobody else may read.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::Scene;
use lockprof::map::{SafeMap, StateMap, Versions};
use lockprof::sync::{Mutex, mpsc};
use lockprof_trace::Event;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Put together at run time, so that it stands in no name or source line.
fn secrets() -> Vec<String> {
    ["key", "value", "message", "content", "panic"].map(|of| format!("{}-{of}-{}", "s3cr3t", 7 * 6)).into()
}

fn child() {
    let secrets = secrets();
    let [key, value, message, content, panic] = &secrets[..] else { unreachable!() };
    let map = SafeMap::new();
    map.insert(key.clone(), value.clone());
    assert_eq!(map.get(key).as_deref().map(|found| found.to_string()), Some(value.clone()));
    let states = StateMap::new();
    states.set(key.clone(), Some(value.clone()));
    states.set(key.clone(), None);
    assert!(states.compare_and_set(key.as_str(), &Some(value.clone()), None).is_err());
    let versions = Versions::new();
    versions.write(key).complete();
    assert!(versions.read(key).is_stale(0));
    let (sender, receiver) = mpsc::sync_channel(1);
    let other = lockprof::thread::spawn(move || while receiver.recv().is_ok() {});
    (0..1000).for_each(|_| sender.send(message.clone()).unwrap());
    drop(sender);
    other.join().unwrap();
    let lock = Mutex::new(content.clone());
    (0..1000).for_each(|_| lock.lock().unwrap().push('x'));
    let panics = panic.clone();
    assert!(lockprof::thread::spawn(move || std::panic::panic_any(panics)).join().is_err());
    // Both while it runs: the trace, and what a kill would leave.
    let trace = child::folder().join("trace.bin");
    let mut reader = lockprof_trace::file::Reader::new(fs::File::open(&trace).unwrap()).unwrap();
    let Ok(Some(Event::Session { memory, .. })) = reader.next() else { panic!("no session") };
    fs::copy(memory.as_ref(), child::folder().join("memory")).unwrap();
    for file in [trace.as_path(), Path::new(memory.as_ref())] {
        assert_eq!(fs::metadata(file).unwrap().mode() & 0o777, 0o600, "{}", file.display());
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    // SAFETY: both are read within their lengths.
    unsafe { !libc::memmem(bytes.as_ptr().cast(), bytes.len(), text.as_ptr().cast(), text.len()).is_null() }
}

#[test]
fn nothing_of_the_programs_own() {
    if child::is("nothing_of_the_programs_own") {
        return child();
    }
    let scene = Scene::new("nothing_of_the_programs_own");
    // One that was there before, for all to read.
    fs::write(scene.trace(), "old").unwrap();
    fs::set_permissions(scene.trace(), Permissions::from_mode(0o644)).unwrap();
    let ended = scene.run("");
    assert!(ended.status.success(), "{}", ended.status);
    let (trace, memory) = (fs::read(scene.trace()).unwrap(), fs::read(scene.folder.join("memory")).unwrap());
    // The search finds what is there: the source file of a site.
    assert!(contains(&trace, "privacy.rs"));
    for secret in secrets() {
        assert!(!contains(&trace, &secret) && !contains(&memory, &secret), "{secret}");
    }
}
