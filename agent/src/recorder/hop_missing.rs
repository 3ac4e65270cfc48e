//! Where framehop is not used: another system than Linux, or another processor.
use super::stack::DEPTH;

pub(super) fn prepare() -> bool {
    false
}

pub(super) fn look() {}

pub(super) fn stack(_: &mut [u64; DEPTH], _: (usize, usize)) -> Option<usize> {
    None
}
