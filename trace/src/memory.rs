//! The layout of shared memory.
