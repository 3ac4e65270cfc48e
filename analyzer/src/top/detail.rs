//! What stands behind a row: its stacks, and who is meant.
use super::frame::Frame;
use super::table::{Row, Tab};
use lockprof_engine::Options;
use lockprof_engine::findings::{Context, PartyRole, duration, origin};
use lockprof_engine::now::WaitNow;
use lockprof_engine::profile;
use lockprof_engine::report::{ClassReport, SiteReport};
use lockprof_engine::symbols::{Frame as Function, Resolve};

/// Stacks and lines that are told of each sort.
const TOLD: usize = 8;

/// What is known behind a row, in lines.
pub fn detail(frame: &Frame, tab: Tab, row: &Row, symbols: &dyn Resolve) -> Vec<String> {
    let options = Options::default();
    let context = Context::new(0, &frame.model, &options, symbols);
    match tab {
        Tab::Locks | Tab::Channels => class(frame, &context, &frame.classes[row.place].all),
        Tab::Waits => wait(&context, &frame.waits[row.place]),
        Tab::Tasks => {
            let line = &frame.populations[row.place].all;
            let mut lines = vec![format!("{} spawned at {}: {} live", line.kind, line.spawned_at, line.live)];
            let is_ours = |wait: &&WaitNow| {
                wait.spawned_at == line.spawned_at && wait.party.is_task() == (line.kind != "thread")
            };
            waiting(&context, frame.waits.iter().filter(is_ours), &mut lines);
            lines
        }
    }
}

fn class(frame: &Frame, context: &Context<'_>, class: &ClassReport) -> Vec<String> {
    let name = format!("{} {}", class.kind, class.name);
    let mut lines = vec![format!("{} {} {}", name.trim_end(), origin(class.first_used), class.created_at)];
    let waited = duration(class.wait_ns.total);
    lines.push(format!(
        "{} live, acquired {} times, {} with a wait, {waited} together, since the begin",
        class.live, class.acquisitions, class.contended
    ));
    let ours = |wait: &&WaitNow| !wait.created_at.is_empty() && wait.created_at == class.created_at;
    waiting(context, frame.waits.iter().filter(ours), &mut lines);
    sites("lines that held it", &class.holding_sites, &mut lines);
    sites("lines that waited", &class.waiting_sites, &mut lines);
    let place = class.created_at.rsplit_once(':').map_or("", |(place, _)| place);
    let object = format!("{} created at {place}", class.kind);
    let samples = profile::waits(std::slice::from_ref(context));
    let samples = samples.iter().filter(|sample| sample.object == object && !sample.frames.is_empty());
    for sample in samples.take(TOLD) {
        lines.push(String::new());
        lines.push(format!("waited {} times, {} together:", sample.count, duration(sample.ns)));
        lines.extend(sample.frames.iter().map(function));
    }
    lines
}

fn sites(title: &str, sites: &[SiteReport], lines: &mut Vec<String>) {
    if sites.is_empty() {
        return;
    }
    lines.extend([String::new(), format!("{title}:")]);
    lines.extend(sites.iter().take(TOLD).map(|site| {
        let (ns, max) = (duration(site.ns), duration(site.max_ns));
        format!("  {} {} times, {ns} together, {max} at most, at {}", site.operation, site.count, site.at)
    }));
}

fn waiting<'w>(context: &Context<'_>, waits: impl Iterator<Item = &'w WaitNow>, lines: &mut Vec<String>) {
    let waits: Vec<_> = waits.collect();
    if waits.is_empty() {
        return;
    }
    lines.extend([String::new(), "waiting now:".into()]);
    for wait in waits.iter().take(TOLD) {
        lines.push(sentence(wait));
        lines.extend(context.frames(wait.stack).iter().map(function));
    }
    if waits.len() > TOLD {
        lines.push(format!("  and {} more", waits.len() - TOLD));
    }
}

fn sentence(wait: &WaitNow) -> String {
    let since = duration(wait.since_ns);
    let held = wait.holders.join(", ");
    let held = if held.is_empty() { held } else { format!(", held by {held}") };
    format!("  {} since {since}: {} on {} at {}{held}", wait.who, wait.operation, wait.object, wait.at)
}

fn wait(context: &Context<'_>, wait: &WaitNow) -> Vec<String> {
    let mut lines = vec![sentence(wait).trim_start().to_owned()];
    lines.extend(context.frames(wait.stack).iter().map(function));
    let party = context.party(wait.party, PartyRole::Member);
    if !party.spawned_at.is_empty() {
        lines.extend([String::new(), format!("spawned at {}", party.spawned_at)]);
    }
    if party.waits.len() > 1 {
        lines.extend([String::new(), "all that it waits for:".into()]);
        let waits = party.waits.iter();
        lines.extend(waits.map(|wait| format!("  {} on {} at {}", wait.operation, wait.object, wait.at)));
    }
    if !party.holds.is_empty() {
        lines.extend([String::new(), "what it holds:".into()]);
        let holds = party.holds.iter();
        lines.extend(holds.map(|held| {
            format!("  {} since {}, taken at {}", held.object, duration(held.since_ns), held.at)
        }));
    }
    lines
}

fn function(frame: &Function) -> String {
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => format!("    {} ({file}:{line})", frame.function),
        _ => format!("    {}", frame.function),
    }
}
