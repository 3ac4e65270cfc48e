//! Serde for maps, sets and references into them, as dashmap has it.
use super::{DashMap, DashSet, mapref, setref};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

/// Reads a map or a set.
struct Reader<T>(PhantomData<fn() -> T>);

impl<'de, K, V, S> Visitor<'de> for Reader<DashMap<K, V, S>>
where
    K: Deserialize<'de> + Eq + Hash,
    V: Deserialize<'de>,
    S: BuildHasher + Clone + Default,
{
    type Value = DashMap<K, V, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a DashMap")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut access: M) -> Result<Self::Value, M::Error> {
        let map = DashMap::with_capacity_and_hasher(access.size_hint().unwrap_or(0), S::default());
        while let Some((key, value)) = access.next_entry()? {
            map.insert(key, value);
        }
        Ok(map)
    }
}

impl<'de, K, S> Visitor<'de> for Reader<DashSet<K, S>>
where
    K: Deserialize<'de> + Eq + Hash,
    S: BuildHasher + Clone + Default,
{
    type Value = DashSet<K, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a DashSet")
    }

    fn visit_seq<M: SeqAccess<'de>>(self, mut access: M) -> Result<Self::Value, M::Error> {
        let set = DashSet::with_capacity_and_hasher(access.size_hint().unwrap_or(0), S::default());
        while let Some(key) = access.next_element()? {
            set.insert(key);
        }
        Ok(set)
    }
}

impl<'de, K, V, S> Deserialize<'de> for DashMap<K, V, S>
where
    K: Deserialize<'de> + Eq + Hash,
    V: Deserialize<'de>,
    S: BuildHasher + Clone + Default,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader::<Self>(PhantomData))
    }
}

impl<'de, K, S> Deserialize<'de> for DashSet<K, S>
where
    K: Deserialize<'de> + Eq + Hash,
    S: BuildHasher + Clone + Default,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Reader::<Self>(PhantomData))
    }
}

impl<K, V, H> Serialize for DashMap<K, V, H>
where
    K: Serialize + Eq + Hash,
    V: Serialize,
    H: BuildHasher + Clone,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for entry in self {
            map.serialize_entry(entry.key(), entry.value())?;
        }
        map.end()
    }
}

impl<K, H> Serialize for DashSet<K, H>
where
    K: Serialize + Eq + Hash,
    H: BuildHasher + Clone,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut set = serializer.serialize_seq(Some(self.len()))?;
        for key in self.iter() {
            set.serialize_element(key.key())?;
        }
        set.end()
    }
}

/// A reference is written as what it leads to.
macro_rules! serialize {
    ($([$($generic:ident),*] $name:ty => $target:ident,)*) => {$(
        impl<K: Eq + Hash, $($generic),*> Serialize for $name
        where
            $target: Serialize,
        {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                (**self).serialize(serializer)
            }
        }
    )*};
}

serialize! {
    [V] mapref::multiple::RefMulti<'_, K, V> => V,
    [V] mapref::multiple::RefMutMulti<'_, K, V> => V,
    [V] mapref::one::Ref<'_, K, V> => V,
    [V] mapref::one::RefMut<'_, K, V> => V,
    [V, T] mapref::one::MappedRef<'_, K, V, T> => T,
    [V, T] mapref::one::MappedRefMut<'_, K, V, T> => T,
    [] setref::multiple::RefMulti<'_, K> => K,
    [] setref::one::Ref<'_, K> => K,
}
