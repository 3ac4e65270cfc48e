//! The file format of speedscope: one sampled profile for each process.
use super::{Of, Source};
use lockprof_engine::symbols::Frame;
use serde::Serialize;
use std::collections::HashMap;
use std::io::{self, Write};

const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(rename = "$schema")]
    schema: &'static str,
    exporter: &'static str,
    shared: Shared,
    profiles: Vec<Profile>,
}

#[derive(Serialize)]
struct Shared {
    frames: Vec<Named>,
}

#[derive(Serialize)]
struct Named {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    r#type: &'static str,
    name: String,
    unit: &'static str,
    start_value: u64,
    end_value: u64,
    samples: Vec<Vec<usize>>,
    weights: Vec<u64>,
}

/// Frames, each told once.
#[derive(Default)]
struct Frames {
    list: Vec<Named>,
    known: HashMap<(String, Option<String>, Option<u32>), usize>,
}

impl Frames {
    fn number(&mut self, name: &str, file: Option<&str>, line: Option<u32>) -> usize {
        *self.known.entry((name.into(), file.map(Into::into), line)).or_insert_with(|| {
            self.list.push(Named { name: name.into(), file: file.map(Into::into), line });
            self.list.len() - 1
        })
    }

    fn of(&mut self, frame: &Frame) -> usize {
        self.number(&frame.function, frame.file.as_deref(), frame.line)
    }
}

pub(super) fn write(source: &Source<'_>, of: Of, out: &mut dyn Write) -> io::Result<()> {
    let mut frames = Frames::default();
    let what = match of {
        Of::Wait => "waited",
        Of::Hold => "held",
        Of::Span => "waited by span",
        Of::Cpu => "ran",
    };
    let mut profiles: Vec<Profile> = source
        .contexts
        .iter()
        .map(|context| Profile {
            r#type: "sampled",
            name: format!("{what} in process {}", context.model.session.pid),
            unit: "nanoseconds",
            start_value: 0,
            end_value: 0,
            samples: vec![],
            weights: vec![],
        })
        .collect();
    for sample in source.samples(of) {
        let profile = &mut profiles[sample.process];
        let mut path = vec![];
        if of == Of::Cpu {
            // As in the flame graphs who ran is the root, and nothing was waited for.
            path.push(frames.number(&sample.by, None, None));
            if !sample.span.is_empty() {
                path.push(frames.number(&format!("span {}", sample.span), None, None));
            }
        }
        path.extend(sample.frames.iter().rev().map(|frame| frames.of(frame)));
        if of != Of::Cpu {
            // The object is the leaf, as in the flame graphs.
            path.push(frames.number(&format!("{} at {}", sample.operation, sample.at), None, None));
            path.push(frames.number(&sample.object, None, None));
        }
        profile.samples.push(path);
        profile.weights.push(sample.ns);
        profile.end_value = profile.end_value.saturating_add(sample.ns);
    }
    let file =
        File { schema: SCHEMA, exporter: "lockprof", shared: Shared { frames: frames.list }, profiles };
    serde_json::to_writer(out, &file)?;
    Ok(())
}
