//! Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"): what code hosts show beside the lines.
use lockprof_engine::findings::{CODES, Finding, Verdict};
use lockprof_engine::report::{fingerprint, spots};
use serde_sarif::sarif::{
    ArtifactLocation, Location, Message, MultiformatMessageString, PhysicalLocation, Region,
    ReportingDescriptor, Result as Entry, ResultLevel, Run, Sarif, Tool, ToolComponent, Version,
};
use std::collections::BTreeMap;

/// The name under which a finding's fingerprint stands.
const FINGERPRINT: &str = "lockprof/v1";

/// The findings as one run of this tool.
pub fn sarif(findings: &[&Finding]) -> Sarif {
    let text = |text: &str| MultiformatMessageString::builder().text(text).build();
    let rules = CODES.iter().map(|(code, title, whole)| {
        let help = MultiformatMessageString::builder().text(*whole).markdown(*whole).build();
        ReportingDescriptor::builder()
            .id(*code)
            .name(*title)
            .short_description(text(title))
            .help(help)
            .build()
    });
    let driver = ToolComponent::builder()
        .name("lockprof")
        .version(env!("CARGO_PKG_VERSION"))
        .rules(rules.collect::<Vec<_>>())
        .build();
    let results: Vec<Entry> = findings.iter().map(|finding| entry(finding)).collect();
    let run = Run::builder().tool(Tool::builder().driver(driver).build()).results(results).build();
    Sarif::builder()
        .version(Version::V2_1_0.to_string())
        .schema("https://json.schemastore.org/sarif-2.1.0.json")
        .runs(vec![run])
        .build()
}

fn entry(finding: &Finding) -> Entry {
    let message = |text: &str| Message::builder().text(text).build();
    let level = match finding.verdict {
        Verdict::Proved => ResultLevel::Error,
        Verdict::Suspected => ResultLevel::Warning,
        _ => ResultLevel::Note,
    };
    // What the text shows, with the labels that it has there.
    let others = spots(finding).into_iter().filter_map(|spot| {
        let at = format!("{}:{}:{}", spot.file, spot.line, spot.column);
        (at != finding.at).then_some((at, spot.label))
    });
    let others: BTreeMap<String, String> = others.collect();
    let others = others.into_iter().filter_map(|(at, label)| {
        let mut location = location(&at)?;
        location.message = Some(message(&label));
        Some(location)
    });
    Entry::builder()
        .rule_id(finding.code)
        .level(level)
        .message(message(&format!("{}\n\nhelp: {}", finding.message, finding.help)))
        .locations(location(&finding.at).into_iter().collect::<Vec<_>>())
        .related_locations(others.collect::<Vec<_>>())
        .partial_fingerprints(BTreeMap::from([(FINGERPRINT.to_owned(), fingerprint(finding))]))
        .build()
}

/// "file:line:column" as a location; a file that is named from a folder on stays so, below the root of the sources.
fn location(at: &str) -> Option<Location> {
    let mut parts = at.rsplitn(3, ':');
    let (column, line): (i64, i64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let file = parts.next()?;
    let artifact = match file.starts_with('/') {
        true => ArtifactLocation::builder().uri(format!("file://{}", encoded(file))).build(),
        false => ArtifactLocation::builder().uri(encoded(file)).uri_base_id("%SRCROOT%").build(),
    };
    let region = Region::builder().start_line(line.max(1)).start_column(column.max(1)).build();
    let place = PhysicalLocation::builder().artifact_location(artifact).region(region).build();
    Some(Location::builder().physical_location(place).build())
}

/// A path as it may stand in a URI (RFC 3986, section 2).
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.replace('\\', "/").bytes().map(one).collect()
}
