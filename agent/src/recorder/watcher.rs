//! Watchers: subscriptions that the program registers and has to release.
//!
//! Each has an id and an entry, so that one that is never released stands in shared memory when the process is gone.
use super::emit::emit;
use super::handle::Handle;
use super::memory::RECORDING;
use super::object;
use super::site::{Known, Put, Site, site_of};
use super::{areas, count};
use crate::clock::ticks;
use lockprof_trace::{Event, Kind, Role};
use std::sync::atomic::Ordering::Relaxed;

/// Names told, each with the site that it was told for.
static NAMES: Known<4096> = Known::new();

/// A subscription that is registered while recording.
#[derive(Debug)]
pub(crate) struct Watcher {
    id: u32,
    handle: Handle,
}

impl Watcher {
    /// It is registered at `site`; `None` where nothing is recorded.
    pub(crate) fn register(name: &'static str, site: Site) -> Option<Self> {
        if !RECORDING.load(Relaxed) {
            return None;
        }
        let id = object::new(Kind::Watcher, Some(site), 0);
        if id == 0 {
            return None;
        }
        let (at, object, address) = (ticks(), id.into(), site_of(site));
        // Once for the watchers of a line is enough.
        let key = (name.as_ptr().addr() as u64).rotate_left(32) ^ name.len() as u64 ^ address;
        if matches!(NAMES.put(key.max(1)), Put::New(_)) {
            emit(&Event::Name { object, name: name.into() });
        }
        emit(&Event::Watcher { at, object, party: areas::party(), site: address });
        Some(Self { id, handle: Handle::open(id, Role::Watcher, site, 0) })
    }

    /// A value was delivered: with it, `delivered` in all.
    #[inline]
    pub(crate) fn deliver(&self, delivered: u64) {
        count(self.id);
        self.handle.set_count(u32::try_from(delivered).unwrap_or(u32::MAX));
    }

    /// It is released, after `delivered` values. Where that is part of dropping a task whose runtime shuts down, it never
    /// was: it stays open to the end.
    pub(crate) fn release(self, delivered: u64) {
        if super::is_abandoning() {
            return self.handle.forget();
        }
        emit(&Event::WatcherEnd { at: ticks(), object: self.id.into(), delivered });
        drop(self.handle);
        object::drop_id(self.id);
    }
}
