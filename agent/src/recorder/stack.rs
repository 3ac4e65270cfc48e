//! Stacks: captured only where somebody waits, and told once each.
//!
//! Three ways, the cheapest that the program allows: frame pointers, framehop (`hop`), the unwinder behind `backtrace`.
use super::emit::emit;
use super::local::LOCAL;
use super::site::{Known, Put, hash};
use super::{hop, memory};
use lockprof_trace::{Event, Loss};
use std::cell::Cell;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

static STACKS: Known<16384> = Known::new();

/// Frames of a stack that are kept.
pub(super) const DEPTH: usize = 64;
/// How often a stack is taken for granted where a wait comes from the same site at the same place on the stack: at first,
/// and at most.
const TRUST: (u32, u32) = (15, 255);

/// The number of this thread's stack of this moment, for a wait at `site`.
///
/// Without frame pointers a stack costs as much as a short wait. A wait at the same site and the same depth of the same
/// thread's stack has almost always the same callers, so it is unwound anew only once in sixteen times; less often, the more often it
/// was the same.
#[inline(never)]
pub(crate) fn stack_of(site: u64) -> u64 {
    let marker = 0u8;
    let (depth, site) = (std::ptr::from_ref(&marker).addr(), site as usize);
    LOCAL.with(|local| {
        // Sites that take turns, as of two tasks that talk to each other, must not drive each other out.
        let place = (site as u64 ^ (depth as u64).rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let place = (place >> 58) as usize;
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
    let len = match Way::chosen() {
        Way::FramePointers => by_frame_pointers(&mut frames, bounds),
        // What it does not know, as a library that was loaded just now, the unwinder finds out.
        Way::Framehop => hop::stack(&mut frames, bounds).unwrap_or_else(|| by_unwinder(&mut frames)),
        Way::Unwinder => by_unwinder(&mut frames),
    };
    stack_number(&frames[..len])
}

/// On the background thread: looks for libraries that came or went, where that matters.
pub(super) fn look() {
    if Way::chosen() == Way::Framehop {
        hop::look();
    }
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

/// How stacks are captured in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Way {
    /// By the chain of saved frame pointers: some nanoseconds.
    FramePointers,
    /// By framehop, which remembers what the tables say of an address: some hundred nanoseconds.
    Framehop,
    /// By the tables that the compiler writes for panics: some microseconds.
    Unwinder,
}

static WAY: AtomicU8 = AtomicU8::new(Way::Unwinder as u8);

impl Way {
    /// The best way for this program, and no better than `best`; makes ready what it needs. Its name is for the trace.
    pub(crate) fn choose(best: Self) -> Self {
        let way = match best {
            Way::FramePointers if has_frame_pointers() => Way::FramePointers,
            Way::FramePointers | Way::Framehop if hop::prepare() => Way::Framehop,
            _ => Way::Unwinder,
        };
        WAY.store(way as u8, Relaxed);
        way
    }

    pub(super) fn chosen() -> Self {
        match WAY.load(Relaxed) {
            way if way == Way::FramePointers as u8 => Way::FramePointers,
            way if way == Way::Framehop as u8 => Way::Framehop,
            _ => Way::Unwinder,
        }
    }

    /// As the trace has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::FramePointers => "frame pointers",
            Way::Framehop => "framehop",
            Way::Unwinder => "unwinder",
        }
    }
}

/// Whether this program was compiled with frame pointers: tried on functions of this crate, which is compiled with the
/// flags of the program.
fn has_frame_pointers() -> bool {
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
    fn the_unwinder_sees_this_test() {
        let mut frames = [0; DEPTH];
        assert!(by_unwinder(&mut frames) > 3);
    }

    /// Another way sees what the unwinder sees, but for the frames of the ways themselves, and the system's outermost.
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    #[inline(never)]
    fn agrees(other: impl Fn(&mut [u64; DEPTH]) -> Option<usize>) -> bool {
        let (mut frames, mut by_tables) = ([0; DEPTH], [0; DEPTH]);
        let (len, exact) = (other(&mut frames), by_unwinder(&mut by_tables));
        // The closure's, and this one's, which goes on at another line.
        let Some(callers) = len.and_then(|len| frames[..len].get(2..)) else { return false };
        let mut parts = by_tables[..exact].windows(callers.len().max(1));
        std::hint::black_box(callers.len() > 5 && parts.any(|part| part == callers))
    }

    #[test]
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn framehop_sees_what_the_unwinder_sees() {
        assert!(hop::prepare());
        let stack = crate::platform::stack_bounds();
        assert!(agrees(|frames| hop::stack(frames, (stack.start, stack.end))));
        // A stack that is not this thread's is not read.
        assert!(!agrees(|frames| hop::stack(frames, (0, 0))));
    }
}
