//! Events as words.
