//! The profile that Go's tools read: `contentions/count` and `delay/nanoseconds`, as in Go's mutex and block profiles, or how
//! many there are of something, as in its goroutine profile; with labels for lock, kind, task and span. The messages are those of
//! `profile.proto`.
use crate::findings::Context;
use crate::profile::Sample as Path;
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use std::collections::HashMap;
use std::io::{self, Write};

/// What a profile tells of each sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// How often and how long.
    Contentions,
    /// How many samples, and the time on a core that they stand for.
    Cpu,
    /// How many, under this name.
    Count(&'static str),
}

/// What a profile says of itself.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// What it tells of each sample.
    pub values: Values,
    /// When it begins, in nanoseconds since 1970.
    pub time_ns: u64,
    /// How long a time it tells of, in nanoseconds.
    pub duration_ns: u64,
}

impl About {
    /// All the time that is recorded.
    pub fn all(contexts: &[Context<'_>], values: Values) -> Self {
        let began = contexts.iter().map(|context| context.model.session.unix_ns);
        let lengths =
            contexts.iter().map(|context| context.model.ns(context.model.end() - context.model.session.at));
        Self { values, time_ns: began.min().unwrap_or(0), duration_ns: lengths.max().unwrap_or(0) }
    }
}

#[derive(Message)]
struct Profile {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    sample: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    mapping: Vec<Mapping>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    string_table: Vec<String>,
    #[prost(int64, tag = "9")]
    time_nanos: i64,
    #[prost(int64, tag = "10")]
    duration_nanos: i64,
    #[prost(message, optional, tag = "11")]
    period_type: Option<ValueType>,
    #[prost(int64, tag = "12")]
    period: i64,
    #[prost(int64, repeated, tag = "13")]
    comment: Vec<i64>,
    #[prost(int64, tag = "14")]
    default_sample_type: i64,
}

#[derive(Clone, Copy, Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    r#type: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

#[derive(Message)]
struct Sample {
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    label: Vec<Label>,
}

#[derive(Clone, Copy, Message)]
struct Label {
    #[prost(int64, tag = "1")]
    key: i64,
    #[prost(int64, tag = "2")]
    str: i64,
    #[prost(int64, tag = "3")]
    num: i64,
}

#[derive(Clone, Copy, Message)]
struct Mapping {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "5")]
    filename: i64,
    #[prost(bool, tag = "7")]
    has_functions: bool,
    #[prost(bool, tag = "8")]
    has_filenames: bool,
    #[prost(bool, tag = "9")]
    has_line_numbers: bool,
    #[prost(bool, tag = "10")]
    has_inline_frames: bool,
}

#[derive(Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(uint64, tag = "2")]
    mapping_id: u64,
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Clone, Copy, Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
    #[prost(int64, tag = "2")]
    line: i64,
}

#[derive(Clone, Copy, Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "3")]
    system_name: i64,
    #[prost(int64, tag = "4")]
    filename: i64,
}

/// The profile, and what it has told already.
struct Builder {
    profile: Profile,
    values: Values,
    texts: HashMap<String, i64>,
    functions: HashMap<(i64, i64), u64>,
    locations: HashMap<(u64, Vec<(u64, i64)>), u64>,
}

