//! Incidents of running services, each with its fault and without: `incidents NAME --faulty`, `incidents NAME --fixed`.
//! `docs/POST_MORTEM.md` tells what became of each, and what is reported.
#![allow(clippy::print_stdout)] // What became of it, for who runs it.

mod config_reload;
mod config_watchers;
mod hot_map;
mod late_add;
mod order_scheduler;
mod payment_avalanche;
mod pointer_swap;
mod remote_call;
mod session_cache;
mod stale_read;
mod task_states;

use clap::{Parser, builder::PossibleValuesParser};
use lockprof_examples::Variant;

/// Plays an incident: whether without its fault.
type Play = fn(bool);

/// What happened, by name.
const INCIDENTS: &[(&str, Play)] = &[
    ("hot_map", hot_map::play),
    ("session_cache", session_cache::play),
    ("stale_read", stale_read::play),
    ("config_reload", config_reload::play),
    ("config_watchers", config_watchers::play),
    ("pointer_swap", pointer_swap::play),
    ("task_states", task_states::play),
    ("order_scheduler", order_scheduler::play),
    ("payment_avalanche", payment_avalanche::play),
    ("late_add", late_add::play),
    ("remote_call", remote_call::play),
];

/// One incident, with its fault and without
#[derive(Parser)]
struct Options {
    /// Which
    #[arg(value_parser = PossibleValuesParser::new(INCIDENTS.iter().map(|incident| incident.0)))]
    incident: String,

    #[command(flatten)]
    variant: Variant,
}

fn main() {
    let options = Options::parse();
    let incident = INCIDENTS.iter().find(|incident| incident.0 == options.incident);
    let (_, play) = incident.expect("one of those that are allowed");
    play(options.variant.is_fixed());
}
