//! `lockprof run`: the program's output, signals and exit code stay its own, and all that it records is analyzed.
#![cfg(unix)]
mod traces;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;
use traces::{Done, Folder, done, lockprof, whole};

/// Runs a shell script that finds a good trace in `$TRACE` and the folder to put it in `$DIR`.
fn script(folder: &Folder, script: &str) -> Command {
    script_with(folder, &[], script)
}

/// The same, with more options for lockprof.
fn script_with(folder: &Folder, options: &[&str], script: &str) -> Command {
    let script = format!("DIR=${{LOCKPROF##*dir=}}\n{script}");
    let mut command = lockprof(["run".as_ref(), "--out".as_ref(), folder.path("out").as_os_str()]);
    command.args(options).args(["--", "sh", "-c", &script]).env("TRACE", folder.file("good.bin", &whole(1)));
    command
}

fn run(folder: &Folder, text: &str) -> Done {
    done(script(folder, text))
}

const RECORD: &str = "cp $TRACE $DIR/trace-$$.bin; ";

#[test]
fn what_is_recorded_is_analyzed() {
    let folder = Folder::new();
    let done = run(&folder, "echo hello; cp $TRACE $DIR/trace-1.bin; cp $TRACE $DIR/trace-2.bin");
    assert_eq!((done.code, done.out.as_str()), (Some(0), "hello\n"), "{}", done.err);
    assert!(!done.err.is_empty() && !done.err.contains("error:"), "{}", done.err);
    assert!(folder.path("out/report.json").exists());
}

#[test]
fn a_quiet_run_leaves_its_report_in_the_folder() {
    let folder = Folder::new();
    let done = done(script_with(&folder, &["--quiet"], "cp $TRACE $DIR/trace-1.bin"));
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (Some(0), "", ""));
    assert!(folder.path("out/report.html").exists());
}

#[test]
fn the_exit_code_is_the_programs() {
    let folder = Folder::new();
    assert_eq!(run(&folder, &format!("{RECORD} exit 7")).code, Some(7));
    assert_eq!(run(&folder, &format!("{RECORD} kill -KILL $$")).code, Some(128 + 9));
}

#[test]
fn nothing_recorded_is_told() {
    let folder = Folder::new();
    let silent = run(&folder, "true");
    assert_eq!(silent.code, Some(1));
    assert!(
        silent.err.contains("sh recorded nothing: check that") && silent.err.lines().count() == 1,
        "{}",
        silent.err
    );
    assert_eq!(run(&folder, "exit 3").code, Some(3));
    let mut off = script(&folder, "true");
    off.env("LOCKPROF", "off");
    assert!(done(off).err.contains("because LOCKPROF=off"));
}

#[test]
fn the_users_mode_is_kept() {
    let folder = Folder::new();
    let mut command = script(&folder, &format!("{RECORD} echo $LOCKPROF"));
    command.env("LOCKPROF", "full,path=elsewhere.bin");
    let out = fs::canonicalize(folder.path("")).unwrap().join("out");
    assert_eq!(done(command).out, format!("full,dir={}\n", out.display()));
}

#[test]
fn old_traces_are_removed_and_nothing_else() {
    let folder = Folder::new();
    fs::create_dir(folder.path("out")).unwrap();
    let [old, mine, other] =
        ["out/trace-77.bin", "out/trace-mine.bin", "out/notes.txt"].map(|name| folder.file(name, b"x"));
    run(&folder, RECORD);
    assert!(!old.exists() && mine.exists() && other.exists());
}

#[test]
fn what_cannot_be_done_is_told() {
    let folder = Folder::new();
    let file = folder.file("file", b"");
    let refused = |out: &std::path::Path, program: &str| {
        done(lockprof(["run".as_ref(), "--out".as_ref(), out.as_os_str(), "--".as_ref(), program.as_ref()]))
    };
    let no_folder = refused(&file, "true");
    assert!(no_folder.code == Some(2) && no_folder.err.contains("cannot be written to"), "{}", no_folder.err);
    let comma = refused(&folder.path("a,b"), "true");
    assert!(comma.code == Some(2) && comma.err.contains("comma"), "{}", comma.err);
    #[cfg(target_os = "linux")]
    {
        let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"na\xffme");
        let no_text = refused(&folder.path("").join(name), "true");
        let said = no_text.code == Some(2) && no_text.err.contains("is not UTF-8");
        assert!(said && !no_text.err.contains("comma"), "{}", no_text.err);
    }
    let no_program = refused(&folder.path("out"), "./no-such-program");
    assert!(
        no_program.code == Some(2) && no_program.err.contains("no-such-program: cannot be started"),
        "{}",
        no_program.err
    );
}

#[test]
fn signals_reach_the_program() {
    for (name, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        let folder = Folder::new();
        let text =
            // Not for ever: where the test runs in the background of a shell, some of the signals are ignored.
            format!("trap '{RECORD} exit {}' {name}; echo ready; for i in $(seq 3000); do sleep 0.01; done", 40 + number);
        let mut running =
            script(&folder, &text).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let sent =
            Command::new("sh").args(["-c", &format!("kill -{name} {}", running.id())]).status().unwrap();
        assert!(sent.success());
        assert_eq!(running.wait().unwrap().code(), Some(40 + number), "{name}");
        assert!(folder.path("out/report.json").exists());
    }
}

fn send(running: &Child, signal: Signal) {
    kill_process(Pid::from_child(running), signal).unwrap();
}

/// Waits for its end; not for ever.
fn end_of(mut running: Child, mut meanwhile: impl FnMut(&Child)) -> std::process::ExitStatus {
    for _ in 0..1000 {
        if let Some(status) = running.try_wait().unwrap() {
            return status;
        }
        meanwhile(&running);
        thread::sleep(Duration::from_millis(20));
    }
    running.kill().unwrap();
    running.wait().unwrap()
}

/// The two ends of a terminal that nobody sits at.
#[cfg(target_os = "linux")]
fn terminal() -> (std::os::fd::OwnedFd, fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&keys).and_then(|()| unlockpt(&keys)).unwrap();
    let name = ptsname(&keys, vec![]).unwrap().into_string().unwrap();
    let flags = OFlags::NOCTTY.bits().cast_signed();
    let mut options = fs::OpenOptions::new();
    let options = std::os::unix::fs::OpenOptionsExt::custom_flags(options.read(true).write(true), flags);
    (keys, options.open(name).unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_sent_to_us_alone_reaches_the_program_at_a_terminal_too() {
    let folder = Folder::new();
    let text = format!("trap '{RECORD} exit 42' HUP; echo ready; for i in $(seq 3000); do sleep 0.01; done");
    let (_keys, screen) = terminal();
    let mut running =
        script(&folder, &text).stdin(screen).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
    send(&running, Signal::HUP);
    assert_eq!(end_of(running, |_| ()).code(), Some(42));
}

#[test]
fn an_analysis_can_be_stopped() {
    let folder = Folder::new();
    // It is not done as long as nobody reads what it has to say.
    let (full, mut says) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&says).unwrap();
    fcntl_setfl(&says, flags | OFlags::NONBLOCK).unwrap();
    while says.write(&[b'.'; 4096]).is_ok() {}
    while says.write(b".").is_ok() {}
    fcntl_setfl(&says, flags).unwrap();
    let mut running =
        script(&folder, &format!("{RECORD} echo ready")).stdout(Stdio::piped()).stderr(says).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    // The first ones may still be the program's.
    let status = end_of(running, |running| send(running, Signal::TERM));
    assert_eq!(status.signal(), Some(15), "{status:?}");
    drop(full);
}
