//! The kernels of `examples/kernels`: each broken one is found as the table says, with its lines, its objects and its
//! parties, nothing is said of a fixed one, and `docs/KERNELS.md` tells what is found.

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use support::Report;

/// Waits are called stuck sooner than usual: a broken kernel waits for a second.
const MIN_BLOCKED: &str = "300ms";
/// Runs at a time. Most of them wait most of the time.
const AT_ONCE: usize = 6;

/// What a kernel is to be found as.
struct Expected {
    name: &'static str,
    /// The word for what happens, of the literature.
    class: &'static str,
    /// What the broken kernel has to be found as: verdict and code.
    found: [&'static str; 2],
    /// Which of `not-shown` and `dropped` there are besides.
    besides: &'static [&'static str],
}

const fn kernel(
    name: &'static str,
    class: &'static str,
    found: [&'static str; 2],
    besides: &'static [&'static str],
) -> Expected {
    Expected { name, class, found, besides }
}

const DEADLOCK: [&str; 2] = ["proved", "LP0001"];
const NEVER_RELEASED: [&str; 2] = ["suspected", "LP0002"];
const BLOCKED_SEND: [&str; 2] = ["suspected", "LP0003"];
const BLOCKED_RECEIVE: [&str; 2] = ["suspected", "LP0004"];
const BLOCKED_WAIT: [&str; 2] = ["suspected", "LP0005"];
const NOT_SHOWN: &[&str] = &["not-shown"];
const DROPPED: &[&str] = &["dropped"];
/// What stands above the table in the docs.
const HEAD: &str = "| --- | --- | --- | --- | --- |\n";

