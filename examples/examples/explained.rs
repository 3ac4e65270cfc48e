//! The programs in the texts of `lockprof explain`: `explained LP0001 broken`.
use std::process::exit;
use std::time::Duration;

include!(concat!(env!("OUT_DIR"), "/explained.rs"));

/// A broken program may never end by itself: it gets four seconds, in steps, so that none is over while nobody has a core.
const PATIENCE: u32 = 400;
const STEP: Duration = Duration::from_millis(10);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |program: &&(&str, &str, fn())| arguments == [program.0, program.1];
    let program = PROGRAMS.iter().find(wanted);
    let (_, _, program) =
        program.expect("asked for CODE broken|fixed, with a code that `lockprof explain` knows");
    if arguments[1] == "broken" {
        std::thread::spawn(|| {
            (0..PATIENCE).for_each(|_| std::thread::sleep(STEP));
            exit(0);
        });
    }
    program();
}
