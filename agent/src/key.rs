//! What a key of a map is known by: nobody finds the key by it, since the salt is this process's own.
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;

/// The hash of a key, salted.
pub(crate) fn salted<Q: Hash + ?Sized>(key: &Q) -> u64 {
    static SALT: OnceLock<RandomState> = OnceLock::new();
    SALT.get_or_init(RandomState::new).hash_one(key)
}
