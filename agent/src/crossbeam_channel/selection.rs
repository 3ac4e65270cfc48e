//! `select!` and `select_biased!` of crossbeam_channel, recorded: as long as nothing is ready, the thread waits for all of
//! the operations at once, and what comes of it is told of the one that was selected.
//!
//! The macro leaves the selection to the original's. It passes each end on by a call that tells the [`Selection`] of it, and
//! begins each body with one that tells that it is over. What it does not understand goes to the original as it stands,
//! which says what is wrong with it.
use super::arms::{Arm, Waits, end};
use super::original::internal::SelectHandle;
use crate::recorder::{Site, is_recording};
use std::cell::{Cell, RefCell};
use std::panic::Location;

pub use super::arms::{Receives, Sends};
pub use ::crossbeam_channel::{select, select_biased};

/// What a selection does where nothing is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// It waits.
    Waits,
    /// It waits for a limited time.
    WaitsFor,
    /// It does something else.
    Goes,
}

/// A selection among `N` operations that is under way.
pub struct Selection<const N: usize> {
    site: Site,
    idle: Idle,
    ready: Cell<bool>,
    arms: [Cell<Option<Arm>>; N],
    waits: RefCell<Waits>,
}

impl<const N: usize> Selection<N> {
    /// One at the caller's line.
    #[inline]
    #[track_caller]
    pub fn new(idle: Idle) -> Self {
        Self {
            site: Location::caller(),
            idle,
            // Where nothing waits, or no wait is told, nobody asks which operation is ready.
            ready: Cell::new(idle == Idle::Goes || !is_recording()),
            arms: [const { Cell::new(None) }; N],
            waits: RefCell::default(),
        }
    }

    /// It has this operation too, and passes its end on. They are told in their order; with the last it is known whether it
    /// waits.
    #[inline]
    pub fn with<'a, E: SelectHandle>(&self, index: usize, (arm, end): (Option<Arm>, &'a E)) -> &'a E {
        self.arms[index].set(arm);
        self.ready.set(self.ready.get() || end.is_ready());
        if index + 1 == N && !self.ready.get() {
            let arms = self.arms.iter().map(Cell::get).enumerate();
            self.waits.replace(Waits::begin(arms, self.idle == Idle::WaitsFor, self.site));
        }
        end
    }

    /// The operation with this index was selected; `done` where it has passed a message on.
    #[inline]
    pub fn over(&self, index: usize, done: bool) {
        end(self.waits.borrow_mut().selected(index), done);
        if let Some(arm) = self.arms[index].get() {
            arm.passed(done);
        }
    }

    /// None was selected: if it has waited, its time is up.
    #[inline]
    pub fn none(&self) {
        self.waits.borrow_mut().none();
    }
}

/// As [`crossbeam_channel::select!`](::crossbeam_channel::select), recorded. Reports name the line of the macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __crossbeam_channel_select {
    ($($all:tt)*) => { $crate::__crossbeam_channel_selection!(@list select ($($all)*) ($($all)*) ()) };
}

/// As [`crossbeam_channel::select_biased!`](::crossbeam_channel::select_biased), recorded. Reports name the line of the macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __crossbeam_channel_select_biased {
    ($($all:tt)*) => { $crate::__crossbeam_channel_selection!(@list select_biased ($($all)*) ($($all)*) ()) };
}

