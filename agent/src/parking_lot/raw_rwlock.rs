//! parking_lot's raw read-write locks, recorded. Readers pay what the holder of a mutex pays: nothing shared is written.
use crate::lock::Access::{Exclusive, Shared, Upgradable};
use crate::lock::{Access, Original, Recorded};
use crate::recorder::{Limited, Site};
use ::parking_lot as original;
use lock_api::{
    RawRwLock as _, RawRwLockDowngrade, RawRwLockFair, RawRwLockTimed, RawRwLockUpgrade,
    RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
};
use lockprof_trace::{Kind, Operation};
use std::panic::Location;
use std::time::{Duration, Instant};

type Raw<const RECURSIVE: bool> = original::RawRwLock<RECURSIVE>;
type SharedGuard<const RECURSIVE: bool> = <Raw<RECURSIVE> as lock_api::RawRwLock>::SharedGuard;
type ExclusiveGuard<const RECURSIVE: bool> = <Raw<RECURSIVE> as lock_api::RawRwLock>::ExclusiveGuard;
type UpgradableGuard<const RECURSIVE: bool> = <Raw<RECURSIVE> as RawRwLockUpgrade>::UpgradableGuard;

/// Raw reader-writer lock backed by the parking lot, recorded.
pub type RawRwLock<const RECURSIVE: bool = false> = Recorded<Raw<RECURSIVE>>;
/// Raw reader-writer lock which permits recursive read locking, recorded.
pub type RawRwLockRecursive = RawRwLock<true>;

impl<const RECURSIVE: bool> Original for Raw<RECURSIVE> {
    const KIND: Kind = Kind::RwLock;
}

impl<const RECURSIVE: bool> RawRwLock<RECURSIVE> {
    /// Takes it if `attempt` did.
    #[inline(always)]
    fn took<G>(&self, access: Access, site: Site, attempt: Option<G>) -> Option<G> {
        match attempt {
            Some(_) => self.acquired(access, site),
            None => self.refused(access, site),
        }
        attempt
    }
}

