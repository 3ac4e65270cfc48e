//! Stacks by framehop: the compiler's tables, read once for each address that is met, and remembered.
//!
//! What remembers is a walker; there are a few, and whoever captures a stack tries to have one. Nobody ever waits for one:
//! a thread that finds all taken, as a signal handler may, uses the unwinder. Nothing is allocated on that way; each word
//! of the stack is checked against its bounds before it is read.
//!
//! The tables are those of the files that are mapped now. Those of the executable, which is never unmapped, are read where
//! they lie; of the others there is a copy, so that an unloaded library takes nothing away. The background thread looks
//! whether libraries came or went, and then makes the walkers anew. Until then a stack through a new library is the
//! unwinder's.
use crate::platform::{self, Tables};
use framehop::{
    CacheNative, ExplicitModuleSectionInfo, Module, MustNotAllocateDuringUnwind, UnwindRegsNative, Unwinder,
    UnwinderNative,
};
use std::borrow::Cow;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, TryLockError};

/// As many stacks are captured at once; each walker takes 33 KiB.
const WALKERS: usize = 8;

/// Only ever tried, so that nobody waits here.
static ALL: [Mutex<Option<Walker>>; WALKERS] = [const { Mutex::new(None) }; WALKERS];

struct Walker {
    unwinder: UnwinderNative<Cow<'static, [u8]>, MustNotAllocateDuringUnwind>,
    cache: CacheNative<MustNotAllocateDuringUnwind>,
    /// What it knows the tables of.
    code: Vec<Range<u64>>,
    /// How often libraries had come and gone.
    loaded: (u64, u64),
}

/// Makes the walkers; whether there are any.
pub(super) fn prepare() -> bool {
    look();
    ALL.iter().any(|walker| matches!(walker.try_lock().as_deref(), Ok(Some(_))))
}

/// Where libraries came or went, makes anew those walkers that nobody has at this moment, and the others at the next look.
pub(super) fn look() {
    let loaded = platform::libraries_loaded();
    let mut tables = None;
    for walker in &ALL {
        let mut walker = match walker.try_lock() {
            Ok(walker) => walker,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => continue,
        };
        if walker.as_ref().is_none_or(|walker| walker.loaded != loaded) {
            let (unwinder, code) = tables.get_or_insert_with(read);
            let (unwinder, code) = (unwinder.clone(), code.clone());
            *walker =
                (!code.is_empty()).then(|| Walker { unwinder, cache: CacheNative::new_in(), code, loaded });
        }
    }
}

type Read = (UnwinderNative<Cow<'static, [u8]>, MustNotAllocateDuringUnwind>, Vec<Range<u64>>);

fn read() -> Read {
    let (mut unwinder, mut code) = (UnwinderNative::new(), vec![]);
    for Tables { addresses, bias, index, frames } in platform::tables() {
        code.push(addresses.clone());
        let sections = ExplicitModuleSectionInfo {
            eh_frame_hdr_svma: Some(index.0..index.0 + index.1.len() as u64),
            eh_frame_hdr: Some(index.1),
            eh_frame_svma: Some(frames.0..frames.0 + frames.1.len() as u64),
            eh_frame: Some(frames.1),
            ..Default::default()
        };
        unwinder.add_module(Module::new(String::new(), addresses, bias, sections));
    }
    (unwinder, code)
}

/// This thread's stack, whose end is known: return addresses, the innermost first. `None` where it cannot be followed to its
/// end, or no walker is to be had.
#[inline(never)]
pub(super) fn stack(frames: &mut [u64], (low, high): (usize, usize)) -> Option<usize> {
    let (instruction, top, registers) = registers();
    if !(low..high).contains(&(top as usize)) {
        return None;
    }
    // Threads begin at different ones.
    let first = low >> 12;
    let mut walker = (first..first + WALKERS).find_map(|number| ALL[number % WALKERS].try_lock().ok())?;
    let Walker { unwinder, cache, code, .. } = walker.as_mut()?;
    let end = high as u64;
    let mut read = |address: u64| {
        let whole =
            address >= top && address.is_multiple_of(8) && address.checked_add(8).is_some_and(|to| to <= end);
        // SAFETY: a word of this thread's stack, above the frame that runs.
        if whole { Ok(unsafe { *(address as usize as *const u64) }) } else { Err(()) }
    };
    let walk = || {
        let mut walk = unwinder.iter_frames(instruction, registers, cache, &mut read);
        let (mut len, mut known) = (0, &(0..0));
        while let Some(frame) = walk.next().ok()? {
            let address = frame.address();
            if !known.contains(&address) {
                known = code.iter().find(|code| code.contains(&address))?;
            }
            if frame.is_return_address() {
                frames[len] = address;
                len += 1;
                if len == frames.len() {
                    break;
                }
            }
        }
        Some(len)
    };
    // It adds to what lies on the stack: where sums are checked, one too large must not end the application.
    catch_unwind(AssertUnwindSafe(walk)).ok()?
}

/// Where the caller is: the instruction, the top of its stack, and what framehop begins with.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn registers() -> (u64, u64, UnwindRegsNative) {
    let (instruction, top, frame): (u64, u64, u64);
    // SAFETY: only reads registers.
    unsafe {
        core::arch::asm!(
            "lea {}, [rip]", "mov {}, rsp", "mov {}, rbp",
            out(reg) instruction, out(reg) top, out(reg) frame,
            options(nomem, nostack, preserves_flags)
        );
    }
    (instruction, top, UnwindRegsNative::new(instruction, top, frame))
}

/// Where the caller is: the instruction, the top of its stack, and what framehop begins with.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn registers() -> (u64, u64, UnwindRegsNative) {
    let (instruction, top, frame, link): (u64, u64, u64, u64);
    // SAFETY: only reads registers.
    unsafe {
        core::arch::asm!(
            "adr {}, .", "mov {}, sp", "mov {}, x29", "mov {}, x30",
            out(reg) instruction, out(reg) top, out(reg) frame, out(reg) link,
            options(nomem, nostack, preserves_flags)
        );
    }
    (instruction, top, UnwindRegsNative::new(link, top, frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a walker knows the tables of the code at this address.
    fn is_known(address: u64) -> bool {
        ALL.iter().filter_map(|walker| walker.try_lock().ok()).any(|walker| {
            walker.as_ref().is_some_and(|walker| walker.code.iter().any(|code| code.contains(&address)))
        })
    }

    #[test]
    fn a_library_is_known_as_long_as_it_is_loaded() {
        // SAFETY: a library of the C library's own, that nothing of this program uses; the name is a C string.
        let (library, function) = unsafe {
            let library = libc::dlopen(c"libBrokenLocale.so.1".as_ptr(), libc::RTLD_NOW);
            (library, libc::dlsym(library, c"__ctype_get_mb_cur_max".as_ptr()).addr() as u64)
        };
        assert!(!library.is_null() && function != 0);
        assert!(prepare() && is_known(prepare as *const () as u64));
        assert!(is_known(function));
        // SAFETY: it was opened above, and nobody is in it.
        assert_eq!(unsafe { libc::dlclose(library) }, 0);
        // Another test may have a walker at this moment.
        let is_forgotten = |_| {
            look();
            !is_known(function)
        };
        assert!((0..1_000_000).any(is_forgotten));
    }
}
