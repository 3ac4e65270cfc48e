//! `dashmap` with lockprof's recorded types in place: what the original exports, under the same names.
pub use lockprof::dashmap::*;
