//! Makes modules of the programs in the texts of `lockprof explain`: a broken and a fixed one for each code. Lints are off
//! in them: the broken ones do what lints warn of.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const TEXTS: &str = "../engine/src/findings/explain";

fn main() {
    println!("cargo::rerun-if-changed={TEXTS}");
    let mut texts: Vec<PathBuf> = fs::read_dir(TEXTS)
        .expect("the texts are there")
        .map(|entry| entry.expect("can be listed").path())
        .collect();
    texts.sort();
    let (mut modules, mut list) = (String::new(), String::new());
    for text in &texts {
        let code = text.file_stem().and_then(|stem| stem.to_str()).expect("named by their code");
        let source = fs::read_to_string(text).expect("can be read");
        let programs: Vec<&str> = source
            .split("```rust\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap_or_default())
            .collect();
        assert_eq!(programs.len(), 2, "{code}: a broken and a fixed program");
        for (program, variant) in programs.into_iter().zip(["broken", "fixed"]) {
            let module = format!("{}_{variant}", code.to_lowercase());
            let _ = write!(
                modules,
                "#[allow(clippy::all, clippy::print_stdout)]\nmod {module} {{\npub fn program() {{ main() }}\n{program}}}\n"
            );
            let _ = writeln!(list, "({code:?}, {variant:?}, {module}::program as fn()),");
        }
    }
    let programs = format!("{modules}const PROGRAMS: &[(&str, &str, fn())] = &[{list}];\n");
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("explained.rs"), programs).expect("can be written");
}
