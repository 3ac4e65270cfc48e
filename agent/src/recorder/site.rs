//! Call sites and stacks: what a wait is told by.
//!
//! A site is the address of its `&'static Location`, which costs nothing to know. Whoever first writes it into the trace
//! interns it: tells its file, line and column once. Stacks are captured only where somebody waits, and told once each.
use super::chunk::emit;
use super::local::LOCAL;
use super::memory;
use lockprof_trace::{Event, Loss};
use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// A call site.
pub(crate) type Site = &'static Location<'static>;

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
static STACKS: Known<16384> = Known::new();

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
    let site = hash(words.chain([line << 32 | column])) >> 1 | FOREIGN;
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
        Put::New(_) => {
            // SAFETY: only addresses of `&'static Location` are kept as sites.
            let site = unsafe { &*(address as usize as *const Location<'static>) };
            let (line, column) = (site.line().into(), site.column().into());
            tell(&Event::Site { site: address, file: site.file().into(), line, column });
        }
        Put::There(_) => {}
        Put::Full => memory::lost(Loss::Names),
    }
}

/// Frames of a stack that are kept.
pub(super) const DEPTH: usize = 64;
/// How often a stack is taken for granted where a wait comes from the same site at the same place on the stack: at first,
/// and at most.
const TRUST: (u32, u32) = (15, 255);

/// The number of this thread's stack of this moment, for a wait at `site`.
///
/// Unwinding costs a microsecond or two, as much as a short wait. A wait at the same site and the same depth of the same
/// thread's stack has almost always the same callers, so it is unwound anew only once in sixteen times; less often, the more often it
/// was the same.
#[inline(never)]
pub(crate) fn stack_of(site: u64) -> u64 {
    let marker = 0u8;
    let (depth, site) = (std::ptr::from_ref(&marker).addr(), site as usize);
    LOCAL.with(|local| {
        // Sites that take turns, as of two tasks that talk to each other, must not drive each other out.
        let place = (site ^ depth.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58;
        let pair = [place, place ^ 1].map(|place| &local.stacks[place % local.stacks.len()]);
        let ours = |slot: &&Cell<(usize, usize, u32, u32)>| (slot.get().0, slot.get().1) == (depth, site);
        let oldest = if pair[0].get().3 & 0xFFFF <= pair[1].get().3 & 0xFFFF { pair[0] } else { pair[1] };
        let slot = pair.into_iter().find(ours).unwrap_or(oldest);
        let (at, of, stack, trusted) = slot.get();
        let (trust, left) = (trusted >> 16, trusted & 0xFFFF);
        if (at, of) == (depth, site) && left > 0 {
            slot.set((at, of, stack, trusted - 1));
            return stack.into();
        }
        let new = capture(local.stack.get());
        let same = (at, of, stack) == (depth, site, new);
        let trust = if same { (2 * trust + 1).min(TRUST.1) } else { TRUST.0 };
        slot.set((depth, site, new, trust << 16 | trust));
        new.into()
    })
}

/// Captures this thread's stack and tells it; its number, or 0.
fn capture(bounds: (usize, usize)) -> u32 {
    let mut frames = [0; DEPTH];
    let len = if super::follows_frame_pointers() {
        by_frame_pointers(&mut frames, bounds)
    } else {
        by_unwinder(&mut frames)
    };
    stack_number(&frames[..len])
}

/// Tells a stack; its number, or 0.
pub(super) fn stack_number(frames: &[u64]) -> u32 {
    if frames.is_empty() {
        return 0;
    }
    match STACKS.put(hash(frames.iter().copied())) {
        Put::New(place) => {
            emit(&Event::Stack { stack: place as u64 + 1, frames: frames.into() });
            place as u32 + 1
        }
        Put::There(place) => place as u32 + 1,
        Put::Full => {
            memory::lost(Loss::Names);
            0
        }
    }
}

/// By the tables that the compiler writes for panics: exact, and the slow way.
fn by_unwinder(frames: &mut [u64; DEPTH]) -> usize {
    let mut len = 0;
    // SAFETY: the lock that `trace` would take is for the symbol tables of another system.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            // The outermost frame has no address to return to.
            if !frame.ip().is_null() {
                frames[len] = frame.ip().addr() as u64;
                len += 1;
            }
            len < DEPTH
        });
    }
    len
}

/// By the chain of saved frame pointers, each checked against the bounds of the stack before it is read: a program
/// without frame pointers yields a short stack, never a fault.
#[inline(never)]
fn by_frame_pointers(frames: &mut [u64; DEPTH], (low, high): (usize, usize)) -> usize {
    let floor = low.max(std::ptr::from_ref(&low).addr() & !0xFFF);
    // SAFETY: two words within the bounds of this thread's stack, above the frame that runs.
    follow(frames, frame_pointer(), floor, high, |frame| Some(unsafe { *(frame as *const [usize; 2]) }))
}

/// Follows the chain of saved frame pointers from `frame` on, as long as it lies between `floor` and `high` and rises:
/// `read` gives the two words of each.
#[inline(always)]
pub(super) fn follow(
    frames: &mut [u64],
    mut frame: usize,
    mut floor: usize,
    high: usize,
    read: impl Fn(usize) -> Option<[usize; 2]>,
) -> usize {
    let mut len = 0;
    while len < frames.len() && frame >= floor && frame.saturating_add(16) <= high && frame.is_multiple_of(8)
    {
        let Some([next, back]) = read(frame).filter(|[_, back]| *back != 0) else { break };
        frames[len] = back as u64;
        len += 1;
        floor = frame + 16;
        frame = next;
    }
    len
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn frame_pointer() -> usize {
    let frame;
    // SAFETY: only reads a register.
    unsafe { core::arch::asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags)) };
    frame
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn frame_pointer() -> usize {
    let frame;
    // SAFETY: only reads a register.
    unsafe { core::arch::asm!("mov {}, x29", out(reg) frame, options(nomem, nostack, preserves_flags)) };
    frame
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn frame_pointer() -> usize {
    0
}

/// Whether this program was compiled with frame pointers: tried on functions of this crate, which is compiled with the
/// flags of the program.
pub(crate) fn has_frame_pointers() -> bool {
    #[inline(never)]
    fn outer(bounds: (usize, usize)) -> bool {
        std::hint::black_box(inner(bounds))
    }
    #[inline(never)]
    fn inner(bounds: (usize, usize)) -> bool {
        let (mut by_pointers, mut by_tables) = ([0; DEPTH], [0; DEPTH]);
        let len = by_frame_pointers(&mut by_pointers, bounds);
        let exact = by_unwinder(&mut by_tables);
        // Both see `outer`'s and its caller's return addresses; the unwinder has frames of its own before them.
        let found = |address| by_tables[..exact].contains(address);
        std::hint::black_box(len >= 3 && by_pointers[1..3].iter().all(found))
    }
    let stack = crate::platform::stack_bounds();
    std::hint::black_box(outer((stack.start, stack.end)))
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

    #[test]
    fn the_unwinder_sees_this_test() {
        let mut frames = [0; DEPTH];
        assert!(by_unwinder(&mut frames) > 3);
    }
}
