//! Names of functions, looked up in the process itself.
use lockprof_engine::symbols::{Frame, Resolve};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Addresses that are remembered: far more than a program has stacks through, and a bound.
const KNOWN: usize = 1 << 17;

/// What has been looked up. The debug information is read when it is first asked for, and kept by the library.
pub(super) struct Names(Mutex<Option<HashMap<u64, Vec<Frame>>>>);

/// Those of this process.
pub(super) fn all() -> &'static Names {
    static ALL: Names = Names(Mutex::new(None));
    &ALL
}

impl Resolve for Names {
    fn frames(&self, _: usize, address: u64) -> Vec<Frame> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        if known.len() > KNOWN {
            known.clear();
        }
        known.entry(address).or_insert_with(|| look_up(address)).clone()
    }
}

fn look_up(address: u64) -> Vec<Frame> {
    let mut frames = vec![];
    backtrace::resolve(address as *mut _, |symbol| {
        let Some(name) = symbol.name() else { return };
        frames.push(Frame {
            // Without the hash that the compiler puts behind it.
            function: format!("{name:#}"),
            file: symbol.filename().map(|file| file.to_string_lossy().into_owned()),
            line: symbol.lineno(),
            inlined: true,
        });
    });
    // The last one is what the others were inlined into.
    if let Some(last) = frames.last_mut() {
        last.inlined = false;
    }
    frames
}
