//! Numbers over many events: distributions of lengths of time, holds told by two sources, live counts over time.
mod distribution;
mod holds;
mod timeline;

pub use distribution::Distribution;
pub use holds::Holds;
pub use timeline::Timeline;
