//! Scrapers of continuous profilers, each the real program: it fetches the pages of this process and takes what it gets.
#![cfg(all(target_os = "linux", feature = "http"))]
mod clients;

use clients::{is_there, until};
use lockprof::sync::Mutex;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// A program that is ended with the test, and its folder.
struct Scraper {
    child: Child,
    dir: PathBuf,
}

impl Scraper {
    /// Runs it in a folder of its own, with this configuration as the last argument.
    fn run(program: &str, arguments: &[&str], config: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("lockprof-{program}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("config"), config).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).arg("config").current_dir(&dir).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().unwrap(), dir }
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        fs::remove_dir_all(&self.dir).unwrap();
    }
}

/// The pages of this process, in which a thread waits for a lock.
fn pages() -> SocketAddr {
    static PAGES: OnceLock<SocketAddr> = OnceLock::new();
    static LOCK: Mutex<()> = Mutex::new(());
    *PAGES.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("lockprof-scrapers-{}.bin", std::process::id()));
        // It goes with the process.
        std::mem::forget(lockprof::builder().path(&path).start().unwrap());
        fs::remove_file(Path::new(&path)).unwrap();
        let held = LOCK.lock().unwrap();
        lockprof::thread::spawn(|| drop(LOCK.lock()));
        std::thread::sleep(Duration::from_millis(20));
        drop(held);
        lockprof::serve("127.0.0.1:0").unwrap()
    })
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What is at this path of a server, once it answers.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn parca_takes_them() {
    if !is_there("parca", "--version") {
        return;
    }
    let (pages, port) = (pages(), free_port());
    let config = format!(
        r#"
object_storage:
  bucket: {{ type: FILESYSTEM, config: {{ directory: data }} }}
scrape_configs:
  - job_name: shop
    scrape_interval: 1s
    scrape_timeout: 1s
    static_configs: [{{ targets: ["{pages}"] }}]
    profiling_config:
      pprof_config:
        memory: {{ enabled: false }}
        process_cpu: {{ enabled: false }}
        mutex: {{ enabled: true, path: /debug/pprof/mutex }}
        block: {{ enabled: true, path: /debug/pprof/block }}
        goroutine: {{ enabled: true, path: /debug/pprof/goroutine }}
"#
    );
    let address = format!("--http-address=127.0.0.1:{port}");
    let _parca = Scraper::run("parca", &[&address, "--config-path"], &config);
    let targets = until(|| {
        let targets = get(port, "/api/targets")?;
        let told = targets.matches("HEALTH_GOOD").count() + targets.matches("HEALTH_BAD").count();
        (told == 3).then_some(targets)
    });
    assert!(!targets.contains("HEALTH_BAD"), "{targets}");
}

#[test]
fn alloy_passes_them_on() {
    if !is_there("alloy", "--version") {
        return;
    }
    let pages = pages();
    let pyroscope = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = format!(
        r#"
pyroscope.write "here" {{
  endpoint {{ url = "http://{}" }}
}}
pyroscope.scrape "shop" {{
  targets         = [{{ "__address__" = "{pages}", "service_name" = "shop" }}]
  forward_to      = [pyroscope.write.here.receiver]
  scrape_interval = "1s"
  profiling_config {{
    profile.memory      {{ enabled = false }}
    profile.process_cpu {{ enabled = false }}
    profile.mutex       {{ enabled = true }}
    profile.block       {{ enabled = true }}
    profile.goroutine   {{ enabled = true }}
  }}
}}
"#,
        pyroscope.local_addr().unwrap()
    );
    let address = format!("--server.http.listen-addr=127.0.0.1:{}", free_port());
    let _alloy = Scraper::run("alloy", &["run", &address, "--storage.path=data"], &config);
    pyroscope.set_nonblocking(true).unwrap();
    let request = until(|| {
        let (mut stream, _) = pyroscope.accept().ok()?;
        stream.set_nonblocking(false).unwrap();
        let mut begin = [0; 64];
        stream.read_exact(&mut begin).unwrap();
        Some(String::from_utf8_lossy(&begin).into_owned())
    });
    assert!(request.starts_with("POST /push.v1.PusherService/Push"), "{request}");
}
