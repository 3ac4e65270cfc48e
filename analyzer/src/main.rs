//! The command `lockprof`: parses what is asked, does it, and tells what came of it by its exit code.
#![forbid(unsafe_code)]

mod cli;
mod collect;
mod commands;
mod error;
mod export;
mod flamegraph;
mod folder;
mod html;
mod load;
mod modules;
mod progress;
mod sarif;
mod symbols;
mod system;
mod top;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

/// The exit code of what could not be done.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let Cli { quiet, command } = Cli::parse();
    if quiet {
        commands::quieten();
    }
    let done = match command {
        Command::Analyze { traces, out, ask } => commands::analyze(&traces, out.as_deref(), &ask),
        Command::Run { out, ask, command } => commands::run(&out, &ask, &command),
        Command::Advise { traces, ask } => commands::advise(&traces, &ask),
        Command::Check { gate, ask } => commands::check(&gate, &ask),
        Command::Diff { before, after, out, ask } => commands::diff(&before, &after, out.as_deref(), &ask),
        Command::Export { traces, to, of, output, symbols } => {
            commands::export(&traces, to, of, output.as_deref(), &symbols)
        }
        Command::Top { target, once, interval, symbols } => {
            commands::top(&target, once, interval.into(), &symbols)
        }
        Command::Completions { shell } => commands::completions(shell),
        Command::Man { out } => commands::man(out.as_deref()),
        Command::Explain { code } => commands::explain(&code),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            commands::complain(&error);
            ExitCode::from(FAILED)
        }
    }
}
