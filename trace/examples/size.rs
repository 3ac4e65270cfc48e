//! How many events a trace has, of each sort, and how many bytes each takes: `cargo run --example size -- trace.bin`.
use lockprof_trace::SCHEMA;
use lockprof_trace::file::Reader;
use std::collections::BTreeMap;
use std::fs::File;

#[allow(clippy::print_stdout)] // It is what this program is for.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("the path of a trace is missing")?;
    let bytes = File::open(&path)?.metadata()?.len();
    let mut reader = Reader::new(File::open(&path)?)?;
    let mut counts: BTreeMap<u8, u64> = BTreeMap::new();
    while let Some(event) = reader.next()? {
        *counts.entry(event.number()).or_default() += 1;
    }
    let all: u64 = counts.values().sum();
    println!("{bytes} bytes, {all} events: {:.2} bytes per event", bytes as f64 / all.max(1) as f64);
    for (number, count) in counts {
        let name = SCHEMA.iter().find(|known| known.0 == number).map_or("", |known| known.1);
        println!("{count:>12} {name}");
    }
    Ok(())
}
