//! A Parquet file: a row for each wait and hold, for whoever asks questions of a million of them.
use super::{Source, facts, title, unix_ns};
use crate::error::Error;
use lockprof_engine::model::{Doing, Span};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::io::{self, Write};
use std::sync::Arc;

/// Rows that are written together, and kept until then.
const ROWS: usize = 1 << 16;
/// The columns; those of numbers first, as in [`Row`].
const SCHEMA: &str = "message spans {
    REQUIRED INT64 pid;
    REQUIRED INT64 begin (TIMESTAMP(NANOS, true));
    REQUIRED INT64 duration_ns;
    REQUIRED BYTE_ARRAY what (UTF8);
    REQUIRED BYTE_ARRAY operation (UTF8);
    REQUIRED BYTE_ARRAY party (UTF8);
    REQUIRED BYTE_ARRAY title (UTF8);
    REQUIRED BYTE_ARRAY kind (UTF8);
    REQUIRED BYTE_ARRAY site (UTF8);
    REQUIRED BYTE_ARRAY held_by (UTF8);
    REQUIRED BYTE_ARRAY held_from (UTF8);
    REQUIRED BYTE_ARRAY ended (UTF8);
    REQUIRED BYTE_ARRAY spawned_at (UTF8);
}";
/// The last columns, by the names of their facts; empty where there is nothing to say.
const FACTS: [&str; 6] = ["kind", "at", "held by", "held from", "ended", "spawned at"];
const NUMBERS: usize = 3;

/// A span, column by column.
struct Row {
    numbers: [i64; NUMBERS],
    texts: Vec<String>,
}

pub(super) fn write(source: &Source<'_>, out: &mut (dyn Write + Send)) -> std::result::Result<(), Error> {
    let told = |error| Error::Print(plain(error));
    let mut writer = open(out).map_err(told)?;
    let mut rows = vec![];
    source.spans(|context, span| {
        rows.push(row(context, span));
        if rows.len() >= ROWS {
            flush(&mut writer, &mut rows).map_err(plain)?;
        }
        Ok(())
    })?;
    flush(&mut writer, &mut rows).and_then(|()| writer.close()).map_err(told)?;
    Ok(())
}

/// What went wrong with the file beneath, where it was that.
fn plain(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

fn open<W: Write + Send>(out: W) -> Result<SerializedFileWriter<W>> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    SerializedFileWriter::new(out, Arc::new(parse_message_type(SCHEMA)?), Arc::new(properties))
}

fn row(context: &lockprof_engine::findings::Context<'_>, span: &Span) -> Row {
    let [begin, end] = [span.begin, span.end].map(|ticks| unix_ns(context, ticks));
    let numbers = [context.model.session.pid, begin, end.saturating_sub(begin)];
    let (what, operation) = match span.doing {
        Doing::Wait(operation, _) => ("wait", operation.name()),
        Doing::Hold | Doing::Keep => ("hold", "held"),
    };
    let mut texts = vec![what.into(), operation.into(), context.party_name(span.party), title(context, span)];
    let mut known = facts(context, span);
    texts.extend(FACTS.map(|name| {
        let fact = known.iter_mut().find(|(known, _)| *known == name);
        fact.map(|(_, text)| std::mem::take(text)).unwrap_or_default()
    }));
    Row { numbers: numbers.map(|number| i64::try_from(number).unwrap_or(i64::MAX)), texts }
}

/// Writes the rows as one group, and leaves none.
fn flush<W: Write + Send>(writer: &mut SerializedFileWriter<W>, rows: &mut Vec<Row>) -> Result<()> {
    let mut group = writer.next_row_group()?;
    let mut column = 0;
    while let Some(mut to) = group.next_column()? {
        if column < NUMBERS {
            let numbers: Vec<i64> = rows.iter().map(|row| row.numbers[column]).collect();
            to.typed::<Int64Type>().write_batch(&numbers, None, None)?;
        } else {
            let texts = rows.iter().map(|row| ByteArray::from(&*row.texts[column - NUMBERS]));
            to.typed::<ByteArrayType>().write_batch(&texts.collect::<Vec<_>>(), None, None)?;
        }
        to.close()?;
        column += 1;
    }
    group.close()?;
    rows.clear();
    Ok(())
}