/// The work of both: first the cases in one form, by the original's rules in their order; then each by its kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __crossbeam_channel_selection {
    (@list $by:ident $all:tt () ($($cases:tt)*)) => {
        $crate::__crossbeam_channel_selection!(
            @sort $by $all _selection ($($cases)*)
            (0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)
            () () (Waits)
        )
    };
    (@list $by:ident $all:tt (default => $($tail:tt)*) $cases:tt) => {
        $crate::__crossbeam_channel_selection!(@list $by $all (default() => $($tail)*) $cases)
    };
    (@list $by:ident $all:tt
        ($case:ident ($($args:tt)*) $(-> $res:pat)* => { $($body:tt)* }, $($tail:tt)*) ($($cases:tt)*)
    ) => {
        $crate::__crossbeam_channel_selection!(
            @list $by $all ($($tail)*) ($($cases)* $case ($($args)*) $(-> $res)* => { $($body)* },)
        )
    };
    (@list $by:ident $all:tt
        ($case:ident ($($args:tt)*) $(-> $res:pat)* => $body:expr, $($tail:tt)*) ($($cases:tt)*)
    ) => {
        $crate::__crossbeam_channel_selection!(
            @list $by $all ($($tail)*) ($($cases)* $case ($($args)*) $(-> $res)* => { $body },)
        )
    };
    (@list $by:ident $all:tt
        ($case:ident ($($args:tt)*) $(-> $res:pat)* => { $($body:tt)* } $($tail:tt)*) ($($cases:tt)*)
    ) => {
        $crate::__crossbeam_channel_selection!(
            @list $by $all ($($tail)*) ($($cases)* $case ($($args)*) $(-> $res)* => { $($body)* },)
        )
    };
    (@list $by:ident $all:tt
        ($case:ident ($($args:tt)*) $(-> $res:pat)* => $body:expr $(,)?) ($($cases:tt)*)
    ) => {
        $crate::__crossbeam_channel_selection!(
            @list $by $all () ($($cases)* $case ($($args)*) $(-> $res)* => { $body },)
        )
    };
    // Room for more operations than there are numbers has not the original either.
    (@sort $by:ident $all:tt $selection:ident
        (recv($end:expr $(,)?) -> $res:pat => $body:tt, $($tail:tt)*)
        ($index:tt $($more:tt)*) ($($units:tt)*) ($($cases:tt)*) $idle:tt
    ) => {
        $crate::__crossbeam_channel_selection!(
            @sort $by $all $selection ($($tail)*) ($($more)*) ($($units)* (),)
            ($($cases)* recv($selection.with($index, (&$end).to_receive())) -> result => {
                $selection.over($index, result.is_ok());
                let $res = result;
                $body
            },)
            $idle
        )
    };
    (@sort $by:ident $all:tt $selection:ident
        (send($end:expr, $message:expr $(,)?) -> $res:pat => $body:tt, $($tail:tt)*)
        ($index:tt $($more:tt)*) ($($units:tt)*) ($($cases:tt)*) $idle:tt
    ) => {
        $crate::__crossbeam_channel_selection!(
            @sort $by $all $selection ($($tail)*) ($($more)*) ($($units)* (),)
            ($($cases)* send($selection.with($index, (&$end).to_send()), $message) -> result => {
                $selection.over($index, result.is_ok());
                let $res = result;
                $body
            },)
            $idle
        )
    };
    (@sort $by:ident $all:tt $selection:ident
        (default() => $body:tt, $($tail:tt)*) $indices:tt $units:tt ($($cases:tt)*) (Waits)
    ) => {
        $crate::__crossbeam_channel_selection!(
            @sort $by $all $selection ($($tail)*) $indices $units
            ($($cases)* default() => { $selection.none(); $body },) (Goes)
        )
    };
    (@sort $by:ident $all:tt $selection:ident
        (default($time:expr $(,)?) => $body:tt, $($tail:tt)*) $indices:tt $units:tt ($($cases:tt)*) (Waits)
    ) => {
        $crate::__crossbeam_channel_selection!(
            @sort $by $all $selection ($($tail)*) $indices $units
            ($($cases)* default($time) => { $selection.none(); $body },) (WaitsFor)
        )
    };
    (@sort $by:ident $all:tt $selection:ident () $indices:tt ($($units:tt)*) ($($cases:tt)*) ($idle:ident)) => {{
        #[allow(unused_imports)]
        use $crate::crossbeam_channel::selection::{Receives as _, Sends as _};
        const OPERATIONS: usize = <[()]>::len(&[$($units)*]);
        match $crate::crossbeam_channel::selection::Selection::<OPERATIONS>::new(
            $crate::crossbeam_channel::selection::Idle::$idle,
        ) {
            $selection => $crate::crossbeam_channel::selection::$by!($($cases)*),
        }
    }};
    (@$step:ident $by:ident ($($all:tt)*) $($rest:tt)*) => {
        $crate::crossbeam_channel::selection::$by!($($all)*)
    };
}
