//! What the examples share: the choice between a program with its faults and the same program without them.

use clap::Args;

/// `--faulty` (the default) or `--fixed`, for a program's own command line.
#[derive(Args, Clone, Copy, Debug)]
pub struct Variant {
    /// Run with the planted faults; this is the default
    #[arg(long)]
    faulty: bool,

    /// Run without them
    #[arg(long, conflicts_with = "faulty")]
    fixed: bool,
}

impl Variant {
    /// Whether the program is to run without its faults.
    pub fn is_fixed(self) -> bool {
        self.fixed
    }
}
