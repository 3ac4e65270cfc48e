//! The command `lockprof`.
fn main() {}
