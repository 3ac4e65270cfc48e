//! `lockprof diff`: a program before and after a change, each recorded once or several times.
use super::{Recording, print_as};
use crate::cli::Ask;
use crate::error::Error;
use crate::folder;
use lockprof_engine::diff::{self, text};
use lockprof_engine::report::{Folded, Report};
use std::path::{Path, PathBuf};

/// Compares traces, prints what came of it, and writes it into a folder where one is named. Each trace is one run; `after`
/// may be left out where `before` names both.
pub fn diff(before: &[PathBuf], after: &[PathBuf], out: Option<&Path>, ask: &Ask) -> Result<u8, Error> {
    let (before, after) = match (before, after) {
        (before, after) if !after.is_empty() => (before, after),
        ([before], _) => return Err(Error::NoOther(before.clone())),
        ([before, after], _) => (std::slice::from_ref(before), std::slice::from_ref(after)),
        _ => return Err(Error::NoSides),
    };
    let read = |traces: &[PathBuf]| -> Option<Vec<Report>> {
        let run = |trace: &PathBuf| {
            let recording = Recording::load(std::slice::from_ref(trace));
            (!recording.incomplete).then(|| recording.report(ask))
        };
        // Each that cannot be read is told with its reason.
        let reports: Vec<Option<Report>> = traces.iter().map(run).collect();
        reports.into_iter().collect()
    };
    let (before, after) = (read(before), read(after));
    let (Some(before), Some(after)) = (before, after) else { return Ok(crate::FAILED) };
    let mut diff = diff::diff(&before, &after);
    diff.notes = [&before, &after].into_iter().flatten().flat_map(|report| report.notes.clone()).collect();
    print_as(ask.format, &diff, &mut anstream::stdout(), || text::render(&diff))?;
    if let Some(folder) = out {
        let folded =
            |side: Vec<Report>| side.into_iter().map(|report| report.folded).collect::<Vec<Folded>>();
        let (before, after) = (folded(before), folded(after));
        folder::write_diff(&diff, [&before, &after], folder)
            .map_err(|error| Error::Output(folder.into(), error))?;
    }
    Ok(0)
}
