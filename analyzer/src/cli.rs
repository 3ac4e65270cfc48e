//! The command line: what can be asked, and how it is explained.
use crate::export::{Of, To};
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use lockprof_engine::findings::Verdict;
use lockprof_engine::{MAX_FAILED_SENDS, MIN_BLOCKED, Options};
use std::ffi::OsString;
use std::path::PathBuf;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Tells which line makes everyone wait, and which task, lock, channel or watcher will never come back
#[derive(Debug, Parser)]
#[command(name = "lockprof", version, styles = STYLES, arg_required_else_help = true, after_help = "\
Examples:
  lockprof run --out out -- target/release/shop   record a program and tell what is wrong with it
  lockprof analyze trace.bin                      the same for a trace that there is
  lockprof analyze trace.bin --out report         with report.html and flame graphs in a folder
  lockprof diff before.bin after.bin              what a change has brought
  lockprof export trace.bin --to pprof            for other tools
  lockprof top 4711                               look at a process while it runs
  lockprof explain LP0001                         what a finding means and what to change

NO_COLOR=1 takes the colours out, CLICOLOR_FORCE=1 keeps them where no terminal reads.

In the program: one dependency on `lockprof`, its wrappers in place of the locks, and LOCKPROF=profile,path=trace.bin in \
the environment, or `lockprof run`.")]
pub struct Cli {
    /// Leave out notes and progress; of `run` the report as well, which stands in its folder
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell what is wrong in recorded programs, most costly first
    #[command(after_help = "\
Examples:
  lockprof analyze trace.bin
  lockprof analyze out/trace-*.bin --out report     several processes of one recording
  lockprof analyze trace.bin --format json | jq '.findings[].message'
  lockprof analyze trace.bin --min-blocked 200ms    call a wait stuck sooner

Exit code: 0, also where there are findings; 2 where a trace could not be read or a report not be written.")]
    Analyze {
        /// Trace files, one for each process
        #[arg(required = true, value_name = "TRACE")]
        traces: Vec<PathBuf>,
        /// Write report.html, report.json, wait.svg, hold.svg and tasks.svg into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// What to ask for
        #[command(flatten)]
        ask: Ask,
    },
    /// Run a program, record it and all processes it starts, and tell what is wrong
    #[command(after_help = "\
Examples:
  lockprof run -- target/release/shop --port 8080
  lockprof run --out out -- cargo test
  LOCKPROF=full lockprof run -- target/release/shop   record every acquire and release

The findings go to standard error, so that the program's output stays its own. Signals to stop (TERM, INT, HUP) are passed \
on, and a program that is killed is analyzed all the same.
Exit code: the program's, 128 and the signal's number where one killed it; 1 where it was 0 but nothing was recorded; 2 where \
lockprof itself could not go on.")]
    Run {
        /// Folder for the traces, the flame graphs and report.json
        #[arg(long, value_name = "DIR", default_value = "lockprof-out")]
        out: PathBuf,
        /// What to ask for
        #[command(flatten)]
        ask: Ask,
        /// The program and its arguments
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Tell what to use instead, object by object, and what is best kept
    #[command(after_help = "\
Examples:
  lockprof advise trace.bin
  lockprof advise trace.bin --format json | jq '.[] | select(.rule != \"keep\")'

Each advice names the rule that fits, what it rests on, and what it should bring at most; `lockprof diff` of a recording \
before and after tells whether it did.")]
    Advise {
        /// Trace files, one for each process
        #[arg(required = true, value_name = "TRACE")]
        traces: Vec<PathBuf>,
        /// What to ask for
        #[command(flatten)]
        ask: Ask,
    },
    /// Fail where a trace has findings: a gate for CI
    #[command(after_help = "\
Examples:
  lockprof check trace.bin                                   proved and suspected findings fail
  lockprof check trace.bin --deny proved,suspected,hazard    hazards fail as well
  lockprof check trace.bin --baseline lockprof.json --update-baseline   let pass what is known today
  lockprof check trace.bin --baseline lockprof.json --sarif lockprof.sarif

A finding is the same as one of the baseline if its code, its file and the text of its line are; a circle, if those of all \
its lines are.
Exit code: 0 where nothing is denied, 1 where something is, 2 where nothing is but a trace is damaged or cut off, \
or where one could not be read or a file not be written.")]
    Check {
        /// What to check
        #[command(flatten)]
        gate: Gate,
        /// What to ask for
        #[command(flatten)]
        ask: Ask,
    },
    /// Compare a program before and after a change
    #[command(after_help = "\
Examples:
  lockprof diff before.bin after.bin
  lockprof diff before.bin after.bin --out diff                       with differential flame graphs and diff.json
  lockprof diff a1.bin a2.bin a3.bin -- b1.bin b2.bin b3.bin          several runs: intervals tell a change from noise

Objects, tasks and findings are matched by kind, name, file and line; where lines have moved, by their order in the file.
Exit code: 0, whatever has changed; 2 where a trace could not be read or a file not be written.")]
    Diff {
        /// Traces before the change, one for each run; of two without `--` the second is after it
        #[arg(required = true, value_name = "BEFORE")]
        before: Vec<PathBuf>,
        /// Traces after the change
        #[arg(last = true, value_name = "AFTER")]
        after: Vec<PathBuf>,
        /// Write diff.json, diff-wait.svg and diff-hold.svg into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// What to ask for
        #[command(flatten)]
        ask: Ask,
    },
    /// Write traces in the form that another tool reads
    #[command(after_help = "\
Examples:
  lockprof export trace.bin --to pprof -o wait.pb.gz && go tool pprof -http : wait.pb.gz
  lockprof export trace.bin --to pprof --of hold -o hold.pb.gz   who held, in place of who waited
  lockprof export trace.bin --to perfetto -o trace.pftrace       for ui.perfetto.dev
  lockprof export trace.bin --to firefox -o trace.json           for profiler.firefox.com
  lockprof export trace.bin --to csv | sort -t, -k11 -n")]
    Export {
        /// Trace files, one for each process
        #[arg(required = true, value_name = "TRACE")]
        traces: Vec<PathBuf>,
        /// The form
        #[arg(long, value_enum, value_name = "FORM")]
        to: To,
        /// What a profile shows; timelines show both
        #[arg(long, value_enum, default_value_t = Of::Wait)]
        of: Of,
        /// Write to this file, not to standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Look for the program's file, or the debug file split from it, in this folder as well
        #[arg(long, value_name = "DIR")]
        symbols: Vec<PathBuf>,
    },
    /// Look at a recorded process while it runs: hot locks, who waits for whom, tasks, channels
    #[command(after_help = "\
Examples:
  lockprof top 4711                 a process, by its number
  lockprof top $(pidof shop) --once one view as text, for scripts
  lockprof top trace.bin            what a trace has in the end

Keys: 1 to 4 for the tables, s to sort, / to filter, Enter for stacks and holders, w to write a snapshot that `lockprof \
analyze` reads, ? for all of them, q to quit.
The process is looked at through its shared memory and does nothing for it. Where standard output is no terminal, one view is \
printed as with --once.")]
    Top {
        /// Number of a process, or a trace, or a recorder's memory
        #[arg(value_name = "PID|FILE")]
        target: PathBuf,
        /// Print one view as text; its rates are those of one interval
        #[arg(long)]
        once: bool,
        /// Look again after this long
        #[arg(long, value_name = "TIME", default_value = "1s")]
        interval: humantime::Duration,
        /// Look for the program's file, or the debug file split from it, in this folder as well
        #[arg(long, value_name = "DIR")]
        symbols: Vec<PathBuf>,
    },
    /// Print what completes the words of a command line in a shell
    #[command(after_help = "\
Examples:
  lockprof completions bash > /usr/share/bash-completion/completions/lockprof
  lockprof completions zsh > ~/.zfunc/_lockprof
  lockprof completions fish > ~/.config/fish/completions/lockprof.fish")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write those of all commands
    #[command(after_help = "\
Examples:
  lockprof man | man -l -
  lockprof man --out /usr/share/man/man1")]
    Man {
        /// Write lockprof.1, lockprof-analyze.1 and so on into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Tell the whole story behind a finding's code
    #[command(after_help = "Example:\n  lockprof explain LP0001")]
    Explain {
        /// The code, as findings print it
        code: String,
    },
}

/// What `check` checks.
#[derive(Debug, Args)]
pub struct Gate {
    /// Trace files, one for each process
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// Verdicts that fail
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "VERDICTS",
        default_value = "proved,suspected"
    )]
    pub deny: Vec<Deny>,
    /// Findings that this file names pass
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write what is found into the baseline first
    #[arg(long, requires = "baseline")]
    pub update_baseline: bool,
    /// Write what fails into this file, as SARIF 2.1.0
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
}

