//! The programs that read what `lockprof export` writes, installed by their ordinary package managers.
//!
//! Where one cannot be had its test says so and passes: what is checked without it stands in tests of its own.
#![allow(dead_code)] // Each test program uses some of it.
pub mod chromium;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Says why a test does not do what it is named for; past the harness, which shows nothing of a test that passes.
pub fn skipped(client: &str, why: impl std::fmt::Display) {
    let said = format!("skipped: {client} is not to be had here: {why}\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
}

/// Whether a program can be started.
fn starts(program: &str, argument: &str) -> bool {
    let ran = Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ran.is_ok_and(|status| status.success())
}

/// What `go tool pprof` with these arguments prints; `None` where Go is not installed (Debian: `golang-go`).
pub fn pprof(arguments: &[&str], profile: &Path) -> Option<String> {
    if !starts("go", "version") {
        skipped("go tool pprof", "no `go`");
        return None;
    }
    let output = Command::new("go").args(["tool", "pprof"]).args(arguments).arg(profile).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Held by the test that installs something: another may want the same.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A folder of this test program's own, which stays from one run to the next: a package is installed once.
fn store(name: &str) -> PathBuf {
    let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(name);
    fs::create_dir_all(&store).unwrap();
    store
}

/// A package of npm, installed; `None` where it cannot be.
pub fn npm(package: &str) -> Option<PathBuf> {
    let installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let store = store(&format!("npm-{}", package.replace('/', "-")));
    let place = store.join("node_modules").join(package);
    if !place.is_dir() {
        let installed = Command::new("npm")
            .args(["install", "--no-save", "--no-audit", "--no-fund", "--fetch-retries=1", package])
            .current_dir(&store)
            .stdout(Stdio::null())
            .status();
        if !installed.is_ok_and(|status| status.success()) {
            skipped(package, "npm does not install it");
            return None;
        }
    }
    drop(installing);
    Some(place)
}

/// What a script of Python prints that uses this package and is given the path of a file; `None` where the package cannot
/// be installed.
pub fn python(package: &str, script: &str, file: &Path) -> Option<String> {
    let installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let store = store(&format!("python-{package}"));
    let python = store.join("bin/python");
    let done = store.join("installed");
    if !done.exists() {
        let ran = |program: &Path, arguments: &[&str]| {
            let ran = Command::new(program).args(arguments).stdout(Stdio::null()).status();
            ran.is_ok_and(|status| status.success())
        };
        let made = ran(Path::new("python3"), &["-m", "venv", &store.to_string_lossy()])
            && ran(&python, &["-m", "pip", "install", "--quiet", "--retries=1", package]);
        if !made {
            skipped(package, "pip does not install it");
            return None;
        }
        fs::write(done, "").unwrap();
    }
    drop(installing);
    let output = Command::new(python).args(["-c", script]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What the command of a package of npm prints, run by Node.
pub fn node(command: &Path, arguments: &[&str]) -> String {
    let output = Command::new("node").arg(command).args(arguments).output().unwrap();
    let printed = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert!(output.status.success(), "{arguments:?}: {}{}", printed(output.stdout), printed(output.stderr));
    printed(output.stdout)
}

/// Serves a folder at a loopback address while it lives.
pub struct Server {
    running: Child,
    /// Its address, with the port.
    pub address: String,
}

impl Server {
    /// By Python, which is there: a package of it has been installed.
    pub fn new(folder: &Path) -> Self {
        let mut running = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (_, port) = line.split_once(" port ").unwrap_or_else(|| panic!("{line}"));
        let address = format!("http://127.0.0.1:{}", port.split(' ').next().unwrap());
        Self { running, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself has shown nothing, which the test tells.
        let _ = self.running.kill().and_then(|()| self.running.wait());
    }
}
