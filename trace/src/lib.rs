//! The trace of lockprof: what is recorded, and how it is written down.
//!
//! - [`Event`] is the one list of what a trace can say; [`kind`](crate::Kind) names what it speaks of.
//! - [`mod@file`] is the trace file: a header and checked blocks of events. `FORMAT.md` describes it for other readers.
//! - [`words`] is the coding of events in shared memory, and [`memory`] that memory's layout: what the recorder writes
//!   while the program runs, and what is collected when it ends, or after it was killed.
//!
//! This crate opens no file, takes no lock and starts no thread: readers take bytes, writers give bytes.
#![forbid(unsafe_code)]

mod event;
pub mod file;
mod kind;
pub mod memory;
mod source;
pub mod words;

pub use event::{Event, Get, Malformed, Party, Put, SCHEMA};
pub use kind::{
    Change, Count, End, HoldSource, Kind, Loss, Mode, Operation, Outcome, Role, TaskState, Threads, WaitEnd,
};
pub use source::is_library;

/// The longest text in a trace, in bytes: a longer one is cut by the recorder and refused by the reader.
pub const MAX_TEXT: usize = 4096;
/// The most frames of a stack: deeper ones are cut by the recorder and refused by the reader.
pub const MAX_FRAMES: usize = 128;
