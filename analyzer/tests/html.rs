//! `report.html`: what stands in it, and that a browser shows it, whatever names it is given.
mod clients;
mod traces;

use clients::chromium;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use traces::{Folder, NASTY, contended, done, lockprof, request, stuck};

/// The size of a window; a smaller one than a phone's is not to be had.
const DESK: &str = "--window-size=1200,900";
const PHONE: &str = "--window-size=500,900";
/// Light and dark.
const SCHEMES: [&str; 2] =
    ["--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0"];

/// The page of a trace.
fn page(folder: &Folder, trace: &[u8]) -> PathBuf {
    let (trace, out) = (folder.file("trace.bin", trace), folder.path("out"));
    let done = done(lockprof(["analyze".as_ref(), trace.as_os_str(), "--out".as_ref(), out.as_os_str()]));
    assert_eq!(done.code, Some(0), "{}", done.err);
    out.join("report.html")
}

#[test]
fn names_are_no_markup_and_nothing_is_loaded() {
    let folder = Folder::new();
    let html = fs::read_to_string(page(&folder, &contended(7))).unwrap();
    assert!(!html.contains(NASTY) && !html.contains("<script>alert"), "the name stands as it is");
    assert_eq!(html.matches("</script>").count(), 2, "the data, and what draws them");
    let (_, data) = html.split_once("id=\"data\">").unwrap();
    let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    assert_eq!(data["report"]["classes"][0]["name"], NASTY);
    assert_eq!(data["drawn"]["lanes"].as_array().unwrap().len(), 4, "a thread and three tasks");
    for loaded in ["src=\"", "@import", "<link", "url(http"] {
        assert!(!html.split("id=\"data\">").next().unwrap().contains(loaded), "{loaded}");
    }
}

#[test]
fn a_browser_shows_it_without_a_complaint() {
    let folder = Folder::new();
    let page = page(&folder, &contended(7));
    let script = "
        const text = (selector) => document.querySelector(selector).textContent;
        const rows = () => document.querySelectorAll('#contention tbody tr').length;
        const canvas = document.querySelector('#timeline canvas');
        const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(canvas.toDataURL()))));
        const press = (key) => canvas.dispatchEvent(new KeyboardEvent('keydown', { key }));
        const filter = document.querySelector('#contention input');
        const filtered = (words) => { filter.value = words; filter.dispatchEvent(new Event('input')); return rows(); };
        const answer = { all: rows(), none: filtered('no such lock'), some: filtered('shop.rs:20 script') };
        document.querySelectorAll('#contention th button')[1].click();
        answer.sorted = document.querySelectorAll('#contention th')[1].getAttribute('aria-sort');
        // A drawing may come some frames late, since layouts come between.
        const until = async (holds) => { for (let frame = 0; frame < 500; frame++) if (holds(await drawn())) return true; return false; };
        let before = await drawn();
        await until((now) => { const same = now === before; before = now; return same; });
        press('+');
        answer.zoomed = await until((now) => now !== before);
        press('0');
        answer.back = await until((now) => now === before);
        press('n');
        answer.bar = text('#timeline .status');
        const flame = document.querySelector('.flame'), frames = () => flame.querySelectorAll('button').length;
        answer.frames = frames();
        flame.querySelectorAll('button')[1].click();
        answer.zoomedFrame = document.activeElement.textContent;
        const search = document.querySelector('.graph input[type=search]');
        search.value = 'lock at';
        search.dispatchEvent(new Event('input'));
        answer.found = text('.graph [role=status]') + ' ' + flame.querySelectorAll('.found').length;
        answer.names = text('#contention tbody').includes(NASTY) && text('#timeline .status').includes(NASTY);
        answer.scripts = document.querySelectorAll('main script').length;
        answer.findings = document.querySelectorAll('#findings article').length;
        answer.unlabelled = [...document.querySelectorAll('button, input:not([type=checkbox]), canvas')]
            .filter((of) => !(of.textContent || of.title || of.getAttribute('aria-label'))).length;
        return answer;"
        .replace("NASTY", &json!(NASTY).to_string().replace('<', "\\u003c"));
    let Some((answer, complaints)) = chromium::visit(&page, &[DESK], &script) else { return };
    assert_eq!(complaints, [""; 0]);
    let bar = format!(
        "task 3 (spawned at src/shop.rs:30), 4.0 ms from 5.0 ms on: lock: parking_lot::Mutex \"{NASTY}\" created at \
         src/shop.rs:3, for ever, at src/shop.rs:20; held by thread 1 (worker-1)"
    );
    let expected = json!({
        "all": 1, "none": 0, "some": 1, "sorted": "descending", "zoomed": true, "back": true, "bar": bar, "names": true,
        "frames": 3, "zoomedFrame": "lock at src/shop.rs:20", "found": "100.0 % found 1",
        "scripts": 0, "findings": answer["findings"], "unlabelled": 0,
    });
    assert_eq!(answer, expected);
}

