//! Source files, as sites and frames name them.

/// Whether a file is no part of the program itself: the standard library's, or of a package from a registry or a repository.
/// Recorder and analyzer agree on it: what a library does is told by who called it.
pub fn is_library(file: &str) -> bool {
    ["/rustc/", "/.cargo/registry/", "/.cargo/git/", "/lib/rustlib/"].iter().any(|part| file.contains(part))
}
