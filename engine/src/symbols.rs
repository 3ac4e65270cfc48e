//! Names for addresses: what a stack of numbers means to a person.

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
