//! once_cell, recorded: an initialisation that others wait for is their wait, and who runs it holds the
//! cell meanwhile.
//!
//! [`race`] and [`unsync`] never wait, and are the original's.
pub mod sync;

pub use ::once_cell::{race, unsync};
