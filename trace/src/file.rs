//! The trace file: a header and checked blocks of events. `FORMAT.md` is the authority on its bytes.
//!
//! [`header`] and [`Block`] give the bytes of a file, [`Reader`] takes them. Neither opens a file: what is written goes
//! into a `Vec`, what is read comes from any [`Read`](std::io::Read). A reader meets every input with events or an
//! [`Error`]; what it allocates is bounded by the limits below, whatever the file says.
mod again;
mod block;
mod coding;
mod error;
mod events;
mod parts;
mod reader;
mod schema;

pub use again::HoldKey;
pub use block::Block;
pub use error::Error;
pub use events::Events;
pub use parts::{HoldTime, Parts, RawBlock};
pub use reader::Reader;

/// The version of the file's frame: header, blocks and the coding of fields. Events and fields come and go by the schema.
pub const VERSION: u32 = 1;
/// What a trace file begins with. Not text, and damaged by whoever converts line ends.
pub const MAGIC: [u8; 8] = *b"\x89LPT\r\n\x1a\n";
/// What a block begins with, so that a reader finds the next one behind a damaged one.
pub const MARK: [u8; 4] = *b"\xB1LPB";
/// Bytes of a block before its events: mark, length, checksum.
pub const FRAME: usize = 12;
/// The most bytes of events in a block: a longer one is refused, so that a length of garbage allocates little.
pub const MAX_BLOCK: usize = 256 << 10;
/// The most bytes of a schema.
pub const MAX_SCHEMA: usize = 64 << 10;

/// A writer closes a block at this many bytes: small beside a cache, large beside its frame.
const BLOCK_BYTES: usize = 48 << 10;

/// The bytes a trace file begins with: magic, version, schema, checksum.
pub fn header() -> Vec<u8> {
    schema::header(crate::SCHEMA)
}
