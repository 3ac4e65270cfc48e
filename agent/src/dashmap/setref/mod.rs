//! References into a set: each holds its shard.
pub mod multiple;
pub mod one;
