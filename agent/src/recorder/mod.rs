//! The recorder: what the wrappers call. It knows no wrapper.
//!
//! On the hot path are [`acquired`], [`released`] and [`count`]: no lock, no allocation, no system call, nothing shared is
//! written. All else happens where somebody waits, or on the background thread.
// Each family of wrappers uses a part of it, and a program may want only one.
#![cfg_attr(not(feature = "full"), allow(dead_code, unused_imports))]
mod area;
mod areas;
mod carry;
mod chunk;
mod contained;
#[cfg(feature = "cpu")]
#[cfg_attr(not(target_os = "linux"), path = "cpu_missing.rs")]
mod cpu;
mod drain;
mod emit;
mod ended;
mod entry;
mod flight;
mod free_list;
mod full;
mod handle;
mod hold;
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    path = "hop_missing.rs"
)]
mod hop;
mod local;
pub(crate) mod memory;
mod moved;
mod nested;
mod object;
mod output;
mod plain;
mod pressure;
mod site;
#[cfg(feature = "tracing")]
pub(crate) mod span;
mod stack;
mod sums;
mod tag;
mod task;
pub(crate) mod unseen;
mod wait;
mod watcher;
mod word;

pub(crate) use areas::{detach, party, prepare};
#[cfg(feature = "live")]
pub(crate) use chunk::press;
#[cfg(feature = "cpu")]
pub(crate) use cpu::Sampler;
pub(crate) use drain::{Drain, Stop, TICK, beginning, memory_of_this_process, tick};
pub(crate) use emit::emit;
pub(crate) use full::is_on as is_full;
pub(crate) use handle::{Handle, User, find_statics};
pub(crate) use memory::RECORDING;
pub(crate) use moved::{captured, moved};
pub(crate) use nested::{acquiring, refused};
pub(crate) use output::Output;
pub(crate) use plain::{Own, spawned};
#[cfg(all(tokio_unstable, feature = "tracing"))]
pub(crate) use plain::{is_own_poll, is_own_spawn};
#[cfg(all(tokio_unstable, feature = "tracing"))]
pub(crate) use site::foreign;
pub(crate) use site::{Site, site_of};
pub(crate) use stack::Way;
pub(crate) use tag::Tag;
#[cfg(all(tokio_unstable, feature = "tracing"))]
pub(crate) use task::Polling;
pub(crate) use task::{DRIVEN, InRuntime, NewThread, Task, TaskRef, Wakers, here};
pub(crate) use wait::{Limited, Wait};
pub(crate) use watcher::Watcher;

use lockprof_trace::{Mode, Operation};
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

/// Where nobody tells of tracing spans.
#[cfg(not(feature = "tracing"))]
mod span {
    /// The number of the span that this thread is in: none.
    #[inline(always)]
    pub(super) fn current() -> u32 {
        0
    }

    /// What a sample keeps of it: nothing.
    #[cfg(all(feature = "cpu", target_os = "linux"))]
    pub(super) fn keep() -> u32 {
        0
    }

    /// The number of the span that a sample has kept: none.
    #[cfg(all(feature = "cpu", target_os = "linux"))]
    pub(super) fn told(_: u32) -> u32 {
        0
    }
}

static STOPPED: Mutex<Option<String>> = Mutex::new(None);

/// Puts a lock on this thread's held list and counts the acquisition. `id` is not 0.
#[inline(always)]
pub(crate) fn acquired(id: u32, site: Site) {
    let area = areas::area();
    area.push(id, site);
    area.count(id);
}

/// A lock that this thread is about to take, and waits for as long as it must: where it will be noted. That is looked up
/// before, since the processor does not look ahead beyond the instruction that takes a lock.
#[derive(Clone, Copy)]
pub(crate) struct Acquire {
    area: &'static area::Area,
    id: u32,
}

impl Acquire {
    /// Of the lock that is counted by `id`, which is not 0.
    #[inline(always)]
    pub(crate) fn of(id: u32) -> Self {
        let area = areas::area();
        area.prefetch(id);
        Self { area, id }
    }

    /// The id that counts it.
    #[inline(always)]
    pub(crate) fn id(self) -> u32 {
        self.id
    }

    /// It is taken, at `site`: as [`acquired`].
    #[inline(always)]
    pub(crate) fn taken(self, operation: Operation, site: Site) {
        let held = self.area.acquiring(self.id, operation, site);
        self.area.push_on(held, self.id, site);
        self.area.count(self.id);
    }
}

/// The lock with this id, if it was taken, was taken for a caller at `site`.
pub(crate) fn taken_at(id: u32, site: Site) {
    areas::area().set_site(id, site);
}

/// Takes a lock off the held list. `id` is not 0.
#[inline(always)]
pub(crate) fn released(id: u32) {
    areas::area().pop(id);
}

/// Counts one use of an object. `id` is not 0.
#[inline(always)]
pub(crate) fn count(id: u32) {
    areas::area().count(id);
}

/// The lock with this id was taken by an upgradable guard, just now.
pub(crate) fn upgradable(id: u32) {
    areas::area().set_upgradable(id);
}

/// Gives an object an id that is not kept in a [`Tag`]: it has several owners. Given back by [`drop_object`].
pub(crate) fn new_object(kind: lockprof_trace::Kind, site: Site, capacity: u64) -> u32 {
    if RECORDING.load(Relaxed) { object::new(kind, Some(site), capacity) } else { 0 }
}

/// Gives an id to an object that tokio tells of, created at a site by its address.
#[cfg(all(tokio_unstable, feature = "tracing"))]
pub(crate) fn new_foreign(kind: lockprof_trace::Kind, site: u64) -> u32 {
    if RECORDING.load(Relaxed) { object::new_at(kind, site, 0) } else { 0 }
}

/// The last owner of an object is gone.
pub(crate) fn drop_object(id: u32) {
    object::drop_id(id);
}

/// Who waits on this object is signalled at `site`. 0: not recorded.
pub(crate) fn signalled(id: u32, site: Site) {
    if id != 0 {
        object::signalled(id, site, party());
    }
}

/// Whether anything is recorded now.
#[inline(always)]
pub(crate) fn is_recording() -> bool {
    RECORDING.load(Relaxed)
}

/// Whether this thread drops a task whose runtime shuts down.
pub(crate) fn is_abandoning() -> bool {
    local::LOCAL.with(|local| local.abandoned.get()) != lockprof_trace::Party::UNKNOWN
}

pub(crate) fn set_mode(mode: Mode) {
    full::set(mode == Mode::Full);
}

fn set_stopped(reason: &str) {
    *STOPPED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(reason.into());
}

/// Why nothing is written any more, if something stopped the recording early.
pub(crate) fn stopped() -> Option<String> {
    STOPPED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}
