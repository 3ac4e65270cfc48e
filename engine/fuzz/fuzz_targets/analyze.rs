//! Any bytes as the events of a block whose frame is right: model, findings, text, JSON, timeline and comparison come to an
//! end, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lockprof_engine::diff::diff;
use lockprof_engine::model::Model;
use lockprof_engine::report::TextOptions;
use lockprof_engine::report::text::render;
use lockprof_engine::symbols::NoSymbols;
use lockprof_engine::{Options, analyze};
use lockprof_trace::file::{MARK, Reader, header};

fuzz_target!(|bytes: &[u8]| {
    let length = (bytes.len() as u32).to_le_bytes();
    let crc = crc32fast::hash(&[&length, bytes].concat()).to_le_bytes();
    let file = [&header()[..], &MARK, &length, &crc, bytes].concat();
    let (mut reader, mut model) = (Reader::new(&file[..]).unwrap(), Model::with_lanes());
    while let Ok(Some(event)) = reader.next() {
        model.event(&event);
    }
    let report = analyze(vec![model], &Options::default(), &NoSymbols);
    let text = render(&report, &TextOptions::default());
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    serde_json::to_vec(&report).unwrap();
    serde_json::to_vec(&report.drawn).unwrap();
    let runs = [report];
    serde_json::to_vec(&diff(&runs, &runs)).unwrap();
});
