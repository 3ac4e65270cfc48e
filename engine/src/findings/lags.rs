//! LP0037: receivers of a broadcast that were overtaken, and missed messages.
//!
//! A hazard: the receiver is told, and the messages are lost to it whatever it does. It is told where more than one receive in a
//! thousand of a class says so. False positives: a program that only wants to know what is newest.
use super::failed_sends::of_class;
use super::tell::plural;
use super::{Context, Finding};
use lockprof_trace::Count;

/// A share of receives above this is worth telling.
const MOST: f64 = 0.001;

pub(super) fn find(context: &Context<'_>, _: &[Finding]) -> Vec<Finding> {
    let found = of_class(context.model, Count::Receives, Count::Lags).into_iter().filter_map(|(class, (received, lags))| {
        let share = lags as f64 / (received + lags).max(1) as f64;
        (lags > 0 && share > MOST).then(|| {
            let object = context.object(class, None);
            Finding {
                message: format!(
                    "{} on the {} told that messages were missed: more were sent than there is room for, before the receiver came",
                    plural(lags, "receive", "receives"),
                    context.class_name(class),
                ),
                count: lags,
                at: object.created_at.clone(),
                objects: vec![object],
                notes: vec![format!("{} got a message", plural(received, "receive", "receives"))],
                help: "make room for what may be sent while a receiver is busy, and go on receiving behind `RecvError::Lagged`: \
                       `while let Ok(…)` ends there; what must not be missed goes through an `mpsc` channel for each receiver"
                    .into(),
                ..Finding::hazard(context, "LP0037")
            }
        })
    });
    found.collect()
}
