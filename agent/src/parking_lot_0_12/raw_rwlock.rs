//! parking_lot 0.12's raw read-write lock, recorded. As in `crate::parking_lot`, by the traits of lock_api 0.4.
use crate::lock::Access::{Exclusive, Shared, Upgradable};
use crate::lock::{Access, Original, Recorded};
use crate::recorder::{Limited, Site};
use ::parking_lot_0_12 as original;
use lock_api::{
    RawRwLock as Raw, RawRwLockDowngrade, RawRwLockFair, RawRwLockRecursive, RawRwLockRecursiveTimed,
    RawRwLockTimed, RawRwLockUpgrade, RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
};
use lock_api_0_4 as lock_api;
use lockprof_trace::{Kind, Operation};
use std::panic::Location;
use std::time::{Duration, Instant};

/// Raw reader-writer lock backed by the parking lot, recorded.
pub type RawRwLock = Recorded<original::RawRwLock>;

impl Original for original::RawRwLock {
    const KIND: Kind = Kind::RwLock;
}

impl RawRwLock {
    /// Takes it as `attempt` did, else as `block` does, if that can.
    #[inline(always)]
    fn try_take(&self, access: Access, site: Site, attempt: bool, block: impl FnOnce() -> bool) -> bool {
        self.take_or_wait(access, site, attempt.then_some(()), || block().then_some(())).is_some()
    }

    /// Takes it if `attempt` did.
    #[inline(always)]
    fn took(&self, access: Access, site: Site, attempt: bool) -> bool {
        if attempt {
            self.acquired(access, site);
        } else {
            self.refused(access, site);
        }
        attempt
    }

    /// Upgrades: a wait for the readers to leave, where it does not succeed at once.
    fn upgrade_by(&self, site: Site, block: impl FnOnce() -> bool) -> bool {
        // SAFETY: the caller holds the lock as an upgradable reader.
        let at_once = unsafe { self.raw().try_upgrade() };
        let got =
            at_once || self.wait(Exclusive, Operation::Upgrade, site, || block().then_some(())).is_some();
        if got {
            self.changed(Upgradable, Exclusive, site);
        }
        got
    }
}

// SAFETY: the original keeps what the trait asks for; the recording only writes beside it.
unsafe impl Raw for Recorded<original::RawRwLock> {
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self = Self::unknown(<original::RawRwLock as Raw>::INIT);
    type GuardMarker = <original::RawRwLock as Raw>::GuardMarker;

