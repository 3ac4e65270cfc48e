//! `tokio::sync`, recorded: who waits at which line, for whom.
mod channel;
pub mod mpsc;

pub use ::tokio::sync::*;
