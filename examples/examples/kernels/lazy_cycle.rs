//! Two values are made at their first use, each with the help of the other, by two threads.
use crate::stage::{fixed, meet, party};
use lockprof::sync::LazyLock;

static CONFIG: LazyLock<u32> = LazyLock::new(config); //~ new config
static LOGGER: LazyLock<u32> = LazyLock::new(logger); //~ new logger

fn config() -> u32 {
    meet(2);
    *LOGGER + 1 //~ wait config
}

fn logger() -> u32 {
    meet(2);
    if fixed() { 1 } else { *CONFIG + 1 } //~ wait logger
}

pub fn play() {
    party(|| assert!(*CONFIG > 1)); //~ hold config
    party(|| assert!(*LOGGER > 0)); //~ hold logger
}
