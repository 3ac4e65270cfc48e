//! `lockprof advise`: what to use instead, object by object.
use super::{Recording, print_as};
use crate::cli::Ask;
use crate::error::Error;
use lockprof_engine::advise::{advise as engine, text};
use std::path::PathBuf;

/// Analyzes traces together and prints what the decision tree says of each object.
pub fn advise(traces: &[PathBuf], ask: &Ask) -> Result<u8, Error> {
    let recording = Recording::load(traces);
    let incomplete = recording.incomplete;
    if recording.models.is_empty() {
        return Ok(crate::FAILED);
    }
    let advice = engine(&recording.report(ask));
    print_as(ask.format, &advice, &mut anstream::stdout(), || text(&advice))?;
    Ok(if incomplete { crate::FAILED } else { 0 })
}