#[test]
fn spans_and_samples_are_shown_and_their_names_are_texts() {
    let folder = Folder::new();
    let page = page(&folder, &request(7));
    let html = fs::read_to_string(&page).unwrap();
    assert!(!html.contains(NASTY), "names of spans and trace ids are no markup");
    for file in ["spans.svg", "cpu.svg", "time.svg"] {
        assert!(page.with_file_name(file).exists() && html.contains(file), "{file}");
    }
    let script = "
        const tables = [...document.querySelectorAll('#populations table')].map((table) => table.textContent);
        const of = (head) => tables.find((text) => text.includes(head)) ?? '';
        return {
            span: of('longest in trace').includes(NASTY),
            request: of('trace id').includes(NASTY),
            graphs: document.querySelectorAll('#graphs .graph').length,
        };"
    .replace("NASTY", &json!(NASTY).to_string().replace('<', "\\u003c"));
    let Some((answer, complaints)) = chromium::visit(&page, &[DESK], &script) else { return };
    assert_eq!(complaints, [""; 0]);
    assert_eq!(answer, json!({ "span": true, "request": true, "graphs": 6 }));
}

#[test]
fn a_phone_is_wide_enough() {
    let folder = Folder::new();
    let page = page(&folder, &contended(7));
    let script = "return [document.documentElement.scrollWidth, innerWidth];";
    let Some((answer, complaints)) = chromium::visit(&page, &[PHONE], script) else { return };
    assert_eq!(complaints, [""; 0]);
    assert!(answer[0].as_u64() <= answer[1].as_u64(), "{answer}");
}

#[test]
fn a_deadlock_is_drawn() {
    let folder = Folder::new();
    let page = page(&folder, &stuck(7, "src/<b>bold</b>.rs"));
    let script = "
        const drawing = document.querySelector('.card.proved svg.waits');
        const edges = [...drawing.querySelectorAll('path.edge')].map((edge) => edge.getAttribute('class'));
        return [edges, drawing.getAttribute('aria-label'), document.querySelectorAll('main b').length];";
    let Some((answer, complaints)) = chromium::visit(&page, &[DESK], script) else { return };
    assert_eq!(complaints, [""; 0]);
    assert_eq!(answer[0], json!(["edge ", "edge held"]), "waits for it, and holds it");
    let label = "Who waits for whom: thread 1 (worker-1), std::sync::Mutex created at src/<b>bold</b>.rs:3";
    assert_eq!(answer[1], label);
    assert_eq!(answer[2], 0);
}

#[test]
fn it_is_accessible_as_far_as_a_program_can_tell() {
    let Some(axe) = clients::npm("axe-core") else { return };
    let axe = fs::read_to_string(axe.join("axe.min.js")).unwrap().replace("</script", "<\\/script");
    let folder = Folder::new();
    let traces = [contended(7), stuck(7, "src/shop.rs")];
    for (trace, scheme) in traces.iter().flat_map(|trace| SCHEMES.map(|scheme| (trace, scheme))) {
        let page = page(&folder, trace);
        let script = format!(
            "{axe};
             document.querySelectorAll('details').forEach((of) => {{ of.open = true; }});
             const {{ violations, passes }} = await axe.run(document, {{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }});
             const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
             return [passes.length, isDark, violations.map((of) => [of.id, of.nodes.slice(0, 3).map((node) => node.html)])];"
        );
        let Some((answer, _)) = chromium::visit(&page, &[DESK, scheme], &script) else { return };
        assert!(answer[0].as_u64() > Some(10), "{answer:#}");
        assert_eq!(answer[1], scheme == SCHEMES[1], "{answer:#}");
        assert_eq!(answer[2], json!([]), "{answer:#}");
    }
}
