//! References into a map: each holds its shard.
#[macro_use]
mod access;
pub mod entry;
pub mod multiple;
pub mod one;
