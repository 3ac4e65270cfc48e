//! Where the statics of this program lie.
use std::ops::Range;

/// The addresses of the file that this crate is linked into, as it is mapped: what lies there and is written is a static. Empty
/// where they cannot be known.
#[cfg(target_os = "linux")]
pub(crate) fn image() -> Range<usize> {
    unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, found: *mut libc::c_void) -> i32 {
        static HERE: u8 = 0;
        // SAFETY: the loader gives a valid record, which names an array of headers, and `found` is the range below.
        let (bias, headers, found) = unsafe {
            let info = &*info;
            let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize);
            (info.dlpi_addr as usize, headers, &mut *found.cast::<Range<usize>>())
        };
        let loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
        let ranges = loaded.map(|header| {
            let start = bias + header.p_vaddr as usize;
            start..start + header.p_memsz as usize
        });
        let whole = ranges.reduce(|one, other| one.start.min(other.start)..one.end.max(other.end));
        match whole.filter(|whole| whole.contains(&(&raw const HERE).addr())) {
            Some(whole) => {
                *found = whole;
                1
            }
            None => 0,
        }
    }
    let mut found = 0..0;
    // SAFETY: the callback gets the range that it expects.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
    found
}

/// Elsewhere nothing is known to lie in a static.
#[cfg(not(target_os = "linux"))]
pub(crate) fn image() -> Range<usize> {
    0..0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::image;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn statics_lie_in_it_and_nothing_else() {
        static ZERO: AtomicU32 = AtomicU32::new(0);
        static ONE: AtomicU32 = AtomicU32::new(1);
        let image = image();
        let (local, boxed) = (AtomicU32::new(2), Box::new(AtomicU32::new(3)));
        let lies = |place: &AtomicU32| image.contains(&std::ptr::from_ref(place).addr());
        assert_eq!([&ZERO, &ONE, &local, &boxed].map(lies), [true, true, false, false]);
    }
}
