//! The programs in the texts of `lockprof explain`: `explained LP0001 broken`.
use std::process::exit;
use std::time::Duration;

include!(concat!(env!("OUT_DIR"), "/explained.rs"));

/// A broken program may never end by itself.
const PATIENCE: Duration = Duration::from_secs(4);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |program: &&(&str, &str, fn())| arguments == [program.0, program.1];
    let program = PROGRAMS.iter().find(wanted);
    let (_, _, program) =
        program.expect("asked for CODE broken|fixed, with a code that `lockprof explain` knows");
    std::thread::spawn(|| {
        std::thread::sleep(PATIENCE);
        exit(0);
    });
    program();
}
