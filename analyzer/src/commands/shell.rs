//! `lockprof completions` and `lockprof man`: what a shell and a reader of manuals ask for, made of the command line itself.
use crate::cli::Cli;
use crate::error::Error;
use clap::CommandFactory;
use clap_complete::Shell;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Prints the completions for a shell.
pub fn completions(shell: Shell) -> Result<u8, Error> {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Cli::command(), "lockprof", &mut script);
    print(&script)
}

/// Prints the manual page of `lockprof`, or writes that and those of its commands into a folder.
pub fn man(out: Option<&Path>) -> Result<u8, Error> {
    let command = Cli::command();
    let Some(folder) = out else {
        let mut page = vec![];
        clap_mangen::Man::new(command).render(&mut page).map_err(Error::Print)?;
        return print(&page);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .map_err(|error| Error::Output(folder.into(), error))?;
    Ok(0)
}

fn print(bytes: &[u8]) -> Result<u8, Error> {
    match io::stdout().write_all(bytes) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Print(error)),
        _ => Ok(0),
    }
}
