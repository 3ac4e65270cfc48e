//! The border between a lock's hot path and the program's own code, which no panic of ours crosses.
//!
//! What `area` and `nested` have inlined into the program calls an `extern "C"` function when something rare is to be done, and
//! so does a guard of a task: of that the compiler knows that it does not unwind, and all that one does which could, is done
//! in here, since a panic in it would abort. So it need not prepare for that in every place where a lock is taken or a
//! guard dropped: the code there is smaller, a guard's drop is inlined where else it would be a call, and a guard may
//! stay in registers.
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does `work`. Should it panic, which would be a fault of this crate, the program goes on with `instead`.
pub(super) fn contained<R>(instead: R, work: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        // Its drop may panic again.
        std::mem::forget(payload);
        instead
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_the_end_of_the_work_alone() {
        extern "C" fn border(number: u32) -> u32 {
            contained(0, || 7 / number)
        }
        assert_eq!((border(7), border(0)), (1, 0));
    }
}
