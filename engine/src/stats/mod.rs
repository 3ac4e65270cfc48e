//! Numbers over many events: distributions of lengths of time, holds told by two sources, live counts over time.
mod distribution;
mod holds;
mod lanes;
mod timeline;

pub use distribution::Distribution;
pub use holds::Holds;
pub use lanes::{Bar, Lane, Lanes};
pub use timeline::Timeline;

/// Adds to a sum of numbers from a trace, which may be any.
pub(crate) fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}
