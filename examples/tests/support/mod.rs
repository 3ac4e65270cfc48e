//! Records an example with `lockprof run` and asks its report for the planted lines.
//!
//! Lines are found by the markers in the programs' sources. The binaries are built once for each test program, as cargo
//! gives a test the paths of its own package's binaries alone.

#![allow(dead_code)] // Each test program uses some of it.

use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The binary that cargo built of this target: `lockprof`, or an example.
pub fn binary(target: &str) -> &'static Path {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    &BUILT.get_or_init(build)[target]
}

fn build() -> HashMap<String, PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--message-format=json", "-p", "lockprof-cli", "-p", "lockprof-examples"]);
    cargo.args(["--bins", "--examples"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.current_dir(workspace()).stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(built.status.success(), "the binaries can be built");
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let path = message["executable"].as_str()?;
        Some((message["target"]["name"].as_str()?.to_owned(), PathBuf::from(path)))
    };
    String::from_utf8_lossy(&built.stdout).lines().filter_map(executable).collect()
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the examples are a folder of the workspace")
}

/// An empty folder of the running test's own.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    // It may be left of an earlier run, or not be there.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the folder for the test can be made");
    folder
}

/// `lockprof run --out FOLDER -- EXAMPLE ARGS…`, not yet started.
pub fn run(out: &Path, example: &str, args: &[&str]) -> Command {
    let mut command = recording(out, &[]);
    command.arg("--").arg(binary(example)).args(args);
    command
}

/// `lockprof run --out FOLDER OPTIONS…`, without the program yet.
pub fn recording(out: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(binary("lockprof"));
    command.arg("run").arg("--out").arg(out).args(options).current_dir(workspace());
    command
}

/// Runs an example to its end and reads its report.
pub fn record(test: &str, example: &str, args: &[&str]) -> Report {
    let out = folder(test);
    let output = run(&out, example, args).output().expect("lockprof runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    Report::read(&out)
}

/// `report.json`, and how to ask it.
pub struct Report(Value);

impl Report {
    /// Reads the report in a folder that `lockprof` wrote.
    pub fn read(out: &Path) -> Self {
        let path = out.join("report.json");
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_slice(&bytes).expect("the report is JSON"))
    }

    /// One of its lists.
    pub fn list(&self, name: &str) -> &[Value] {
        self.0[name].as_array().unwrap_or_else(|| panic!("no list {name:?} in the report"))
    }

    /// The findings that say that something is wrong in this run.
    pub fn firm(&self) -> impl Iterator<Item = &Value> {
        self.list("findings").iter().filter(|finding| finding["verdict"] != "hazard")
    }

    /// The class that is made at a planted line.
    pub fn class(&self, made: &Planted) -> &Value {
        let found = self.list("classes").iter().find(|class| made.is(&class["created_at"]));
        found.unwrap_or_else(|| panic!("no class made at {made:?} in {:#}", self.0["classes"]))
    }

    /// Events that were lost, of all kinds.
    pub fn lost(&self) -> u64 {
        let lost = self.0["lost"].as_object().expect("the report says what was lost");
        lost.values().filter_map(Value::as_u64).sum()
    }
}

/// A line of an example's source that bears a marker.
#[derive(Debug)]
pub struct Planted {
    file: String,
    line: usize,
}

impl Planted {
    /// The line with `// planted: MARKER` in a file below `examples/examples`.
    pub fn find(file: &str, marker: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file);
        let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let comment = format!("// planted: {marker}");
        let mut lines = source.lines().enumerate().filter(|(_, line)| line.trim_end().ends_with(&comment));
        let (index, _) = lines.next().unwrap_or_else(|| panic!("no {comment:?} in {file}"));
        assert!(lines.next().is_none(), "{comment:?} twice in {file}");
        Self { file: format!("examples/{file}"), line: index + 1 }
    }

    /// Its number.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether a place of the report, `path:line` or `path:line:column`, is this line.
    pub fn is(&self, place: &Value) -> bool {
        let place = place.as_str().unwrap_or_default();
        let Some(at) = place.rfind(&*self.file) else { return false };
        let mut numbers = place[at + self.file.len()..].split(':').skip(1);
        numbers.next() == Some(&*self.line.to_string())
    }

    /// Whether one of the entries of a list has this line as its `field`.
    pub fn is_in(&self, list: &Value, field: &str) -> bool {
        list.as_array().is_some_and(|entries| entries.iter().any(|entry| self.is(&entry[field])))
    }
}
