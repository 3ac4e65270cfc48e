//! Call sites: what a wait is told by, with its stack (`stack`).
//!
//! A site is the address of its `&'static Location`, which costs nothing to know. Whoever first writes it into the trace
//! interns it: tells its file, line and column once.
use super::emit::emit;
use super::memory;
use lockprof_trace::{Event, Loss, is_library};
use std::panic::Location;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// A call site.
pub(crate) type Site = &'static Location<'static>;

/// Whether a file is a library's, or of this crate itself.
pub(super) fn is_of_library(file: &str) -> bool {
    const THIS: &str = file!();
    const OWN: &str = THIS.split_at(THIS.len() - "recorder/site.rs".len()).0;
    // The program's own files have relative paths: they are not searched.
    file.starts_with(OWN) || file.starts_with('/') && is_library(file)
}

/// A set of numbers that only grows. An open-addressing table of fixed size, so that nothing is allocated or locked.
pub(super) struct Known<const SIZE: usize>([AtomicU64; SIZE]);

pub(super) enum Put {
    /// It is new, or was there, at this place.
    New(usize),
    There(usize),
    Full,
}

impl<const SIZE: usize> Known<SIZE> {
    pub(super) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; SIZE])
    }

    /// Puts a number, which is not 0, into the set.
    pub(super) fn put(&self, number: u64) -> Put {
        let start = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize;
        for probe in 0..64 {
            let place = (start + probe) % SIZE;
            // A load first: what is known must not cost a locked instruction.
            if self.0[place].load(Relaxed) == number {
                return Put::There(place);
            }
            match self.0[place].compare_exchange(0, number, Relaxed, Relaxed) {
                Ok(_) => return Put::New(place),
                Err(there) if there == number => return Put::There(place),
                Err(_) => {}
            }
        }
        Put::Full
    }
}

/// A number for a row of words, not 0: FNV-1a over words, then mixed. 64 bits tell any number of rows that fits a table apart.
pub(super) fn hash(words: impl IntoIterator<Item = u64>) -> u64 {
    let hash = words.into_iter().fold(0xCBF2_9CE4_8422_2325u64, |hash, word| {
        let mixed = (hash ^ word).wrapping_mul(0x0000_0100_0000_01B3);
        mixed ^ mixed >> 29
    });
    hash.max(1)
}

static SITES: Known<16384> = Known::new();

/// The site's address, told in the trace.
pub(crate) fn site_of(site: Site) -> u64 {
    let address = std::ptr::from_ref(site).addr() as u64;
    intern(address);
    address
}

/// Tells a site, given by the address of its location.
pub(crate) fn intern(address: u64) {
    intern_with(address, emit);
}

/// In a site's address: no location of this program's lies there, it was told by who made it up.
const FOREIGN: u64 = 1 << 63;

/// A site that tokio tells of, by what it says: one made up for it, told in the trace.
#[cfg(all(tokio_unstable, feature = "tracing"))]
pub(crate) fn foreign(file: &str, line: u64, column: u64) -> u64 {
    let words =
        file.as_bytes().chunks(8).map(|part| part.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    // Even, as the address of a location is.
    let site = hash(words.chain([line << 32 | column])) >> 2 << 1 | FOREIGN;
    match SITES.put(site) {
        Put::New(_) => emit(&Event::Site { site, file: file.into(), line, column }),
        Put::There(_) => {}
        Put::Full => memory::lost(Loss::Names),
    }
    site
}

/// Tells a site through `tell`, unless it was told before.
pub(crate) fn intern_with(address: u64, tell: impl FnOnce(&Event<'_>)) {
    if address == 0 || address & FOREIGN != 0 {
        return;
    }
    match SITES.put(address) {
        Put::New(_) => tell_site(address, tell),
        Put::There(_) => {}
        Put::Full => memory::lost(Loss::Names),
    }
}

fn tell_site(address: u64, tell: impl FnOnce(&Event<'_>)) {
    // SAFETY: only addresses of `&'static Location` are kept as sites, but for those that were made up.
    let site = unsafe { &*(address as usize as *const Location<'static>) };
    let (line, column) = (site.line().into(), site.column().into());
    tell(&Event::Site { site: address, file: site.file().into(), line, column });
}

/// Tells all sites that are known once more: some of what told them was lost.
pub(super) fn tell_again(mut tell: impl FnMut(&Event<'_>)) {
    let known = SITES.0.iter().map(|site| site.load(Relaxed));
    known.filter(|site| *site != 0 && site & FOREIGN == 0).for_each(|site| tell_site(site, &mut tell));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_tells_new_from_known_and_is_full_in_the_end() {
        let known = Known::<8>::new();
        assert!(matches!(known.put(7), Put::New(_)));
        assert!(matches!(known.put(7), Put::There(_)));
        (8..15).for_each(|number| assert!(matches!(known.put(number), Put::New(_))));
        assert!(matches!(known.put(99), Put::Full));
    }

    #[test]
    fn of_many_who_put_a_number_one_is_told_that_it_is_new() {
        static KNOWN: Known<64> = Known::new();
        let new = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let first = (1..=16).filter(|number| matches!(KNOWN.put(*number), Put::New(_)));
                    new.fetch_add(first.count() as u64, Relaxed);
                });
            }
        });
        assert_eq!(new.into_inner(), 16);
    }
}
