//! A live view of a recorded process from outside: its trace is read as it grows, its shared memory as it stands.
//!
//! `follow` reads, `frame` makes numbers of two readings, `table` rows of those, `app` knows what the keys do, and `draw`
//! paints; `plain` prints the same for scripts. The process that is looked at does nothing for it.
mod app;
mod detail;
mod draw;
mod follow;
mod frame;
mod plain;
mod save;
mod table;
#[cfg(test)]
mod tests;

pub use app::{App, Does};
pub use draw::draw;
pub use follow::{Follow, Reading};
pub use frame::Frame;
pub use plain::plain;
pub use save::save;