const KERNELS: &[Expected] = &[
    kernel("etcd_10492", "self", DEADLOCK, &[]),
    kernel("syncthing_4829", "self", DEADLOCK, &[]),
    kernel("cockroach_9935", "self", DEADLOCK, NOT_SHOWN),
    kernel("cockroach_10214", "cycle", DEADLOCK, NOT_SHOWN),
    kernel("kubernetes_13135", "cycle", DEADLOCK, NOT_SHOWN),
    kernel("moby_4951", "cycle", DEADLOCK, NOT_SHOWN),
    kernel("cockroach_6181", "rwr", DEADLOCK, NOT_SHOWN),
    kernel("kubernetes_62464", "rwr", DEADLOCK, NOT_SHOWN),
    kernel("grpc_795", "leaked", NEVER_RELEASED, &[]),
    kernel("cockroach_584", "leaked", ["proved", "LP0002"], &[]),
    kernel("moby_17176", "leaked", NEVER_RELEASED, &[]),
    kernel("kubernetes_11298", "mixed", DEADLOCK, &[]),
    kernel("grpc_1460", "mixed", DEADLOCK, &[]),
    kernel("etcd_6873", "mixed", DEADLOCK, NOT_SHOWN),
    kernel("istio_16224", "mixed", DEADLOCK, &[]),
    kernel("serving_2137", "mixed", DEADLOCK, &[]),
    kernel("kubernetes_10182", "mixed", DEADLOCK, &[]),
    kernel("kubernetes_6632", "mixed", DEADLOCK, &[]),
    kernel("cockroach_1055", "mixed", DEADLOCK, &[]),
    kernel("cockroach_24808", "self-channel", DEADLOCK, &[]),
    kernel("kubernetes_70277", "self-channel", DEADLOCK, &[]),
    kernel("moby_33293", "self-channel", DEADLOCK, &[]),
    kernel("cockroach_35931", "channel-cycle", DEADLOCK, &[]),
    kernel("cockroach_2448", "channel-cycle", DEADLOCK, &[]),
    kernel("cockroach_25456", "channel-cycle", DEADLOCK, &[]),
    kernel("grpc_660", "orphan", BLOCKED_SEND, DROPPED),
    kernel("kubernetes_38669", "orphan", BLOCKED_SEND, DROPPED),
    kernel("moby_4395", "orphan", BLOCKED_SEND, DROPPED),
    kernel("cockroach_18101", "orphan", BLOCKED_SEND, DROPPED),
    kernel("cockroach_10790", "orphan", BLOCKED_RECEIVE, DROPPED),
    kernel("grpc_1424", "orphan", BLOCKED_RECEIVE, DROPPED),
    kernel("moby_25384", "orphan", BLOCKED_RECEIVE, &[]),
    kernel("moby_30408", "orphan", BLOCKED_WAIT, &[]),
    kernel("cockroach_13197", "watcher", BLOCKED_WAIT, &[]),
    kernel("cockroach_13755", "watcher", BLOCKED_WAIT, &[]),
    // And what is common in Rust.
    kernel("match_guard", "self", DEADLOCK, &[]),
    kernel("read_then_write", "self", DEADLOCK, &[]),
    kernel("double_lock_async", "self", DEADLOCK, &[]),
    kernel("three_locks", "cycle", DEADLOCK, NOT_SHOWN),
    kernel("guard_across_await", "mixed", DEADLOCK, &[]),
    kernel("condvar_outer", "mixed", BLOCKED_WAIT, &[]),
    kernel("two_actors", "channel-cycle", DEADLOCK, &[]),
    kernel("own_queue", "self-channel", DEADLOCK, &[]),
    kernel("blocked_runtime", "mixed", DEADLOCK, &[]),
    kernel("no_waker", "orphan", ["proved", "LP0005"], &[]),
    kernel("kept_guard", "leaked", NEVER_RELEASED, &[]),
    kernel("permit_leak", "leaked", NEVER_RELEASED, &[]),
    kernel("future_lock", "leaked", NEVER_RELEASED, &[]),
    kernel("upgrade_and_read", "cycle", DEADLOCK, &[]),
    kernel("once_reentrant", "self", DEADLOCK, &[]),
    kernel("lazy_cycle", "cycle", DEADLOCK, &[]),
    kernel("map_ref_insert", "self", DEADLOCK, &[]),
    kernel("watch_borrow", "self", DEADLOCK, &[]),
    kernel("drop_under_lock", "self", DEADLOCK, &[]),
    kernel("permits_piecemeal", "cycle", DEADLOCK, &[]),
    kernel("reserve_then_send", "channel-cycle", DEADLOCK, &[]),
    kernel("set_under_lock", "mixed", DEADLOCK, &[]),
    kernel("scoped_join", "mixed", DEADLOCK, &[]),
    kernel("closed_and_join", "mixed", DEADLOCK, &[]),
    kernel("recv_on_runtime", "mixed", DEADLOCK, &[]),
    kernel("full_pool", "mixed", DEADLOCK, &[]),
    kernel("init_in_init", "self", DEADLOCK, &[]),
    kernel("job_under_lock", "mixed", DEADLOCK, &[]),
    kernel("workers_blocked", "mixed", DEADLOCK, &[]),
    kernel("stages_in_ring", "channel-cycle", DEADLOCK, &[]),
    kernel("ask_itself", "self-channel", DEADLOCK, &[]),
    kernel("ask_each_other", "channel-cycle", DEADLOCK, &[]),
    kernel("jobs_in_jobs", "channel-cycle", DEADLOCK, &[]),
    kernel("runtimes_block", "mixed", DEADLOCK, &[]),
    kernel("barrier_missing", "orphan", BLOCKED_WAIT, &[]),
    kernel("notified_too_late", "orphan", ["suspected", "LP0015"], &[]),
    kernel("pool_drop", "mixed", DEADLOCK, &[]),
    kernel("init_joins_user", "mixed", DEADLOCK, &[]),
    kernel("waker_replaced", "orphan", ["proved", "LP0005"], &[]),
];

