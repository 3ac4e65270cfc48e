//! `lockprof analyze` and what it says of files that are no good trace: one clear sentence, and an exit code.
mod traces;

use lockprof_trace::file::header;
use std::fs;
use std::path::Path;
use traces::{Folder, analyze, contended, done, file_of, finish, lockprof, session, thread, whole};

#[test]
fn a_whole_trace_is_analyzed_without_a_word_on_stderr() {
    let folder = Folder::new();
    let done = analyze(&folder.file("trace.bin", &whole(1)));
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    assert!(!done.out.is_empty() && !done.out.contains('\u{1b}'), "{}", done.out);
}

#[test]
fn the_report_is_json_where_asked_for() {
    let folder = Folder::new();
    let trace = folder.file("trace.bin", &whole(1));
    let done = done(lockprof(["analyze".as_ref(), trace.as_os_str(), "--format=json".as_ref()]));
    assert_eq!(done.code, Some(0));
    assert!(serde_json::from_str::<serde_json::Value>(&done.out).unwrap().is_object());
}

#[test]
fn the_report_tells_what_is_missing_from_the_trace() {
    let folder = Folder::new();
    let bytes = whole(1);
    let trace = folder.file("cut.bin", &bytes[..bytes.len() - 5]);
    let done = done(lockprof(["analyze".as_ref(), trace.as_os_str(), "--format=json".as_ref()]));
    let report: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert!(report["notes"][0].as_str().unwrap().contains("cut off in the block at byte"), "{report}");
}

#[test]
fn the_folder_is_made_and_filled() {
    let folder = Folder::new();
    let (trace, out) = (folder.file("trace.bin", &whole(1)), folder.path("a/b"));
    let done = done(lockprof(["analyze".as_ref(), trace.as_os_str(), "--out".as_ref(), out.as_os_str()]));
    assert_eq!(done.code, Some(0), "{}", done.err);
    serde_json::from_slice::<serde_json::Value>(&fs::read(out.join("report.json")).unwrap()).unwrap();
}

#[test]
fn colours_are_for_terminals_and_who_forces_them() {
    let colour = |forced: bool| {
        let mut command = lockprof(["analyze", "no-such-trace"]);
        if forced {
            command.env("CLICOLOR_FORCE", "1");
        }
        done(command).err.contains('\u{1b}')
    };
    assert!(!colour(false) && colour(true));
    let mut command = lockprof(["analyze", "no-such-trace"]);
    command.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
    assert!(!done(command).err.contains('\u{1b}'));
}

#[test]
fn tables_are_as_wide_as_is_asked() {
    let folder = Folder::new();
    let trace = folder.file("trace.bin", &contended(7));
    let widest = |columns: &str| {
        let mut command = lockprof(["analyze"]);
        command.arg(&trace).env("COLUMNS", columns);
        let out = done(command).out;
        assert!(out.contains("src/shop.rs:3") && out.contains("src/shop.rs:30"), "{out}");
        out.lines().filter(|line| line.starts_with('─')).map(|line| line.chars().count()).max().unwrap()
    };
    assert!(widest("50") <= 50 && widest("140") > 50);
}

#[test]
fn quiet_leaves_out_notes() {
    let folder = Folder::new();
    let bytes = whole(1);
    let trace = folder.file("cut.bin", &bytes[..bytes.len() - 5]);
    let said = |more: &[&str]| done(lockprof(["analyze", trace.to_str().unwrap()].iter().chain(more)));
    let (loud, quiet) = (said(&[]), said(&["--quiet"]));
    assert!(loud.err.starts_with("note: ") && quiet.err.is_empty(), "{}", quiet.err);
    assert_eq!(loud.out, quiet.out);
    let missing = done(lockprof(["analyze", "--quiet", "no-such-trace"]));
    assert!(missing.err.starts_with("error: "), "{}", missing.err);
}

#[test]
fn shells_and_manuals_know_every_command() {
    let commands = ["analyze", "run", "check", "diff", "export", "explain", "completions", "man"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = done(lockprof(["completions", shell]));
        assert_eq!(done.code, Some(0));
        assert!(commands.iter().all(|command| done.out.contains(command)), "{shell}");
    }
    let page = done(lockprof(["man"])).out;
    assert!(page.contains(".TH lockprof 1") && page.contains("Examples"), "{page}");
    let folder = Folder::new();
    let man = folder.path("man1");
    let mut command = lockprof(["man", "--out"]);
    command.arg(&man);
    assert_eq!(done(command).code, Some(0));
    for command in commands {
        assert!(fs::metadata(man.join(format!("lockprof-{command}.1"))).is_ok(), "{command}");
    }
}

/// One sentence on stderr that begins with the file and has these words; nothing on stdout; exit code 2.
fn refused(path: &Path, words: &[&str]) {
    let done = analyze(path);
    assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{}", done.err);
    let begin = format!("error: {}: ", path.display());
    assert!(done.err.starts_with(&begin) && done.err.lines().count() == 1, "{}", done.err);
    for word in words {
        assert!(done.err.contains(word), "no {word:?} in {}", done.err);
    }
}

/// Analyzed, with a note that begins with the file and has these words.
fn noted(path: &Path, words: &[&str]) {
    let done = analyze(path);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(!done.out.is_empty());
    assert!(done.err.starts_with(&format!("note: {}: ", path.display())), "{}", done.err);
    for word in words {
        assert!(done.err.contains(word), "no {word:?} in {}", done.err);
    }
}

