//! Folded stacks: the lines that the flame graphs are drawn from.
use super::{Of, Source};
use crate::flamegraph::one_number;
use lockprof_engine::folded;
use std::io::{self, Write};

pub(super) fn write(source: &Source<'_>, of: Of, out: &mut dyn Write) -> io::Result<()> {
    let lines = match of {
        Of::Wait => folded::waits(source.contexts),
        Of::Hold => folded::holds(source.contexts),
        Of::Span => folded::spans(source.contexts),
        Of::Cpu => folded::cpu(source.contexts),
    };
    lines.iter().try_for_each(|line| writeln!(out, "{}", one_number(line)))
}
