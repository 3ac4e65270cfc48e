//! Names of functions: inlined ones, those of split debug files, and what a stripped program still tells.
#![cfg(target_os = "linux")]
mod clients;
mod traces;

use lockprof_trace::{Event, Kind, Operation, Party, WaitEnd};
use object::{Object, ObjectSymbol};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use traces::{Done, Folder, done, file_of, finish, lockprof, session};

/// Where the program is mapped.
const BIAS: u64 = 0x5555_0000_0000;

const PROGRAM: &str = "\
use std::hint::black_box;

#[inline(always)]
fn inner(of: u64) -> u64 {
    black_box(of) * 3
}

#[inline(never)]
fn outer(of: u64) -> u64 {
    inner(of) + black_box(1)
}

fn main() {
    black_box(outer(black_box(7)));
}
";

/// A program with debug information, and a trace with a wait at each address of its function `outer`.
struct Program {
    folder: Folder,
    exe: PathBuf,
    id: String,
}

impl Program {
    /// `None` where the tools that split and strip are not installed (Debian: `binutils`).
    fn new() -> Option<Self> {
        if !Command::new("objcopy").arg("--version").output().is_ok_and(|output| output.status.success()) {
            clients::skipped("objcopy", "no binutils");
            return None;
        }
        let folder = Folder::new();
        let (source, exe) = (folder.file("shop.rs", PROGRAM.as_bytes()), folder.path("shop"));
        ran(Command::new(std::env::var("RUSTC").unwrap_or("rustc".into()))
            .args(["-g", "-O", "--crate-name", "shop", "-C", "link-arg=-Wl,--build-id", "-o"])
            .arg(&exe)
            .arg(source));
        let bytes = fs::read(&exe).unwrap();
        let file = object::File::parse(&bytes[..]).unwrap();
        let id: String = file.build_id().unwrap().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        let outer =
            file.symbols().find(|symbol| symbol.name().is_ok_and(|name| name.contains("5outer"))).unwrap();
        let trace = trace(&exe, &id, outer.address()..outer.address() + outer.size());
        folder.file("trace.bin", &trace);
        Some(Self { folder, exe, id })
    }

    /// The folded stacks, and what is noted.
    fn folded(&self, more: &[&Path]) -> (String, String) {
        let mut command = lockprof(["export", "--to", "folded"]);
        command.arg(self.folder.path("trace.bin")).args(more);
        let Done { code, out, err } = done(command);
        assert_eq!(code, Some(0), "{err}");
        (out, err)
    }

    /// Splits the debug information off, into this file.
    fn split(&self, debug: &Path) {
        fs::create_dir_all(debug.parent().unwrap()).unwrap();
        ran(Command::new("objcopy").arg("--only-keep-debug").arg(&self.exe).arg(debug));
        self.strip("--strip-all");
    }

    fn strip(&self, how: &str) {
        ran(Command::new("strip").arg(how).arg(&self.exe));
    }
}

fn ran(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

fn trace(exe: &Path, id: &str, addresses: std::ops::Range<u64>) -> Vec<u8> {
    let mut events = vec![
        session(1, Path::new("")),
        Event::Module {
            start: BIAS,
            end: BIAS + (1 << 30),
            offset: 0,
            bias: BIAS,
            path: exe.to_str().unwrap().to_owned().into(),
            build_id: id.to_owned().into(),
        },
        Event::Class { class: 1, kind: Kind::Mutex, site: 0, type_name: "".into() },
        Event::Object { at: 2_000, object: 1, class: 1, capacity: 0 },
    ];
    for (stack, address) in (1..).zip(addresses) {
        // A return address is behind its call.
        events.push(Event::Stack { stack, frames: vec![BIAS + address + 1].into() });
        events.push(Event::Wait {
            at: 5_000_000,
            ticks: 1_000_000,
            party: Party::thread(1),
            object: 1,
            operation: Operation::Lock,
            site: 0,
            stack,
            end: WaitEnd::Done,
            holder: Party::UNKNOWN,
            holder_site: 0,
        });
    }
    events.push(finish());
    file_of(&events)
}

/// Whether there is a stack in which `outer` calls what was inlined into it, both with their lines.
fn is_whole(folded: &str) -> bool {
    folded.lines().any(|line| {
        let mut frames = line.split(';').filter(|frame| frame.contains("shop.rs:"));
        frames
            .next()
            .is_some_and(|frame| frame.starts_with("shop::outer (") && frame.ends_with("shop.rs:10)"))
            && frames.next().is_some_and(|frame| frame.contains("inner (") && frame.ends_with("shop.rs:5)"))
    })
}

#[test]
fn inlined_functions_are_told_with_their_lines() {
    let Some(program) = Program::new() else { return };
    let (folded, notes) = program.folded(&[]);
    assert!(is_whole(&folded), "{folded}");
    assert_eq!(notes, "");
}

#[test]
fn a_split_debug_file_is_found_by_its_build_id() {
    let Some(program) = Program::new() else { return };
    let folder = program.folder.path("symbols");
    program.split(&folder.join(format!(".build-id/{}/{}.debug", &program.id[..2], &program.id[2..])));
    let (folded, notes) = program.folded(&["--symbols".as_ref(), &folder]);
    assert!(is_whole(&folded), "{folded}");
    assert_eq!(notes, "");
    // Gone altogether, the program's names are still there.
    fs::remove_file(&program.exe).unwrap();
    let (folded, notes) = program.folded(&["--symbols".as_ref(), &folder]);
    assert!(is_whole(&folded) && notes.is_empty(), "{folded}{notes}");
}

#[test]
fn a_debug_file_beside_the_program_needs_no_option() {
    let Some(program) = Program::new() else { return };
    program.split(&program.folder.path(".debug/shop.debug"));
    let (folded, notes) = program.folded(&[]);
    assert!(is_whole(&folded) && notes.is_empty(), "{folded}{notes}");
}

#[test]
fn the_debug_file_of_another_build_is_not_believed() {
    let Some(program) = Program::new() else { return };
    program.split(&program.folder.path("shop.debug"));
    // Its id is changed in place: the same program, built by somebody else.
    let debug = program.folder.path("shop.debug");
    let mut bytes = fs::read(&debug).unwrap();
    let id: Vec<u8> = (0..program.id.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&program.id[at..at + 2], 16).unwrap())
        .collect();
    let at = bytes.windows(id.len()).position(|part| part == id).unwrap();
    bytes[at] ^= 1;
    fs::write(&debug, bytes).unwrap();
    let (folded, notes) = program.folded(&[]);
    assert!(!is_whole(&folded) && notes.contains("is stripped"), "{folded}{notes}");
}

#[test]
fn what_a_stripped_program_lacks_is_told() {
    let Some(program) = Program::new() else { return };
    program.strip("--strip-debug");
    let (folded, notes) = program.folded(&[]);
    assert!(folded.contains("shop::outer;") && !folded.contains("shop.rs"), "{folded}");
    assert!(notes.contains("has no debug information") && notes.contains("--symbols"), "{notes}");
    program.strip("--strip-all");
    let (folded, notes) = program.folded(&[]);
    assert!(folded.contains("shop+0x") && !folded.contains("outer"), "{folded}");
    assert!(notes.contains("is stripped") && notes.contains("--symbols"), "{notes}");
}
