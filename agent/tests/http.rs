//! The pages of a program that is stuck: read by plain HTTP, by `go tool pprof` and by `promtool`.
#![cfg(all(target_os = "linux", feature = "http"))]
mod clients;

use clients::{is_there, until};
use lockprof::sync::Mutex;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};

/// The requests that are answered at once.
const AT_ONCE: usize = 8;
/// Tells the child of the second test that it is one, and where its pages are.
const CHILD: &str = "LOCKPROF_TEST_PAGES";

fn send(address: SocketAddr, path: &str, header: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n").unwrap();
    stream
}

/// Status, headers and body of an answer.
fn ask(address: SocketAddr, path: &str, header: &str) -> (u16, String, Vec<u8>) {
    let mut answer = vec![];
    send(address, path, header).read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    (head[9..12].parse().unwrap(), head.to_lowercase(), answer[end + 4..].to_vec())
}

/// The text at a path where all is well.
fn text(address: SocketAddr, path: &str) -> String {
    let (status, head, body) = ask(address, path, "");
    let body = String::from_utf8(body).unwrap();
    assert_eq!(status, 200, "{head}\n{body}");
    body
}

fn status(address: SocketAddr, path: &str) -> u16 {
    ask(address, path, "").0
}

/// What a client that is installed prints; `None`, and a word on it, where it is not.
fn client(program: &str, version: &str, arguments: &[&str], input: &str) -> Option<String> {
    if !is_there(program, version) {
        return None;
    }
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn go_top(address: SocketAddr, path: &str) -> Option<String> {
    client("go", "version", &["tool", "pprof", "-top", &format!("http://{address}/debug/pprof/{path}")], "")
}

/// Takes both locks, one after the other; where the other thread does so the other way round it never ends.
fn takes_one_then_the_other(one: &Mutex<u32>, other: &Mutex<u32>, met: &Barrier) {
    let _one = one.lock().unwrap(); // held here
    met.wait();
    let _other = other.lock().unwrap(); // waits here
}

/// Runs until the process ends.
#[cfg(feature = "cpu")]
fn runs_for_ever() {
    let mut turns = 0u64;
    loop {
        turns = std::hint::black_box(turns + 1);
    }
}

/// The place of a line of this file, by the comment at its end.
fn place(comment: &str) -> String {
    let source = include_str!("http.rs");
    let line = source.lines().position(|line| line.ends_with(comment)).unwrap() + 1;
    format!("agent/tests/http.rs:{line}")
}

#[test]
fn a_stuck_program_answers() {
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let refused = lockprof::serve("0.0.0.0:0").unwrap_err().to_string();
    assert!(refused.contains("0.0.0.0:0") && refused.contains("serve_beyond_loopback"), "{refused}");
    let address = lockprof::serve("127.0.0.1:0").unwrap();
    let taken = lockprof::serve(address).unwrap_err().to_string();
    assert!(taken.contains(&address.to_string()), "{taken}");
    assert!(lockprof::serve_beyond_loopback("0.0.0.0:0").is_ok());
    for path in ["/metrics", "/stuck", "/debug/pprof/block", "/debug/pprof/goroutine?debug=2"] {
        let (status, _, body) = ask(address, path, "");
        assert_eq!((status, &*body), (503, &b"nothing is recorded in this process now\n"[..]), "{path}");
    }

    let path = std::env::temp_dir().join(format!("lockprof-http-{}.bin", std::process::id()));
    let recording = lockprof::builder().path(&path);
    #[cfg(feature = "cpu")]
    let recording = recording.cpu(499);
    let recording = recording.start().unwrap();
    let (locks, met) = (Arc::new((Mutex::new(0), Mutex::new(0))), Arc::new(Barrier::new(2)));
    for turn in [false, true] {
        let (locks, met) = (locks.clone(), met.clone());
        lockprof::thread::spawn(move || {
            let (one, other) = if turn { (&locks.1, &locks.0) } else { (&locks.0, &locks.1) };
            takes_one_then_the_other(one, other, &met);
        });
    }
    let (held, waits) = (place("// held here"), place("// waits here"));

    let stuck = until(|| Some(text(address, "/stuck")).filter(|stuck| stuck.contains("LP0001")));
    assert!(stuck.contains(&waits) && stuck.contains("takes_one_then_the_other"), "{stuck}");
    let block = text(address, "/debug/pprof/block?debug=1");
    assert!(block.starts_with("--- contention:\ncycles/second="), "{block}");
    assert!(block.contains("takes_one_then_the_other\t") && block.contains(" @ 0x"), "{block}");
    let mutex = text(address, "/debug/pprof/mutex?debug=1");
    assert!(mutex.starts_with("--- mutex:\n") && mutex.contains(&format!("#\theld\t{held}\n")), "{mutex}");
    let all = text(address, "/debug/pprof/goroutine?debug=2");
    let blocked = all.split("\n\n").filter(|one| one.contains(" [lock") && one.contains(&waits));
    assert_eq!(blocked.count(), 2, "{all}");
    assert!(
        all.lines().filter(|line| line.starts_with("goroutine ")).all(|line| line.ends_with("]:")),
        "{all}"
    );
    let leaked = text(address, "/debug/pprof/goroutineleak?debug=1");
    assert!(leaked.starts_with("goroutineleak profile: total 2\n2 @ 0x"), "{leaked}");
    assert!(text(address, "/debug/pprof/").contains("href=\"/debug/pprof/mutex\""));

    let metrics = text(address, "/metrics");
    assert!(metrics.contains("# TYPE lockprof_lock_acquisitions_total counter"), "{metrics}");
    let (_, head, open) = ask(address, "/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n");
    assert!(head.contains("application/openmetrics-text") && open.ends_with(b"# EOF\n"), "{head}");
    client("promtool", "--version", &["check", "metrics"], &metrics);

    if let Some(top) = go_top(address, "block") {
        assert!(top.contains("Type: delay") && top.contains("takes_one_then_the_other"), "{top}");
        let mutex = go_top(address, "mutex").unwrap();
        assert!(mutex.contains(&format!("held at {held}")), "{mutex}");
        let goroutines = go_top(address, "goroutine").unwrap();
        assert!(goroutines.contains("Type: goroutine"), "{goroutines}");
        let leaked = go_top(address, "goroutineleak").unwrap();
        assert!(leaked.contains("of 2 total") && leaked.contains("takes_one_then_the_other"), "{leaked}");
        // Two that wait all the time, for a second.
        let second = go_top(address, "block?seconds=1").unwrap();
        assert!(second.contains("takes_one_then_the_other"), "{second}");
    }

    let (sampled, _, said) = ask(address, "/debug/pprof/profile?seconds=1", "");
    #[cfg(not(feature = "cpu"))]
    assert_eq!((sampled, String::from_utf8(said).unwrap().lines().count()), (501, 1));
    #[cfg(feature = "cpu")]
    {
        assert!(sampled == 200 && said.starts_with(b"\x1f\x8b"), "gzipped");
        std::thread::spawn(runs_for_ever);
        if let Some(top) = go_top(address, "profile?seconds=2") {
            assert!(top.contains("Type: cpu") && top.contains("runs_for_ever"), "{top}");
        }
    }
    for (path, expected) in [
        ("/debug/pprof/heap", 404),
        ("/nothing", 404),
        ("/debug/pprof/block?seconds=0", 400),
        ("/debug/pprof/block?seconds=1&debug=1", 400),
        ("/debug/pprof/goroutine?debug=x", 400),
    ] {
        assert_eq!(status(address, path), expected, "{path}");
    }
    let mut post = TcpStream::connect(address).unwrap();
    post.write_all(b"POST /stuck HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut answer = String::new();
    post.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("GET, HEAD"), "{answer}");

    // Another's page in a browser of this machine calls it by another's name.
    let called = |host: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET /stuck HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer[9..12].parse::<u16>().unwrap()
    };
    let port = address.port();
    assert_eq!(["elsewhere.example", "127.0.0.1.elsewhere.example:80"].map(called), [403, 403]);
    assert_eq!([&format!("LOCALHOST:{port}"), "[::1]", &address.to_string()].map(called), [200; 3]);

    // All that can be answered at once are under way, and stay so for as long as they are waited for.
    let asked: Vec<_> = (0..AT_ONCE).map(|_| send(address, "/debug/pprof/block?seconds=300", "")).collect();
    let said = until(|| {
        let (status, head, body) = ask(address, "/debug/pprof/", "");
        (status == 503).then(|| (head, String::from_utf8(body).unwrap()))
    });
    assert!(said.0.contains("retry-after: 1") && said.1.contains("too many requests"), "{said:?}");
    // Which the program does not notice.
    assert!(!lockprof::stuck().is_empty());
    drop(asked);
    until(|| (status(address, "/debug/pprof/") == 200).then_some(()));
    recording.finish();
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn the_environment_opens_them() {
    if let Ok(address) = std::env::var(CHILD) {
        assert!(text(address.parse().unwrap(), "/metrics").contains("# TYPE lockprof_"));
        return;
    }
    let child = |address: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let trace = std::env::temp_dir().join(format!("lockprof-http-child-{}.bin", std::process::id()));
        child.args(["--exact", "the_environment_opens_them", "--nocapture"]);
        child.env("LOCKPROF", format!("profile,path={},http={address}", trace.display()));
        child.env(CHILD, address);
        let output = child.output().unwrap();
        std::fs::remove_file(trace).unwrap();
        output
    };
    // Nobody else is given this port so soon again.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let served = child(&free.to_string());
    assert!(served.status.success(), "{}", String::from_utf8_lossy(&served.stderr));
    let refused = child("0.0.0.0:9");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.starts_with("lockprof: no pages are served at 0.0.0.0:9"), "{said}");
}
