//! The parts that Go's text forms have in common.
use lockprof_engine::findings::Context;
use lockprof_engine::profile::Sample;
use std::fmt::Write;

/// " @ 0x1 0x2", and below it a line for each function.
pub(super) fn stack(context: &Context<'_>, sample: &Sample) -> String {
    let addresses = context.model.stacks.get(&sample.stack).map(|stack| &stack[..]).unwrap_or_default();
    let mut text = String::from(" @");
    // Writing to a string does not fail.
    for address in addresses {
        let _ = write!(text, " {address:#x}");
    }
    text.push('\n');
    for frame in sample.frames.iter() {
        let (file, line) = (frame.file.as_deref().unwrap_or("?"), frame.line.unwrap_or(0));
        let _ = writeln!(text, "#\t{}\t{file}:{line}", frame.function);
    }
    if sample.frames.is_empty() {
        let _ = writeln!(text, "#\t{}\t{}", sample.operation, place(&sample.at));
    }
    text
}

/// "file:line", which Go has, of "file:line:column".
pub(super) fn place(at: &str) -> &str {
    at.rsplit_once(':').map_or("?:0", |(place, _)| place)
}
