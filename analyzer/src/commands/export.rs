//! `lockprof export`: a trace in the form that another tool reads.
use super::{Recording, is_quiet, note};
use crate::error::Error;
use crate::export::{Of, Source, To};
use crate::progress::Progress;
use lockprof_engine::Options;
use lockprof_engine::findings::Context;
use lockprof_engine::model::Model;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Writes traces in another form to a file, or to standard output.
pub fn export(
    traces: &[PathBuf],
    to: To,
    of: Of,
    output: Option<&Path>,
    symbols: &[PathBuf],
) -> Result<u8, Error> {
    if output.is_none() && to.is_binary() && io::stdout().is_terminal() {
        return Err(Error::Binary);
    }
    let Recording { models, mut modules, notes, incomplete, paths, broken: _ } = Recording::load(traces);
    if models.is_empty() {
        return Ok(crate::FAILED);
    }
    modules.look_in(symbols);
    let (models, options) = (models.into_iter().map(Model::resolved).collect::<Vec<_>>(), Options::default());
    let contexts: Vec<Context<'_>> = models
        .iter()
        .enumerate()
        .map(|(process, model)| Context::new(process, model, &options, &modules))
        .collect();
    if to.is_profile() && !of.is_in(&models) {
        note(format!("there is nothing to export: {}", of.missing()));
    }
    let source = Source { contexts: &contexts, traces: &paths, progress: Progress::new(!is_quiet()) };
    let written = match output {
        None => write(&source, to, of, &mut BufWriter::new(io::stdout())),
        Some(path) => {
            let failed = |error| Error::File(path.into(), error);
            let file = File::create(path).map_err(failed)?;
            write(&source, to, of, &mut BufWriter::new(file)).map_err(|error| match error {
                Error::Print(error) => failed(error),
                error => error,
            })
        }
    };
    notes.iter().for_each(note);
    modules.notes().iter().for_each(note);
    match written {
        // Who reads has seen enough.
        Err(Error::Print(error)) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written?,
    }
    Ok(if incomplete { crate::FAILED } else { 0 })
}

fn write(source: &Source<'_>, to: To, of: Of, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    source.write(to, of, out)?;
    out.flush().map_err(Error::Print)
}
