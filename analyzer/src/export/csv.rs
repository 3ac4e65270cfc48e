//! A table: one row for waits, or holds, alike.
use super::{Of, Source};
use std::io::{self, Write};

const HEADER: [&str; 13] = [
    "pid",
    "what",
    "operation",
    "at",
    "holder_at",
    "object",
    "kind",
    "waiter",
    "function",
    "count",
    "total_ns",
    "max_ns",
    "span",
];

pub(super) fn write(source: &Source<'_>, of: Of, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(HEADER).map_err(plain)?;
    for sample in source.samples(of) {
        let pid = source.contexts[sample.process].model.session.pid.to_string();
        let function = sample.frames.first().map_or("", |frame| &frame.function);
        let [count, ns, max] = [sample.count, sample.ns, sample.max_ns].map(|number| number.to_string());
        let row = [
            &pid,
            sample.what,
            sample.operation,
            &sample.at,
            &sample.holder,
            &sample.object,
            &sample.kind,
            &sample.by,
            function,
            &count,
            &ns,
            &max,
            &sample.span,
        ];
        table.write_record(row).map_err(plain)?;
    }
    table.flush()
}

/// What went wrong with the file beneath, where it was that.
fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