/// A verdict that can be denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// The record leaves no way out
    Proved,
    /// Blocked without progress, or growing without end
    Suspected,
    /// Did not bite in this run
    Hazard,
}

impl Deny {
    /// The same for the library.
    pub const fn verdict(self) -> Verdict {
        match self {
            Deny::Proved => Verdict::Proved,
            Deny::Suspected => Verdict::Suspected,
            Deny::Hazard => Verdict::Hazard,
        }
    }
}

/// What an analysis is asked for.
#[derive(Debug, Args)]
pub struct Ask {
    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// A wait that is still open after this long is suspected to be stuck
    #[arg(long, value_name = "TIME", default_value_t = MIN_BLOCKED.into())]
    pub min_blocked: humantime::Duration,
    /// A share of refused sends above this is told
    #[arg(long, value_name = "SHARE", default_value_t = MAX_FAILED_SENDS)]
    pub max_failed_sends: f64,
    /// Look for the program's file, or the debug file split from it, in this folder as well
    #[arg(long, value_name = "DIR")]
    pub symbols: Vec<PathBuf>,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// As in report.json
    Json,
}

impl Ask {
    /// The same for the library.
    pub fn options(&self) -> Options {
        let mut options = Options::default();
        options.min_blocked = self.min_blocked.into();
        options.max_failed_sends = self.max_failed_sends;
        options
    }
}
