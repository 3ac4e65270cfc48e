//! Without `--cfg tokio_unstable` there is nothing for a console: an error says so, and nothing is set up.
#![cfg(all(feature = "console", not(tokio_unstable)))]

#[test]
fn the_error_says_what_is_missing() {
    let error = lockprof::console().unwrap_err();
    assert!(error.needs_tokio_unstable());
    assert!(error.to_string().contains("--cfg tokio_unstable"), "{error}");
    assert!(!tracing::dispatcher::has_been_set(), "the program may set its own subscriber");
}