    #[inline(always)]
    #[track_caller]
    fn lock_shared(&self) {
        // Where nothing is recorded it is the original's own way.
        let (id, site) = (self.id(), Location::caller());
        if id == 0 {
            return self.raw().lock_shared();
        }
        let attempt = || self.raw().try_lock_shared().then_some(());
        self.take(id, Shared, site, attempt, || self.raw().lock_shared());
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock_shared(&self) -> bool {
        self.took(Shared, Location::caller(), self.raw().try_lock_shared())
    }

    #[inline(always)]
    unsafe fn unlock_shared(&self) {
        self.releasing(Shared);
        // SAFETY: the caller holds the lock as a reader.
        unsafe { self.raw().unlock_shared() }
    }

    #[inline(always)]
    #[track_caller]
    fn lock_exclusive(&self) {
        // Where nothing is recorded it is the original's own way.
        let (id, site) = (self.id(), Location::caller());
        if id == 0 {
            return self.raw().lock_exclusive();
        }
        let attempt = || self.raw().try_lock_exclusive().then_some(());
        self.take(id, Exclusive, site, attempt, || self.raw().lock_exclusive());
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock_exclusive(&self) -> bool {
        self.took(Exclusive, Location::caller(), self.raw().try_lock_exclusive())
    }

    #[inline(always)]
    unsafe fn unlock_exclusive(&self) {
        self.releasing(Exclusive);
        // SAFETY: the caller holds the lock as the writer.
        unsafe { self.raw().unlock_exclusive() }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw().is_locked()
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.raw().is_locked_exclusive()
    }
}

// SAFETY: as above.
unsafe impl RawRwLockFair for Recorded<original::RawRwLock> {
    #[inline]
    unsafe fn unlock_shared_fair(&self) {
        self.releasing(Shared);
        // SAFETY: the caller holds the lock as a reader.
        unsafe { self.raw().unlock_shared_fair() }
    }

    #[inline]
    unsafe fn unlock_exclusive_fair(&self) {
        self.releasing(Exclusive);
        // SAFETY: the caller holds the lock as the writer.
        unsafe { self.raw().unlock_exclusive_fair() }
    }

    #[inline]
    unsafe fn bump_shared(&self) {
        // SAFETY: the caller holds the lock as a reader, before and after.
        unsafe { self.raw().bump_shared() }
    }

    #[inline]
    unsafe fn bump_exclusive(&self) {
        // SAFETY: the caller holds the lock as the writer, before and after.
        unsafe { self.raw().bump_exclusive() }
    }
}

// SAFETY: as above.
unsafe impl RawRwLockDowngrade for Recorded<original::RawRwLock> {
    #[inline]
    #[track_caller]
    unsafe fn downgrade(&self) {
        self.changed(Exclusive, Shared, Location::caller());
        // SAFETY: the caller holds the lock as the writer.
        unsafe { self.raw().downgrade() }
    }
}

// SAFETY: as above.
unsafe impl RawRwLockTimed for Recorded<original::RawRwLock> {
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    #[track_caller]
    fn try_lock_shared_for(&self, timeout: Duration) -> bool {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_shared_for(timeout);
        self.try_take(Shared, Location::caller(), self.raw().try_lock_shared(), block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_until(&self, deadline: Instant) -> bool {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_shared_until(deadline);
        self.try_take(Shared, Location::caller(), self.raw().try_lock_shared(), block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_for(&self, timeout: Duration) -> bool {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_exclusive_for(timeout);
        self.try_take(Exclusive, Location::caller(), self.raw().try_lock_exclusive(), block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_until(&self, deadline: Instant) -> bool {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_exclusive_until(deadline);
        self.try_take(Exclusive, Location::caller(), self.raw().try_lock_exclusive(), block)
    }
}

// SAFETY: as above.
unsafe impl RawRwLockRecursive for Recorded<original::RawRwLock> {
    #[inline]
    #[track_caller]
    fn lock_shared_recursive(&self) {
        self.try_take(Shared, Location::caller(), self.raw().try_lock_shared_recursive(), || {
            self.raw().lock_shared_recursive();
            true
        });
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive(&self) -> bool {
        self.took(Shared, Location::caller(), self.raw().try_lock_shared_recursive())
    }
}

// SAFETY: as above.
unsafe impl RawRwLockRecursiveTimed for Recorded<original::RawRwLock> {
    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive_for(&self, timeout: Duration) -> bool {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_shared_recursive_for(timeout);
        self.try_take(Shared, Location::caller(), self.raw().try_lock_shared_recursive(), block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive_until(&self, deadline: Instant) -> bool {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_shared_recursive_until(deadline);
        self.try_take(Shared, Location::caller(), self.raw().try_lock_shared_recursive(), block)
    }
}

// SAFETY: as above.
unsafe impl RawRwLockUpgrade for Recorded<original::RawRwLock> {
    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) {
        let (id, site) = (self.id(), Location::caller());
        if id == 0 {
            return self.raw().lock_upgradable();
        }
        let attempt = || self.raw().try_lock_upgradable().then_some(());
        self.take(id, Upgradable, site, attempt, || self.raw().lock_upgradable());
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> bool {
        self.took(Upgradable, Location::caller(), self.raw().try_lock_upgradable())
    }

    #[inline]
    unsafe fn unlock_upgradable(&self) {
        self.releasing(Upgradable);
        // SAFETY: the caller holds the lock as an upgradable reader.
        unsafe { self.raw().unlock_upgradable() }
    }

    #[inline]
    #[track_caller]
    unsafe fn upgrade(&self) {
        self.upgrade_by(Location::caller(), || {
            // SAFETY: the caller holds the lock as an upgradable reader.
            unsafe { self.raw().upgrade() };
            true
        });
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade(&self) -> bool {
        // SAFETY: the caller holds the lock as an upgradable reader.
        let upgraded = unsafe { self.raw().try_upgrade() };
        if upgraded {
            self.changed(Upgradable, Exclusive, Location::caller());
        }
        upgraded
    }
}

// SAFETY: as above.
unsafe impl RawRwLockUpgradeFair for Recorded<original::RawRwLock> {
    #[inline]
    unsafe fn unlock_upgradable_fair(&self) {
        self.releasing(Upgradable);
        // SAFETY: the caller holds the lock as an upgradable reader.
        unsafe { self.raw().unlock_upgradable_fair() }
    }

    #[inline]
    unsafe fn bump_upgradable(&self) {
        // SAFETY: the caller holds the lock as an upgradable reader, before and after.
        unsafe { self.raw().bump_upgradable() }
    }
}

// SAFETY: as above.
unsafe impl RawRwLockUpgradeDowngrade for Recorded<original::RawRwLock> {
    #[inline]
    #[track_caller]
    unsafe fn downgrade_upgradable(&self) {
        self.changed(Upgradable, Shared, Location::caller());
        // SAFETY: the caller holds the lock as an upgradable reader.
        unsafe { self.raw().downgrade_upgradable() }
    }

    #[inline]
    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self) {
        self.changed(Exclusive, Upgradable, Location::caller());
        // SAFETY: the caller holds the lock as the writer.
        unsafe { self.raw().downgrade_to_upgradable() }
    }
}

// SAFETY: as above.
unsafe impl RawRwLockUpgradeTimed for Recorded<original::RawRwLock> {
    #[inline]
    #[track_caller]
    fn try_lock_upgradable_for(&self, timeout: Duration) -> bool {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_upgradable_for(timeout);
        self.try_take(Upgradable, Location::caller(), self.raw().try_lock_upgradable(), block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable_until(&self, deadline: Instant) -> bool {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_upgradable_until(deadline);
        self.try_take(Upgradable, Location::caller(), self.raw().try_lock_upgradable(), block)
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_for(&self, timeout: Duration) -> bool {
        let _limited = Limited::new();
        // SAFETY: the caller holds the lock as an upgradable reader.
        self.upgrade_by(Location::caller(), || unsafe { self.raw().try_upgrade_for(timeout) })
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_until(&self, deadline: Instant) -> bool {
        let _limited = Limited::new();
        // SAFETY: the caller holds the lock as an upgradable reader.
        self.upgrade_by(Location::caller(), || unsafe { self.raw().try_upgrade_until(deadline) })
    }
}
