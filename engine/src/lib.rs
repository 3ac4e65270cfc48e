//! What the events of lockprof mean: from events to a model, from the model to findings, from findings to a report.
//!
//! One [`model::Model`] per recorded process takes the events in the order of the file; [`analyze`] makes a
//! [`report::Report`] of them, which is the JSON report as it stands, and which [`report::text`] prints. Nothing in
//! here writes to the terminal or a file; the only files read are the sources that a finding shows.
#![forbid(unsafe_code)]

pub mod advise;
pub mod diff;
pub mod findings;
pub mod folded;
pub mod graph;
mod held;
pub mod leftovers;
pub mod model;
pub mod now;
#[cfg(feature = "pprof")]
pub mod pprof;
pub mod profile;
pub mod report;
pub mod stats;
pub mod symbols;

use std::time::Duration;

/// What the analysis takes as given.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// A wait that is still open after this long, without progress, is worth a finding of verdict *suspected*.
    pub min_blocked: Duration,
    /// A share of refused sends above this is worth a finding of verdict *hazard*.
    pub max_failed_sends: f64,
}

/// See [`Options::min_blocked`]: long against every healthy queue, short against a person's patience.
pub const MIN_BLOCKED: Duration = Duration::from_secs(1);

/// See [`Options::max_failed_sends`]: one in a thousand.
pub const MAX_FAILED_SENDS: f64 = 0.001;

impl Default for Options {
    fn default() -> Self {
        Self { min_blocked: MIN_BLOCKED, max_failed_sends: MAX_FAILED_SENDS }
    }
}

/// Makes the report of one recording: one model for each process that recorded.
pub fn analyze(
    models: Vec<model::Model>,
    options: &Options,
    symbols: &dyn symbols::Resolve,
) -> report::Report {
    report::build(models, options, symbols)
}