// SAFETY: the original keeps what the trait asks for; the recording only writes beside it.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLock for Recorded<Raw<RECURSIVE>> {
    const INIT: Self = Self::unknown(Raw::<RECURSIVE>::INIT);
    type SharedGuard = SharedGuard<RECURSIVE>;
    type ExclusiveGuard = ExclusiveGuard<RECURSIVE>;

    #[inline(always)]
    #[track_caller]
    fn lock_shared(&self) -> Self::SharedGuard {
        // Where nothing is recorded it is the original's own way.
        let (id, site) = (self.id(), Location::caller());
        if id == 0 {
            return self.raw().lock_shared();
        }
        if RECURSIVE {
            // Who has it already is not in its own way.
            let block = || Some(self.raw().lock_shared());
            let got = self.take_or_wait(Shared, site, self.raw().try_lock_shared(), block);
            return got.unwrap_or_else(|| self.raw().lock_shared());
        }
        self.take(id, Shared, site, || self.raw().try_lock_shared(), || self.raw().lock_shared())
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock_shared(&self) -> Option<Self::SharedGuard> {
        self.took(Shared, Location::caller(), self.raw().try_lock_shared())
    }

    #[inline(always)]
    unsafe fn unlock_shared(&self, guard: Self::SharedGuard) {
        self.releasing(Shared);
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().unlock_shared(guard) }
    }

    #[inline(always)]
    #[track_caller]
    fn lock_exclusive(&self) -> Self::ExclusiveGuard {
        let (id, site) = (self.id(), Location::caller());
        if id == 0 {
            return self.raw().lock_exclusive();
        }
        self.take(id, Exclusive, site, || self.raw().try_lock_exclusive(), || self.raw().lock_exclusive())
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock_exclusive(&self) -> Option<Self::ExclusiveGuard> {
        self.took(Exclusive, Location::caller(), self.raw().try_lock_exclusive())
    }

    #[inline(always)]
    unsafe fn unlock_exclusive(&self, guard: Self::ExclusiveGuard) {
        self.releasing(Exclusive);
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().unlock_exclusive(guard) }
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
unsafe impl<const RECURSIVE: bool> RawRwLockFair for Recorded<Raw<RECURSIVE>> {
    #[inline]
    unsafe fn unlock_shared_fair(&self, guard: Self::SharedGuard) {
        self.releasing(Shared);
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().unlock_shared_fair(guard) }
    }

    #[inline]
    unsafe fn unlock_exclusive_fair(&self, guard: Self::ExclusiveGuard) {
        self.releasing(Exclusive);
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().unlock_exclusive_fair(guard) }
    }

    #[inline]
    unsafe fn bump_shared(&self, guard: &mut Self::SharedGuard) {
        // SAFETY: the caller holds the lock by this guard, before and after.
        unsafe { self.raw().bump_shared(guard) }
    }

    #[inline]
    unsafe fn bump_exclusive(&self, guard: &mut Self::ExclusiveGuard) {
        // SAFETY: as above.
        unsafe { self.raw().bump_exclusive(guard) }
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockDowngrade for Recorded<Raw<RECURSIVE>> {
    #[inline]
    #[track_caller]
    unsafe fn downgrade(&self, guard: Self::ExclusiveGuard) -> Self::SharedGuard {
        self.changed(Exclusive, Shared, Location::caller());
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().downgrade(guard) }
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockTimed for Recorded<Raw<RECURSIVE>> {
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    #[track_caller]
    fn try_lock_shared_for(&self, timeout: Duration) -> Option<Self::SharedGuard> {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_shared_for(timeout);
        self.take_or_wait(Shared, Location::caller(), self.raw().try_lock_shared(), block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_until(&self, timeout: Instant) -> Option<Self::SharedGuard> {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_shared_until(timeout);
        self.take_or_wait(Shared, Location::caller(), self.raw().try_lock_shared(), block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_for(&self, timeout: Duration) -> Option<Self::ExclusiveGuard> {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_exclusive_for(timeout);
        self.take_or_wait(Exclusive, Location::caller(), self.raw().try_lock_exclusive(), block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_until(&self, timeout: Instant) -> Option<Self::ExclusiveGuard> {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_exclusive_until(timeout);
        self.take_or_wait(Exclusive, Location::caller(), self.raw().try_lock_exclusive(), block)
    }
}

impl<const RECURSIVE: bool> RawRwLock<RECURSIVE> {
    /// Upgrades: a wait for the readers to leave, where it does not succeed at once.
    #[inline]
    fn upgrade_by(
        &self,
        guard: UpgradableGuard<RECURSIVE>,
        site: Site,
        block: impl FnOnce(
            UpgradableGuard<RECURSIVE>,
        ) -> Result<ExclusiveGuard<RECURSIVE>, UpgradableGuard<RECURSIVE>>,
    ) -> Result<ExclusiveGuard<RECURSIVE>, UpgradableGuard<RECURSIVE>> {
        // SAFETY: the caller holds the lock by this guard.
        let guard = match unsafe { self.raw().try_upgrade(guard) } {
            Ok(upgraded) => {
                self.changed(Upgradable, Exclusive, site);
                return Ok(upgraded);
            }
            Err(guard) => guard,
        };
        let mut refused = None;
        let got = self.wait(Exclusive, Operation::Upgrade, site, || match block(guard) {
            Ok(upgraded) => Some(upgraded),
            Err(guard) => {
                refused = Some(guard);
                None
            }
        });
        match (got, refused) {
            (Some(upgraded), _) => {
                self.changed(Upgradable, Exclusive, site);
                Ok(upgraded)
            }
            (None, Some(guard)) => Err(guard),
            // `block` gave neither, and it gives one.
            (None, None) => unreachable!("an upgrade ends either way"),
        }
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockUpgrade for Recorded<Raw<RECURSIVE>> {
    type UpgradableGuard = UpgradableGuard<RECURSIVE>;

    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) -> Self::UpgradableGuard {
        let (id, site) = (self.id(), Location::caller());
        if id == 0 {
            return self.raw().lock_upgradable();
        }
        self.take(id, Upgradable, site, || self.raw().try_lock_upgradable(), || self.raw().lock_upgradable())
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> Option<Self::UpgradableGuard> {
        self.took(Upgradable, Location::caller(), self.raw().try_lock_upgradable())
    }

    #[inline]
    unsafe fn unlock_upgradable(&self, guard: Self::UpgradableGuard) {
        self.releasing(Upgradable);
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().unlock_upgradable(guard) }
    }

    #[inline]
    #[track_caller]
    unsafe fn upgrade(&self, guard: Self::UpgradableGuard) -> Self::ExclusiveGuard {
        // SAFETY: the caller holds the lock by this guard.
        let block = |guard| Ok(unsafe { self.raw().upgrade(guard) });
        match self.upgrade_by(guard, Location::caller(), block) {
            Ok(upgraded) => upgraded,
            // SAFETY: the guard came back, so the lock is still held by it.
            Err(guard) => unsafe { self.raw().upgrade(guard) },
        }
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade(
        &self,
        guard: Self::UpgradableGuard,
    ) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard> {
        // SAFETY: the caller holds the lock by this guard.
        let upgraded = unsafe { self.raw().try_upgrade(guard) };
        upgraded.inspect(|_| self.changed(Upgradable, Exclusive, Location::caller()))
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockUpgradeFair for Recorded<Raw<RECURSIVE>> {
    #[inline]
    unsafe fn unlock_upgradable_fair(&self, guard: Self::UpgradableGuard) {
        self.releasing(Upgradable);
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().unlock_upgradable_fair(guard) }
    }

    #[inline]
    unsafe fn bump_upgradable(&self, guard: &mut Self::UpgradableGuard) {
        // SAFETY: the caller holds the lock by this guard, before and after.
        unsafe { self.raw().bump_upgradable(guard) }
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockUpgradeDowngrade for Recorded<Raw<RECURSIVE>> {
    #[inline]
    #[track_caller]
    unsafe fn downgrade_upgradable(&self, guard: Self::UpgradableGuard) -> Self::SharedGuard {
        self.changed(Upgradable, Shared, Location::caller());
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().downgrade_upgradable(guard) }
    }

    #[inline]
    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self, guard: Self::ExclusiveGuard) -> Self::UpgradableGuard {
        self.changed(Exclusive, Upgradable, Location::caller());
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().downgrade_to_upgradable(guard) }
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockUpgradeTimed for Recorded<Raw<RECURSIVE>> {
    #[inline]
    #[track_caller]
    fn try_lock_upgradable_for(&self, timeout: Duration) -> Option<Self::UpgradableGuard> {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_upgradable_for(timeout);
        self.take_or_wait(Upgradable, Location::caller(), self.raw().try_lock_upgradable(), block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable_until(&self, timeout: Instant) -> Option<Self::UpgradableGuard> {
        let _limited = Limited::new();
        let block = || self.raw().try_lock_upgradable_until(timeout);
        self.take_or_wait(Upgradable, Location::caller(), self.raw().try_lock_upgradable(), block)
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_for(
        &self,
        guard: Self::UpgradableGuard,
        timeout: Duration,
    ) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard> {
        let _limited = Limited::new();
        // SAFETY: the caller holds the lock by this guard.
        self.upgrade_by(guard, Location::caller(), |guard| unsafe {
            self.raw().try_upgrade_for(guard, timeout)
        })
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_until(
        &self,
        guard: Self::UpgradableGuard,
        timeout: Instant,
    ) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard> {
        let _limited = Limited::new();
        // SAFETY: the caller holds the lock by this guard.
        self.upgrade_by(guard, Location::caller(), |guard| unsafe {
            self.raw().try_upgrade_until(guard, timeout)
        })
    }
}