#[test]
fn what_is_no_trace_is_refused() {
    let folder = Folder::new();
    refused(&folder.path("none.bin"), &["no such file", "lockprof run"]);
    refused(&folder.file("empty.bin", b""), &["empty"]);
    refused(&folder.file("text.bin", b"fn main() {}\n"), &["not a trace"]);
    refused(&folder.path(""), &["folder", "trace-1234.bin"]);
    refused(Path::new("/dev/null"), &["not a regular file"]);
    refused(&folder.file("begun.bin", &header()[..40]), &["damaged at byte 40", "within its header"]);
    refused(&folder.file("bare.bin", &header()), &["before its first event"]);
    let mut newer = whole(1);
    newer[8] = 9;
    refused(&folder.file("newer.bin", &newer), &["version 9, newer than 1", "update lockprof"]);
    let mut damaged = whole(1);
    damaged[30] ^= 1;
    refused(&folder.file("damaged.bin", &damaged), &["damaged at byte 0", "checksum"]);
}

#[cfg(unix)]
#[test]
fn without_permission_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.file("trace.bin", &whole(1));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything.
    if fs::File::open(&path).is_err() {
        refused(&path, &["no permission"]);
    }
}

#[test]
fn a_cut_trace_is_analyzed_up_to_there() {
    let folder = Folder::new();
    let bytes = whole(1);
    let cut = bytes.len() - 5;
    noted(&folder.file("cut.bin", &bytes[..cut]), &["cut off in the block at byte"]);
    let unfinished = file_of(&[session(1, Path::new("")), thread(1)]);
    noted(&folder.file("unfinished.bin", &unfinished), &["without the state at the end"]);
}

#[test]
fn a_damaged_trace_is_analyzed_without_the_damage() {
    let folder = Folder::new();
    let mut bytes = whole(1);
    let begin = file_of(&[session(1, Path::new(""))]).len();
    bytes[begin + 14] ^= 1;
    noted(&folder.file("damaged.bin", &bytes), &[&format!("damaged at byte {begin}"), "without that block"]);
}

#[test]
fn an_output_folder_that_cannot_be_is_told() {
    let folder = Folder::new();
    let (trace, file) = (folder.file("trace.bin", &whole(1)), folder.file("file", b""));
    let done = done(lockprof(["analyze".as_ref(), trace.as_os_str(), "--out".as_ref(), file.as_os_str()]));
    assert_eq!(done.code, Some(2));
    assert!(
        done.err.starts_with(&format!("error: {}: cannot be written to", file.display())),
        "{}",
        done.err
    );
    assert!(!done.out.is_empty());
}

#[test]
fn a_bad_trace_does_not_hide_a_good_one() {
    let folder = Folder::new();
    let (good, bad) = (folder.file("good.bin", &whole(1)), folder.file("bad.bin", b"?"));
    let done = done(lockprof(["analyze".as_ref(), bad.as_os_str(), good.as_os_str()]));
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("bad.bin: not a trace") && !done.out.is_empty(), "{}", done.err);
}

#[test]
fn usage_is_explained() {
    for arguments in
        [&["analyze"][..], &["run", "true"], &["analyze", "x", "--min-blocked", "soon"], &["frobnicate"]]
    {
        let done = done(lockprof(arguments));
        assert_eq!(done.code, Some(2), "{arguments:?}");
        assert!(done.err.starts_with("error: "), "{}", done.err);
    }
    let none: [&str; 0] = [];
    assert_eq!(done(lockprof(none)).code, Some(2));
    for arguments in [
        &["--help"][..],
        &["analyze", "--help"],
        &["run", "--help"],
        &["explain", "--help"],
        &["diff", "--help"],
        &["export", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
    ] {
        let done = done(lockprof(arguments));
        assert!(done.code == Some(0) && done.out.contains("Example"), "{}", done.out);
    }
}

#[test]
fn a_code_is_explained() {
    let known = done(lockprof(["explain", "LP0001"]));
    assert!(known.code == Some(0) && !known.out.is_empty());
    let unknown = done(lockprof(["explain", "LP9999"]));
    assert!(
        unknown.code == Some(2) && unknown.err.starts_with("error: there is no finding LP9999"),
        "{}",
        unknown.err
    );
}

#[test]
fn any_flipped_byte_is_met() {
    let folder = Folder::new();
    let bytes = file_of(&[session(1, Path::new("")), thread(1), finish()]);
    for at in (0..bytes.len()).step_by(7) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0xFF;
        let done = analyze(&folder.file("flipped.bin", &bytes));
        assert!(matches!(done.code, Some(0 | 2)) && !done.err.is_empty(), "byte {at}: {}", done.err);
        assert!(!done.err.contains("panicked"), "byte {at}: {}", done.err);
    }
}

#[test]
fn a_comparison_needs_two_sides() {
    let folder = Folder::new();
    let trace = folder.file("trace.bin", &whole(1));
    let diff = |more: &[&str]| {
        let mut command = lockprof(["diff"]);
        command.arg(&trace).args(more);
        done(command)
    };
    let same = diff(&[trace.to_str().unwrap()]);
    assert_eq!((same.code, same.err.as_str()), (Some(0), ""));
    assert!(same.out.contains(" No finding is gone, no finding is new."), "{}", same.out);
    for (more, words) in [(&[][..], "compared with what?"), (&["a.bin", "b.bin"], "told apart by --")] {
        let refused = diff(more);
        assert!(refused.code == Some(2) && refused.err.contains(words), "{}", refused.err);
    }
    let missing = diff(&["no-such-trace"]);
    assert!(missing.code == Some(2) && missing.out.is_empty(), "{}", missing.err);
}
