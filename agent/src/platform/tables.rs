//! The tables that a compiler writes for panics, of every file that is mapped for execution: `.eh_frame` and its index.
use std::borrow::Cow;
use std::ops::Range;

/// The tables of one file.
pub(crate) struct Tables {
    /// Where the file is mapped.
    pub(crate) addresses: Range<u64>,
    /// What is added to the addresses that the file itself speaks of.
    pub(crate) bias: u64,
    /// `.eh_frame_hdr`: its address in the file, and what stands there.
    pub(crate) index: (u64, Cow<'static, [u8]>),
    /// `.eh_frame`, to the end of its segment.
    pub(crate) frames: (u64, Cow<'static, [u8]>),
}

/// How often libraries were loaded into this process, and unloaded.
pub(crate) fn libraries_loaded() -> (u64, u64) {
    unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, found: *mut libc::c_void) -> i32 {
        // SAFETY: the loader gives a valid record, and `found` are the numbers below.
        unsafe { *found.cast::<(u64, u64)>() = ((*info).dlpi_adds, (*info).dlpi_subs) };
        // The first says it all.
        1
    }
    let mut found = (0, 0);
    // SAFETY: the callback gets the numbers that it expects.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
    found
}

/// The tables of the files that are mapped now. The loader keeps them mapped while they are copied; those of the executable, which
/// is never unmapped, are not.
pub(crate) fn tables() -> Vec<Tables> {
    unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, found: *mut libc::c_void) -> i32 {
        // SAFETY: the loader gives a valid record, and `found` is the vector below.
        unsafe {
            let (info, found) = (&*info, &mut *found.cast::<(bool, Vec<Tables>)>());
            let is_executable = std::mem::replace(&mut found.0, false);
            found.1.extend(of(info, is_executable));
        }
        0
    }
    let mut found: (bool, Vec<Tables>) = (true, vec![]);
    // SAFETY: the callback gets the vector that it expects.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
    found.1
}

/// # Safety
/// `info` is a record of the loader's, of the executable if `stays`.
unsafe fn of(info: &libc::dl_phdr_info, stays: bool) -> Option<Tables> {
    // SAFETY: the loader's record names an array of headers.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize) };
    let bias = info.dlpi_addr;
    let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    let addresses = loaded().map(|header| header.p_vaddr).min()?
        ..loaded().map(|header| header.p_vaddr + header.p_memsz).max()?;
    // From an address to the end of what its segment has of the file.
    let rest = |at: u64| {
        let segment =
            loaded().find(|header| (header.p_vaddr..header.p_vaddr + header.p_filesz).contains(&at))?;
        let len = segment.p_vaddr + segment.p_filesz - at;
        // SAFETY: a loaded segment is mapped for as long as the file is, and read only.
        let bytes = unsafe { std::slice::from_raw_parts((bias + at) as usize as *const u8, len as usize) };
        (segment.p_flags & libc::PF_R != 0 && segment.p_flags & libc::PF_W == 0).then_some(bytes)
    };
    let header = headers.iter().find(|header| header.p_type == libc::PT_GNU_EH_FRAME)?;
    let index = rest(header.p_vaddr)?.get(..header.p_memsz as usize)?;
    // Version 1, with the place of the tables as four bytes, counted from where they stand (Linux Standard Base, 10.6.2).
    let ([1, 0x1B, ..], Some(place)) = (index, index.get(4..8)) else { return None };
    let distance = i32::from_le_bytes(place.try_into().ok()?);
    let frames = (header.p_vaddr + 4).checked_add_signed(distance.into())?;
    let keep = |bytes: &'static [u8]| if stays { bytes.into() } else { bytes.to_vec().into() };
    Some(Tables {
        addresses: bias + addresses.start..bias + addresses.end,
        bias,
        index: (header.p_vaddr, keep(index)),
        frames: (frames, keep(rest(frames)?)),
    })
}
