//! What a finding is known by from one build to the next: its code, its file and the text of its line, so that it is the
//! same finding where lines above it come and go.
use crate::findings::Finding;

/// The fingerprint of a finding: one line of text. Where the source is not there, it is the line's number that counts.
pub fn fingerprint(finding: &Finding) -> String {
    let mut parts = finding.at.rsplitn(3, ':').skip(1);
    let (line, file) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let source = line.parse().ok().and_then(|line| super::diagnostic::source(file, line));
    let text = source.as_deref().map(|text| text.split("//").next().unwrap_or_default().trim());
    match text.filter(|text| !text.is_empty()) {
        Some(text) => format!("{} {file}: {text}", finding.code),
        None => format!("{} {file}:{line}", finding.code),
    }
}
