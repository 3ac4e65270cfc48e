//! Which objects are locks, and which lock a party held innermost when it began something else.
use super::Context;
use crate::model::Nesting;
use lockprof_trace::Kind;

/// Kinds whose guards exclude others.
pub(crate) const fn is_lock_kind(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Mutex
            | Kind::FairMutex
            | Kind::ReentrantMutex
            | Kind::RwLock
            | Kind::StdMutex
            | Kind::StdRwLock
            | Kind::TokioMutex
            | Kind::TokioRwLock
            | Kind::SafeMap
            | Kind::DashMap
    )
}

/// The lock that was taken last of those held in a nesting: its class, and where it was taken.
pub(super) fn innermost(context: &Context<'_>, nesting: &Nesting) -> Option<(u64, u64)> {
    let model = context.model;
    let (lock, taken) = nesting.held.iter().rev().find(|(id, _)| is_lock_kind(model.kind_of(*id)))?;
    Some((model.class_of(*lock)?.0, *taken))
}
