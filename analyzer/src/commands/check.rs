//! `lockprof check`: a gate for CI. Findings of a denied verdict that the baseline does not know make it fail.
use super::{Recording, print};
use crate::cli::{Ask, Gate};
use crate::error::Error;
use crate::sarif::sarif;
use lockprof_engine::findings::Finding;
use lockprof_engine::report::fingerprint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// The exit code of a check that has found something.
const FOUND: u8 = 1;

/// Findings that are known and let pass, by their fingerprints.
#[derive(Default, Serialize, Deserialize)]
struct Baseline {
    findings: BTreeSet<String>,
}

impl Baseline {
    fn read(path: &Path) -> Result<Self, Error> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Error::NoBaseline(path.into())),
            text => text.map_err(|error| Error::Open(path.into(), error))?,
        };
        serde_json::from_str(&text).map_err(|error| Error::Baseline(path.into(), error))
    }

    fn write(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::from);
        text.and_then(|text| fs::write(path, text + "\n")).map_err(|error| Error::File(path.into(), error))
    }
}

/// Analyzes traces together and says by its exit code whether there is something in them that is denied.
pub fn check(gate: &Gate, ask: &Ask) -> Result<u8, Error> {
    let recording = Recording::load(&gate.traces);
    if recording.incomplete || recording.models.is_empty() {
        // Each has been told with its reason; what is not known is not clean.
        return Ok(crate::FAILED);
    }
    let broken = recording.broken.clone();
    let mut report = recording.report(ask);
    let denied = |finding: &Finding| gate.deny.iter().any(|denied| denied.verdict() == finding.verdict);
    if let Some(path) = gate.baseline.as_deref().filter(|_| gate.update_baseline && broken.is_empty()) {
        let findings = report.findings.iter().filter(|finding| denied(finding)).map(fingerprint).collect();
        Baseline { findings }.write(path)?;
    }
    let baseline = match gate.baseline.as_deref().map(Baseline::read).transpose() {
        // It was to be written, and is not, since of a trace that is not whole nobody knows what is missing.
        Err(Error::NoBaseline(_)) if gate.update_baseline && !broken.is_empty() => Baseline::default(),
        baseline => baseline?.unwrap_or_default(),
    };
    let (all, mut known) = (report.findings.len(), 0);
    report.findings.retain(|finding| {
        let is_known = denied(finding) && baseline.findings.contains(&fingerprint(finding));
        known += usize::from(is_known);
        denied(finding) && !is_known
    });
    if let Some(path) = &gate.sarif {
        let findings: Vec<&Finding> = report.findings.iter().collect();
        let text = serde_json::to_string_pretty(&sarif(&findings)).map_err(std::io::Error::from);
        text.and_then(|text| fs::write(path, text + "\n"))
            .map_err(|error| Error::File(path.into(), error))?;
    }
    let found = report.findings.len();
    let out = &mut anstream::stdout();
    print(&report, ask.format, out)?;
    if ask.format == crate::cli::Format::Text {
        let allowed = all - found - known;
        let said =
            writeln!(out, "check: {found} denied, {known} known from the baseline, {allowed} let pass");
        said.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
            .map_err(Error::Print)?;
    }
    if found > 0 {
        return Ok(FOUND);
    }
    // What is missing may be what is denied.
    let failed = !broken.is_empty();
    broken.into_iter().for_each(|(path, what)| super::complain(&Error::Broken(path, what)));
    Ok(if failed { crate::FAILED } else { 0 })
}
