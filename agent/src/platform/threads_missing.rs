//! Where the system tells nothing of other threads, nor moves them to cores.
use super::Progress;

pub(crate) fn progress(_: u64) -> Option<Progress> {
    None
}
pub(crate) fn delayed_ns(_: u64) -> Option<u64> {
    None
}
pub(crate) fn runs(_: u64) -> Option<u64> {
    None
}
pub(crate) fn name_of(_: u64) -> Option<String> {
    None
}
pub(crate) fn threads() -> Option<Vec<u64>> {
    None
}
pub(crate) fn cores() -> Vec<usize> {
    vec![]
}
pub(crate) fn pin(_: usize) {}
