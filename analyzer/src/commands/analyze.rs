//! `lockprof analyze`: from traces to a report.
use super::{Recording, print, write};
use crate::cli::Ask;
use crate::error::Error;
use std::path::{Path, PathBuf};

/// Analyzes traces together, prints the report, and writes it into a folder where one is named.
pub fn analyze(traces: &[PathBuf], out: Option<&Path>, ask: &Ask) -> Result<u8, Error> {
    let recording = match out {
        Some(_) => Recording::load_drawn(traces),
        None => Recording::load(traces),
    };
    let incomplete = recording.incomplete;
    if recording.models.is_empty() {
        // Each has been told with its reason.
        return Ok(crate::FAILED);
    }
    let report = recording.report(ask);
    print(&report, ask.format, &mut anstream::stdout())?;
    if let Some(folder) = out {
        write(&report, folder)?;
    }
    Ok(if incomplete { crate::FAILED } else { 0 })
}