impl Builder {
    fn new(contexts: &[Context<'_>], about: About) -> Self {
        let mut builder = Self {
            profile: Profile::default(),
            values: about.values,
            texts: HashMap::new(),
            functions: HashMap::new(),
            locations: HashMap::new(),
        };
        builder.text("");
        let types = match about.values {
            Values::Contentions => {
                vec![builder.value_type("contentions", "count"), builder.value_type("delay", "nanoseconds")]
            }
            Values::Cpu => {
                vec![builder.value_type("samples", "count"), builder.value_type("cpu", "nanoseconds")]
            }
            Values::Count(name) => vec![builder.value_type(name, "count")],
        };
        let comment = builder.text("written by lockprof");
        builder.profile.default_sample_type = types.last().map_or(0, |last| last.r#type);
        builder.profile.period_type = types.first().copied();
        builder.profile.period = 1;
        builder.profile.sample_type = types;
        builder.profile.time_nanos = signed(about.time_ns);
        builder.profile.duration_nanos = signed(about.duration_ns);
        builder.profile.comment = vec![comment];
        for (number, context) in (1..).zip(contexts) {
            let filename = builder.text(&context.model.session.exe);
            builder.profile.mapping.push(Mapping {
                id: number,
                filename,
                has_functions: true,
                has_filenames: true,
                has_line_numbers: true,
                has_inline_frames: true,
            });
        }
        builder
    }

    fn text(&mut self, text: &str) -> i64 {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let number = signed(self.profile.string_table.len() as u64);
        self.profile.string_table.push(text.into());
        self.texts.insert(text.into(), number);
        number
    }

    fn value_type(&mut self, r#type: &str, unit: &str) -> ValueType {
        ValueType { r#type: self.text(r#type), unit: self.text(unit) }
    }

    fn line(&mut self, function: &str, file: &str, line: i64) -> (u64, i64) {
        let (name, filename) = (self.text(function), self.text(file));
        let functions = &mut self.profile.function;
        let id = *self.functions.entry((name, filename)).or_insert_with(|| {
            let id = functions.len() as u64 + 1;
            functions.push(Function { id, name, system_name: name, filename });
            id
        });
        (id, line)
    }

    /// A location: the functions at one address, the innermost first; the others are those that it was inlined into.
    fn location(&mut self, process: usize, lines: Vec<(u64, i64)>) -> u64 {
        let mapping_id = process as u64 + 1;
        let locations = &mut self.profile.location;
        *self.locations.entry((mapping_id, lines.clone())).or_insert_with(|| {
            let id = locations.len() as u64 + 1;
            let line = lines.into_iter().map(|(function_id, line)| Line { function_id, line }).collect();
            locations.push(Location { id, mapping_id, line });
            id
        })
    }

    fn stack(&mut self, path: &Path) -> Vec<u64> {
        if path.frames.is_empty() {
            let (place, _) = path.at.rsplit_once(':').unwrap_or(("?", ""));
            let (file, line) = place.rsplit_once(':').unwrap_or((place, "0"));
            let line = self.line(&format!("{} at {place}", path.operation), file, line.parse().unwrap_or(0));
            return vec![self.location(path.process, vec![line])];
        }
        let mut stack = vec![];
        let mut lines = vec![];
        for frame in path.frames.iter() {
            let (file, line) = (frame.file.as_deref().unwrap_or_default(), frame.line.unwrap_or(0));
            lines.push(self.line(&frame.function, file, line.into()));
            if !frame.inlined {
                stack.push(self.location(path.process, std::mem::take(&mut lines)));
            }
        }
        if !lines.is_empty() {
            stack.push(self.location(path.process, lines));
        }
        stack
    }

    fn add(&mut self, path: &Path) {
        let location_id = self.stack(path);
        let labels = [
            ("lock", &*path.object),
            ("kind", &path.kind),
            ("task", &path.by),
            ("span", &path.span),
            ("operation", path.operation),
            ("at", &path.at),
        ];
        let told = labels.into_iter().filter(|(_, text)| !text.is_empty());
        let label = told.map(|(key, text)| Label { key: self.text(key), str: self.text(text), num: 0 });
        let label = label.collect();
        let value = match self.values {
            Values::Contentions | Values::Cpu => vec![signed(path.count), signed(path.ns)],
            Values::Count(_) => vec![signed(path.count)],
        };
        self.profile.sample.push(Sample { location_id, value, label });
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Writes a profile of these samples, gzipped.
///
/// # Errors
/// Those of `out`.
pub fn write(
    contexts: &[Context<'_>],
    about: About,
    samples: &[Path],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut builder = Builder::new(contexts, about);
    samples.iter().for_each(|path| builder.add(path));
    let mut zipped = GzEncoder::new(out, Compression::default());
    zipped.write_all(&builder.profile.encode_to_vec())?;
    zipped.finish()?.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Go takes any numbers for ids. Parca asks that they follow each other from 1.
    #[test]
    fn ids_follow_each_other() {
        let about = About { values: Values::Contentions, time_ns: 0, duration_ns: 0 };
        let mut builder = Builder::new(&[], about);
        for function in ["takes", "waits", "takes"] {
            let line = builder.line(function, "order.rs", 7);
            builder.location(0, vec![line]);
        }
        let Profile { function, location, string_table, .. } = builder.profile;
        assert_eq!(function.iter().map(|function| function.id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(location.iter().map(|location| location.id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(string_table[0], "");
    }
}
