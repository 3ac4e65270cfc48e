//! The memory of maps and sets, as `typesize` asks for it.
use super::{DashMap, DashSet, Shard};
use std::hash::{BuildHasher, Hash};
use std::panic::Location;
use typesize::TypeSize;

impl<K, V, S> TypeSize for DashMap<K, V, S>
where
    K: TypeSize + Eq + Hash,
    V: TypeSize,
    S: TypeSize + Clone + BuildHasher,
{
    #[track_caller]
    fn extra_size(&self) -> usize {
        let site = Location::caller();
        let size = |shard: &Shard<K, V>| {
            let shard = super::lock::read_at(shard, site);
            // SAFETY: the shard stays locked, and its buckets are full.
            let entries = unsafe { shard.iter() }.map(|bucket| unsafe { bucket.as_ref() });
            let entries: usize =
                entries.map(|(key, value)| key.extra_size() + value.get().extra_size()).sum();
            size_of::<Shard<K, V>>() + shard.allocation_info().1.size() + entries
        };
        self.hasher().extra_size() + self.shards.iter().map(size).sum::<usize>()
    }

    typesize::if_typesize_details! {
        fn get_collection_item_count(&self) -> Option<usize> {
            Some(self.len())
        }
    }
}

impl<K, S> TypeSize for DashSet<K, S>
where
    K: TypeSize + Eq + Hash,
    S: TypeSize + Clone + BuildHasher,
{
    #[track_caller]
    fn extra_size(&self) -> usize {
        self.inner.extra_size()
    }

    typesize::if_typesize_details! {
        fn get_collection_item_count(&self) -> Option<usize> {
            Some(self.len())
        }
    }
}