/// Programs that look like a kernel, and have no bug.
const TRAPS: &[&str] = &[
    "request_reply",
    "accept_loop",
    "timer_loop",
    "gate_lock",
    "two_stages",
    "back_off",
    "hand_over_hand",
    "readers_in_a_circle",
    "read_recursive",
    "call_after_release",
    "wait_gives_back",
    "idle_workers",
    "idle_selects",
    "idle_tasks",
    "request_reply_async",
    "pending_map",
    "long_hold",
    "in_turn",
    "back_pressure",
    "forget_and_add",
    "guard_travels",
    "join_of_work",
    "permits_travel",
    "end_travels",
    "own_guard_travels",
    "permit_in_message",
    "answer_on_shelf",
    "computed_elsewhere",
    "late_at_barrier",
    "queue_after_signal",
    "set_at_work",
    "jobs_in_turn",
    "actors_left",
    "permits_as_signals",
    "room_reserved",
];

/// The lines of a kernel that bear a marker of this kind.
fn marked(name: &str, kind: &str) -> BTreeSet<String> {
    let marker = format!("//~ {kind} ");
    let lines = source(name);
    let lines = lines.lines().enumerate().filter(|(_, line)| line.contains(&marker));
    lines.map(|(index, _)| format!("{name}.rs:{}", index + 1)).collect()
}

fn source(name: &str) -> String {
    let path = support::workspace().join(format!("examples/examples/kernels/{name}.rs"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The places in a list of the report, as file and line.
fn places<'a>(list: &'a Value, field: &'a str) -> impl Iterator<Item = String> + 'a {
    list.as_array().into_iter().flatten().filter_map(move |entry| {
        let at = entry[field].as_str()?.rsplit('/').next()?;
        let mut parts = at.split(':');
        Some(format!("{}:{}", parts.next()?, parts.next()?))
    })
}

/// The places where parties of a role wait.
fn waiting(finding: &Value, role: &str) -> BTreeSet<String> {
    let parties = finding["parties"].as_array().into_iter().flatten();
    parties.filter(|party| party["role"] == role).flat_map(|party| places(&party["waits"], "at")).collect()
}

fn holding(finding: &Value) -> BTreeSet<String> {
    let parties = finding["parties"].as_array().into_iter().flatten();
    parties.flat_map(|party| places(&party["holds"], "at")).collect()
}

/// What a report tells wrong of a broken kernel.
fn wrong(expected: &Expected, report: &Report) -> Vec<String> {
    let found: Vec<&Value> = report.firm().collect();
    let [finding] = &found[..] else { return vec![format!("one finding expected, not {found:#?}")] };
    let name = expected.name;
    let mut wrong = vec![];
    let mut same = |what: &str, is: BTreeSet<String>, expected: BTreeSet<String>| {
        if is != expected {
            wrong.push(format!("{what}: {is:?}, not {expected:?}"));
        }
    };
    let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let found = [text("verdict"), text("code")];
    same("found", found.into(), expected.found.map(str::to_owned).into());
    same("members wait", waiting(finding, "member"), marked(name, "wait"));
    same("bystanders wait", waiting(finding, "bystander"), marked(name, "behind"));
    let held = marked(name, "hold");
    same("held", holding(finding).intersection(&held).cloned().collect(), held);
    let spawned = marked(name, "spawn");
    let told: BTreeSet<String> = places(&finding["parties"], "spawned_at").collect();
    same("spawned", told.intersection(&spawned).cloned().collect(), spawned);
    let objects: BTreeSet<String> = places(&finding["objects"], "created_at").collect();
    let made = marked(name, "new");
    same("objects", objects, made);
    wrong
}

/// One run of a variant.
struct Run {
    name: &'static str,
    expected: Option<&'static Expected>,
    variant: &'static str,
    /// What decides the delays of its steps; `None`: there are none.
    seed: Option<u64>,
}

/// Runs one variant and says what is wrong with its report.
fn play(Run { name, expected, variant, seed }: &Run) -> Vec<String> {
    let seeded = seed.map_or(String::new(), |seed| format!("-{seed}"));
    let out = support::folder(&format!("kernel-{name}-{variant}{seeded}"));
    let mut run = support::recording(&out, &["--min-blocked", MIN_BLOCKED]);
    if let Some(seed) = seed {
        run.env("KERNELS_JITTER", seed.to_string());
    }
    let output = run
        .arg("--")
        .arg(support::binary("kernels"))
        .args([*name, &format!("--{variant}")])
        .output()
        .expect("lockprof runs");
    if !output.status.success() {
        return vec![format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))];
    }
    let report = Report::read(&out);
    drop(fs::remove_dir_all(&out));
    match (*variant, expected) {
        ("broken", Some(expected)) => wrong(expected, &report),
        ("not-shown", _) => {
            let proved = report.firm().filter(|finding| finding["verdict"] == "proved");
            proved.map(|finding| format!("proved: {finding:#}")).collect()
        }
        _ => report.firm().map(|finding| format!("found: {finding:#}")).collect(),
    }
}

/// Each variant once; with `KERNELS_RUNS=N` N times, with random delays of its steps.
fn runs() -> Vec<Run> {
    let runs = std::env::var("KERNELS_RUNS").ok().map(|runs| runs.parse().expect("a number of runs"));
    let seeds = || (0..runs.unwrap_or(1)).map(|seed| runs.map(|_| seed));
    let of_trap = |name: &&'static str| Run { name, expected: None, variant: "fixed", seed: None };
    let of_kernel = |kernel: &'static Expected| {
        let variants = ["broken", "fixed"].iter().chain(kernel.besides);
        variants.map(|variant| Run { name: kernel.name, expected: Some(kernel), variant, seed: None })
    };
    let once = || TRAPS.iter().map(of_trap).chain(KERNELS.iter().flat_map(of_kernel));
    seeds().flat_map(|seed| once().map(move |run| Run { seed, ..run })).collect()
}

