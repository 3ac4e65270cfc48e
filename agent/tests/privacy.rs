//! What a program locks, sends and keys its maps by is its own: none of it is in the trace or in shared memory, which
//! nobody else may read.
#![cfg(all(target_os = "linux", feature = "record"))]
mod child;

use child::Scene;
use lockprof::map::{SafeMap, StateMap, Versions};
use lockprof::sync::{Mutex, mpsc};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

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
    let memory = child::memory(&trace);
    fs::copy(&memory, child::folder().join("memory")).unwrap();
    for file in [&trace, &memory] {
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

/// Somebody without rights of his own: the environment is his, the rights of the program are another's.
const NOBODY: u32 = 65_534;

#[test]
#[allow(clippy::print_stdout)] // Whoever reads the test's output must know.
fn a_program_with_more_rights_than_its_user_is_not_recorded() {
    if child::is("a_program_with_more_rights_than_its_user_is_not_recorded") {
        return;
    }
    let scene = Scene::new("a_program_with_more_rights_than_its_user_is_not_recorded");
    fs::set_permissions(&scene.folder, Permissions::from_mode(0o777)).unwrap();
    let program = scene.folder.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let run = |mode: u32| {
        fs::set_permissions(&program, Permissions::from_mode(mode)).unwrap();
        let mut command = Command::new(&program);
        let asked = scene.recorded("");
        command
            .args(asked.get_args())
            .envs(asked.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir("/").uid(NOBODY).gid(NOBODY).stdout(Stdio::null()).output()
    };
    let (Ok(plain), Ok(raised)) = (run(0o755), {
        let plain = fs::remove_file(scene.trace());
        plain.and_then(|()| run(0o4755))
    }) else {
        return println!(
            "not tested: only an administrator can give a program more rights than its user has"
        );
    };
    assert!(plain.status.success() && raised.status.success(), "{plain:?} {raised:?}");
    let said = String::from_utf8_lossy(&raised.stderr);
    assert!(said.contains("not for a program with more rights than its user"), "{said}");
    assert!(!scene.trace().exists());
}
