//! The word in an object by which it is known.
//!
//! An address takes six bytes of eight, on every system that a program's image is loaded on: what fits beside it shares its
//! word. So a mutex of parking_lot's, which is a byte and most often stands before data that is aligned, grows by nothing.
use super::memory::RECORDING;
use super::object;
use super::site::Site;
use lockprof_trace::Kind;
use std::mem::{ManuallyDrop, needs_drop, offset_of};
use std::panic::Location;
#[cfg(target_pointer_width = "64")]
use std::sync::atomic::AtomicU16;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// Where an object was created, until it gets an id; then the id. Beside it `R`, which a lock may be.
///
/// A location's address is even, so the lowest bit tells the two apart. Ids are given at first use, not at creation, so
/// that `const` constructors, statics and values that move work.
#[repr(C)]
pub(crate) union Tag<R = ()> {
    /// As it is made: a constant can hold an address, but cannot do arithmetic with it.
    site: Option<Site>,
    /// As it is used: each byte by one of them alone.
    parts: ManuallyDrop<Parts<R>>,
}

/// A word of eight bytes whose upper two are free, or one of four.
#[cfg(target_endian = "little")]
#[repr(C)]
struct Parts<R> {
    /// The lower half of the address, or twice the id and one.
    low: AtomicU32,
    #[cfg(target_pointer_width = "64")]
    high: AtomicU16,
    beside: R,
}

/// The same where the upper bytes come first: nothing shares them.
#[cfg(target_endian = "big")]
#[repr(C)]
struct Parts<R> {
    #[cfg(target_pointer_width = "64")]
    _top: u16,
    #[cfg(target_pointer_width = "64")]
    high: AtomicU16,
    low: AtomicU32,
    beside: R,
}

impl Tag {
    /// Of an object that is created at `site`.
    pub(crate) const fn new(site: Site) -> Self {
        Self::beside(Some(site), ())
    }
}

impl<R> Tag<R> {
    /// Of an object that is created at `site`, or nobody knows where, beside what it begins as. What of that lies in the
    /// word itself is to be zeros, as the address has them there.
    pub(crate) const fn beside(site: Option<Site>, beside: R) -> Self {
        const { assert!(!needs_drop::<R>()) };
        let mut byte = offset_of!(Parts<R>, beside);
        let first = (&raw const beside).cast::<u8>();
        while byte < size_of::<Option<Site>>() && byte < offset_of!(Parts<R>, beside) + size_of::<R>() {
            // SAFETY: within `beside`; what is so small has no bytes that are not written.
            assert!(unsafe { *first.add(byte - offset_of!(Parts<R>, beside)) } == 0);
            byte += 1;
        }
        let parts = Parts {
            #[cfg(all(target_pointer_width = "64", target_endian = "big"))]
            _top: 0,
            low: AtomicU32::new(0),
            #[cfg(target_pointer_width = "64")]
            high: AtomicU16::new(0),
            beside,
        };
        let mut tag = Self { parts: ManuallyDrop::new(parts) };
        tag.site = site;
        tag
    }

    #[inline(always)]
    fn parts(&self) -> &Parts<R> {
        // SAFETY: any bytes are parts, and `beside` is as it was made: where it lies in the word, the address has zeros.
        unsafe { &self.parts }
    }

    /// What lies beside the word.
    #[inline(always)]
    pub(crate) fn raw(&self) -> &R {
        &self.parts().beside
    }

    /// The object's id, given now if it has none and a recording runs; 0: it is not recorded.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn id(&self, kind: Kind) -> u32 {
        self.id_at(kind, Location::caller())
    }

    /// The same, used at `site`.
    #[inline(always)]
    pub(crate) fn id_at(&self, kind: Kind, site: Site) -> u32 {
        let low = self.parts().low.load(Relaxed);
        if low & 1 == 1 {
            return low >> 1;
        }
        if RECORDING.load(Relaxed) { self.attach(kind, site) } else { 0 }
    }

    /// The id, if it was given.
    #[inline(always)]
    pub(crate) fn known_id(&self) -> u32 {
        let low = self.parts().low.load(Relaxed);
        if low & 1 == 1 { low >> 1 } else { 0 }
    }

    #[cold]
    #[inline(never)]
    fn attach(&self, kind: Kind, used: Site) -> u32 {
        let word = &self.parts().low;
        let low = word.load(Relaxed);
        if low & 1 == 1 {
            return low >> 1;
        }
        // SAFETY: null, or the address of a `&'static Location`: those are never taken away.
        let site = unsafe { (self.address(low) as *const Location<'static>).as_ref() };
        let id = object::first_id(kind, site, used);
        // Two readers may come first together: the loser hands its id back.
        match word.compare_exchange(low, id << 1 | 1, Release, Relaxed) {
            Ok(_) => id,
            Err(first) => {
                object::hand_back(id);
                first >> 1
            }
        }
    }

    /// The address of the site where it was created, of which this is the lower half; 0: nobody knows.
    fn address(&self, low: u32) -> usize {
        let address = low as usize;
        #[cfg(target_pointer_width = "64")]
        let address = address | (self.parts().high.load(Relaxed) as usize) << 32;
        address
    }
}

impl<R> Drop for Tag<R> {
    #[inline(always)]
    fn drop(&mut self) {
        let id = self.known_id();
        if id != 0 {
            object::drop_id(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU8;

    #[test]
    fn what_fits_beside_an_address_takes_no_room() {
        let word = size_of::<Option<Site>>();
        assert_eq!(size_of::<Tag>(), word);
        assert_eq!(size_of::<Tag<u64>>(), word + 8);
        #[cfg(all(target_endian = "little", target_pointer_width = "64"))]
        assert_eq!((size_of::<Tag<AtomicU8>>(), size_of::<Tag<AtomicU16>>()), (word, word));
    }

    #[test]
    fn neither_the_place_nor_what_stands_beside_it_changes_the_other() {
        const HERE: Site = Location::caller();
        static TAG: Tag<AtomicU8> = Tag::beside(Some(HERE), AtomicU8::new(0));
        let address = || TAG.address(TAG.parts().low.load(Relaxed));
        let here = std::ptr::from_ref(HERE).addr();
        assert_eq!((address(), TAG.raw().load(Relaxed)), (here, 0));
        TAG.raw().store(255, Relaxed);
        assert_eq!((address(), TAG.known_id()), (here, 0));
        TAG.parts().low.store(u32::MAX, Relaxed);
        assert_eq!((TAG.known_id(), TAG.raw().load(Relaxed)), (u32::MAX >> 1, 255));
        assert_eq!(Tag::beside(None, 7_u64).address(0), 0);
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    #[should_panic(expected = "== 0")]
    fn what_would_lie_where_the_address_has_zeros_must_begin_as_zeros() {
        std::mem::forget(Tag::beside(None, AtomicU8::new(1)));
    }
}