#[test]
#[allow(clippy::print_stdout)] // How many there were is what `scripts/kernels` is for.
fn every_kernel_is_found_and_its_correction_is_not() {
    let runs = runs();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(run) = runs.get(next.fetch_add(1, Relaxed)) {
                    let wrong = play(run).join("; ");
                    if !wrong.is_empty() {
                        let Run { name, variant, seed, .. } = run;
                        failed.lock().unwrap().push(format!("{name} --{variant} {seed:?}: {wrong}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let (all, wrong) = (runs.len(), failed.len());
    assert!(failed.is_empty(), "{}\n{wrong} of {all} runs went wrong", failed.join("\n"));
    println!("{all} runs, each as the table says");
}

/// The table of `docs/KERNELS.md`: cause and class, and what is found, which is what the test above expects.
#[test]
fn the_table_in_the_docs_is_true() {
    let mut table = String::new();
    for Expected { name, class, found: [verdict, code], besides } in KERNELS {
        let source = source(name);
        let told = source.lines().map_while(|line| line.strip_prefix("//! "));
        let cause = told.collect::<Vec<_>>().join(" ");
        let quiet = [&["fixed"], *besides].concat().join(", ");
        writeln!(table, "| `{name}` | {class} | {cause} | {code} {verdict} | {quiet} |").unwrap();
    }
    let path: PathBuf = support::workspace().join("docs/KERNELS.md");
    let docs = fs::read_to_string(&path).unwrap();
    if std::env::var_os("KERNELS_TABLE").is_some() {
        let (above, below) = docs.split_once(HEAD).unwrap();
        let below: String = below.split_inclusive('\n').skip_while(|line| line.starts_with('|')).collect();
        fs::write(&path, [above, HEAD, &table, &below].concat()).unwrap();
        return;
    }
    assert!(docs.contains(&table), "KERNELS_TABLE=1 writes it:\n{table}");
}
