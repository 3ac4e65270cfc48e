//! Names for addresses: what a stack of numbers means to a person.
use std::fmt;

/// One function on a stack; several for one address where functions were inlined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function, demangled.
    pub function: String,
    /// The source file.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<u32>,
    /// Whether it was inlined into the next frame.
    pub inlined: bool,
}

/// "function (file:line)", as far as it is known.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " ({file}:{line})"),
            (Some(file), None) => write!(f, " ({file})"),
            _ => Ok(()),
        }
    }
}

/// Finds the names of addresses.
pub trait Resolve {
    /// The frames at a return address of the process with this index among the models, innermost first; empty where
    /// nothing is known of it.
    fn frames(&self, process: usize, address: u64) -> Vec<Frame>;
}

/// Knows no name.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSymbols;

impl Resolve for NoSymbols {
    fn frames(&self, _: usize, _: u64) -> Vec<Frame> {
        vec![]
    }
}
