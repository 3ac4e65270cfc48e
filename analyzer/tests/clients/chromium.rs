//! A browser without a window (Debian: `chromium`).
use super::skipped;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Begins the line of a visit's answer.
const ANSWER: &str = "lockprof-answer ";

/// Opens a page in a browser with these options and runs `script` in it, the body of a function that may wait: what it returns, and what the browser
/// complained about until then. `None` where no browser is installed.
pub fn visit(page: &Path, options: &[&str], script: &str) -> Option<(serde_json::Value, Vec<String>)> {
    let address = |visited: &Path| format!("file://{}", visited.canonicalize().unwrap().display());
    visit_at(page, address, options, script)
}

/// The same of a page that is served: `address` tells where the file that it is given is.
pub fn visit_at(
    page: &Path,
    address: impl Fn(&Path) -> String,
    options: &[&str],
    script: &str,
) -> Option<(serde_json::Value, Vec<String>)> {
    let starts = |name: &&str| {
        let ran = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        ran.is_ok_and(|status| status.success())
    };
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(starts) else {
        skipped("chromium", "no `chromium`");
        return None;
    };
    // The page with the script behind it, which answers on the console.
    let source = fs::read_to_string(page).unwrap();
    let (body, end) = source.rsplit_once("</body>").unwrap();
    let tail = format!(
        "<script>(async () => {{ {script} }})().catch(String).then((answer) => console.log('{ANSWER}' + JSON.stringify(answer)))\
         </script></body>{end}"
    );
    let visited = page.with_extension("visited.html");
    fs::write(&visited, format!("{body}{tail}")).unwrap();
    let mut running = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"])
        .arg("--remote-debugging-port=0")
        .args(options)
        .arg(format!("--user-data-dir={}", page.with_extension("browser").display()))
        .arg(address(&visited))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut complaints, mut answer) = (vec![], None);
    for line in BufReader::new(running.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((_, told)) = line.split_once(ANSWER) {
            let told = told.rsplit_once("\", source: ").map_or(told, |(told, _)| told);
            answer = Some(serde_json::from_str(told).unwrap());
            break;
        }
        if line.contains(":CONSOLE") {
            complaints.push(line);
        }
    }
    running.kill().unwrap();
    running.wait().unwrap();
    Some((answer.expect("the page answers"), complaints))
}
